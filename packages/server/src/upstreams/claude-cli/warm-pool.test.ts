import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dead, idle, plain, startFakeCli, tempFolder } from "./test-setup.ts";

test("calls beyond the concurrency wait in order, and beyond the queue are refused", async (t) => {
  const { ask, cli } = startFakeCli(t, plain, { concurrency: 1, queue: 1 });
  const [first, second, third] = [ask("first"), ask("second"), ask("third")];
  assert.deepEqual([cli.status().running, cli.status().queued], [1, 1]);
  await third.received.over;
  assert.equal(third.received.status, 429);
  assert.equal(third.received.headers["retry-after"], "2");
  assert.match(third.received.text, /rate_limit_error/);
  await first.received.over;
  assert.equal(second.received.status, 0);
  await second.received.over;
  assert.match(second.received.text, /second/);
  await idle(cli);
});

test("a caller that leaves the queue takes no process", async (t) => {
  const { ask, cli } = startFakeCli(t, plain, { concurrency: 1, queue: 2 });
  const [first, second, third] = [ask("first"), ask("second"), ask("third")];
  second.exchange.cancel();
  assert.equal(cli.status().queued, 1);
  await Promise.all([first.received.over, third.received.over]);
  assert.equal(second.received.status, 0);
  assert.equal(second.exchange.sent, false);
  await idle(cli);
});

test("waiting processes take the calls, are replaced, and are gone at the end", async (t) => {
  const { ask, cli, tempRoot } = startFakeCli(t, plain, { poolSize: 2 });
  assert.equal(cli.status().warm, 2);
  const { received } = ask("hello");
  await received.over;
  assert.match(received.text, /hello/);
  while (cli.status().warm < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await cli.close();
  assert.equal(cli.status().warm, 0);
  assert.deepEqual(readdirSync(tempRoot), []);
  const after = ask("late");
  await after.received.over;
  assert.equal(after.received.status, 503);
});

test("a waiting process that died unnoticed is not the caller's problem", async (t) => {
  // The first process dies at the first byte it is sent; the others serve.
  const folder = tempFolder(t);
  const play = new Function(
    `return async (fake) => {
      const { mkdirSync } = await import("node:fs");
      try {
        mkdirSync(${JSON.stringify(join(folder, "first"))});
        process.stdin.once("data", () => process.exit(1));
        await fake.hang();
      } catch {}
      const { prompt } = await fake.call();
      fake.init();
      fake.answer("You said:" + prompt);
    }`,
  )();
  mkdirSync(folder, { recursive: true });
  const { ask, cli } = startFakeCli(t, play, { poolSize: 1 });
  while (!existsSync(join(folder, "first"))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { received } = ask("hello");
  await received.over;
  assert.equal(received.failure, null);
  assert.match(received.text, /hello/);
  await idle(cli);
});

test("waiting processes that cannot live are started again ever more rarely", async (t) => {
  const { cli, logged } = startFakeCli(t, async () => process.exit(7), { poolSize: 1 });
  while (logged.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.match(logged[0] ?? "", /A waiting Claude Code ended.*7/);
  assert.equal(cli.status().warm, 0);
});

test("closing breaks running calls off and leaves nothing", async (t) => {
  const { ask, cli, tempRoot } = startFakeCli(t, async (fake) => {
    await fake.call();
    fake.init();
    fake.answer("begin", true);
    await fake.hang();
  });
  const { received } = ask("hello");
  await received.begun;
  await cli.close();
  assert.equal(received.failure?.kind, "unreachable");
  assert.deepEqual(readdirSync(tempRoot), []);
});

test("a waiting process that has waited too long is replaced by a fresh one, unasked", async (t) => {
  const folder = tempFolder(t);
  const play = new Function(`return async (fake) => {
    const { writeFileSync } = await import("node:fs");
    writeFileSync(${JSON.stringify(folder)} + "/" + process.pid, "");
    await fake.call();
  }`)();
  const { cli } = startFakeCli(t, play, { poolSize: 1, maxIdleMs: 300 });
  while (readdirSync(folder).length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await dead(Math.min(...readdirSync(folder).map(Number)));
  assert.equal(cli.status().closedBecause, null);
});

test("when the door closes, no process waits any more", async (t) => {
  const { ask, cli } = startFakeCli(
    t,
    async (fake) => {
      await fake.call();
      fake.init({ tools: ["Read"] });
      await fake.hang();
    },
    { poolSize: 2 },
  );
  await ask("hello").received.over;
  assert.notEqual(cli.status().closedBecause, null);
  assert.equal(cli.status().warm, 0);
  await idle(cli);
});

test("a call that waits its turn when the door closes is refused, not served", async (t) => {
  const { ask, cli } = startFakeCli(
    t,
    async (fake) => {
      await fake.call();
      fake.init({ tools: ["Read"] });
      await fake.hang();
    },
    { concurrency: 1 },
  );
  const [first, second] = [ask("first"), ask("second")];
  await first.received.over;
  await second.received.over;
  assert.equal(second.received.status, 503);
  assert.equal(second.exchange.sent, false);
  await idle(cli);
});
