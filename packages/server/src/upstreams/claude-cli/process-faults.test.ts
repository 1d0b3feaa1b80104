import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { identityOf } from "./process-identity.ts";
import {
  assertNothingLeft,
  dead,
  type Fake,
  idle,
  plain,
  startFakeCli,
  tempFolder,
} from "./test-setup.ts";

const stages = {
  "at its start": async () => process.exit(3),
  "when it is prepared": async () => {
    process.stdin.once("data", () => process.exit(3));
  },
  "when it has the prompt": async (fake: Fake) => {
    await fake.call();
    process.exit(3);
  },
  "after its init line": async (fake: Fake) => {
    await fake.call();
    fake.init();
    process.exit(3);
  },
  "in its answer": async (fake: Fake) => {
    await fake.call();
    fake.init();
    fake.answer("hello", true);
    process.exit(3);
  },
  "by a signal in its answer": async (fake: Fake) => {
    await fake.call();
    fake.init();
    fake.answer("hello", true);
    process.kill(process.pid, "SIGKILL");
  },
};

for (const [when, play] of Object.entries(stages)) {
  test(`a process that dies ${when} fails its call alone, and leaves nothing`, async (t) => {
    const { ask, cli, tempRoot } = startFakeCli(t, play);
    const { received } = ask("hello");
    await received.over;
    assert.equal(received.failure?.kind, "unreachable");
    assert.equal(received.failure?.sent, !["at its start", "when it is prepared"].includes(when));
    assert.equal(received.status, /answer/.test(when) ? 200 : 0);
    assert.doesNotMatch(received.text, /message_stop/);
    await idle(cli);
    assertNothingLeft(tempRoot);
    assert.equal(cli.status().closedBecause, null);
  });
}

test("what a process that dies unasked says on stderr is logged, once asked it is not", async (t) => {
  const { ask, logged } = startFakeCli(t, async (fake) => {
    fake.stderr.write("no such flag\n");
    process.exit(3);
  });
  await ask("hello").received.over;
  assert.match(logged.join("\n"), /no such flag/);
  const second = startFakeCli(t, async (fake) => {
    const { prompt } = await fake.call();
    fake.stderr.write(`cannot do ${prompt}`, () => process.exit(3));
  });
  await second.ask("my secret").received.over;
  assert.doesNotMatch(second.logged.join("\n"), /my secret/);
});

test("a program that is missing or may not be run fails calls, not the relay", async (t) => {
  const folder = tempFolder(t);
  const forbidden = join(folder, "claude");
  writeFileSync(forbidden, "");
  chmodSync(forbidden, 0o644);
  for (const binary of [join(folder, "nothing"), forbidden]) {
    const { ask, cli, tempRoot } = startFakeCli(t, plain, { binary });
    const { received } = ask("hello");
    await received.over;
    assert.match(
      received.failure?.kind === "unreachable" ? received.failure.message : "",
      /ENOENT|EACCES/,
    );
    assert.equal(received.failure?.sent, false);
    await idle(cli);
    assertNothingLeft(tempRoot);
  }
});

test("no room for a process's directory fails the call, not the relay", async (t) => {
  const { ask, cli, tempRoot } = startFakeCli(t, plain);
  rmSync(tempRoot, { recursive: true });
  const { received } = ask("hello");
  await received.over;
  assert.match(JSON.stringify(received.failure), /cannot be started/);
  assert.equal(received.failure?.sent, false);
  assert.equal(cli.status().running, 0);
});

test("a process that hangs is ended with its group when the time is up", async (t) => {
  const { ask, cli, tempRoot } = startFakeCli(
    t,
    async (fake) => {
      process.on("SIGTERM", () => {});
      await fake.call();
      fake.init();
      fake.answer(`child ${await fake.spawnSleeper()} self ${process.pid}`, true);
      await fake.hang();
    },
    {},
    1_500,
  );
  const { received } = ask("hello");
  await received.over;
  assert.equal(received.failure?.kind, "timeout");
  assert.equal(received.failure?.sent, true);
  await idle(cli);
  const [, child, self] = /child (\d+) self (\d+)/.exec(received.text) ?? [];
  await Promise.all([dead(Number(child)), dead(Number(self))]);
  assertNothingLeft(tempRoot);
});

test("a call's wait for its turn counts towards its time", async (t) => {
  const { ask, cli } = startFakeCli(
    t,
    async (fake) => {
      await fake.call();
      await fake.hang();
    },
    { concurrency: 1, queue: 1 },
    300,
  );
  const [running, waiting] = [ask("one").received, ask("two").received];
  assert.equal(cli.status().queued, 1);
  await Promise.all([running.over, waiting.over]);
  assert.equal(waiting.failure?.kind, "timeout");
  assert.equal(waiting.failure?.sent, false);
  await idle(cli);
});

test("a caller that leaves ends the process and all it started, and hears no more", async (t) => {
  const { ask, cli, tempRoot } = startFakeCli(t, async (fake) => {
    await fake.call();
    fake.init();
    fake.answer(`child ${await fake.spawnSleeper()} self ${process.pid}`, true);
    await fake.hang();
  });
  const { received, exchange } = ask("hello");
  await received.begun;
  while (!received.text.includes("self")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  exchange.cancel();
  const heard = received.bytes;
  await idle(cli);
  assert.equal(received.bytes, heard);
  assert.equal(received.ended, false);
  assert.equal(received.failure, null);
  const [, child, self] = /child (\d+) self (\d+)/.exec(received.text) ?? [];
  await Promise.all([dead(Number(child)), dead(Number(self))]);
  assertNothingLeft(tempRoot);
});

test("a running process is written down, for the next relay to end it if this one is killed", async (t) => {
  const { ask, tempRoot } = startFakeCli(t, async (fake) => {
    await fake.call();
    fake.init();
    fake.answer(`self ${process.pid} `, true);
    await fake.hang();
  });
  const { received } = ask("hello");
  while (!received.text.includes("self")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const pid = Number(/self (\d+) /.exec(received.text)?.[1]);
  const [base = ""] = readdirSync(tempRoot);
  const [run = ""] = readdirSync(join(tempRoot, base)).filter((name) => name !== "owner");
  const identity = readFileSync(join(tempRoot, base, run, "process"), "utf8");
  assert.equal(identity, identityOf(pid));
  assert.match(identity, /^\d+ \d+$/);
});

test("callers share the places: one that asks for all leaves one to the next", async (t) => {
  const { ask, cli } = startFakeCli(
    t,
    async (fake) => {
      const { prompt } = await fake.call();
      if (prompt.includes("first")) {
        process.exit(3);
      }
      fake.init();
      fake.answer(`You said:${prompt}`);
      fake.result({ is_error: false });
    },
    { concurrency: 1, queue: 2 },
  );
  const greedy = ["first", "second", "third", "fourth"].map((prompt) => ask(prompt, {}, "a"));
  const { received } = ask("hello", {}, "b");
  await received.over;
  assert.match(received.text, /hello/);
  const [, second, third, fourth] = greedy;
  for (const refused of [third, fourth]) {
    await refused?.received.over;
    assert.equal(refused?.received.status, 429);
    assert.equal(refused?.exchange.sent, false);
    assert.equal(refused?.received.headers["retry-after"], "2");
  }
  await second?.received.over;
  assert.match(second?.received.text ?? "", /second/);
  await idle(cli);
});

test("a process that ends while its child holds the pipes is over all the same", async (t) => {
  const { ask, cli, tempRoot } = startFakeCli(t, async (fake) => {
    await fake.call();
    fake.init();
    fake.answer(`child ${await fake.spawnSleeper()}`);
    process.exit(0);
  });
  const { received } = ask("hello");
  await received.over;
  assert.ok(received.ended);
  await idle(cli);
  await dead(Number(/child (\d+)/.exec(received.text)?.[1]));
  assertNothingLeft(tempRoot);
});

test("garbage on stdout fails the call", async (t) => {
  for (const garbage of ["not json\n", "[]\n", "{}\n", '"text"\n', `${"\u0000".repeat(100)}\n`]) {
    const { ask, cli } = startFakeCli(
      t,
      new Function(`return async (fake) => {
        await fake.call();
        fake.init();
        fake.raw(${JSON.stringify(garbage)});
        fake.answer("hello");
        await fake.hang();
      }`)(),
    );
    const { received } = ask("hello");
    await received.over;
    assert.equal(received.status, 0);
    assert.equal(received.failure?.kind, "unreachable");
    await idle(cli);
  }
});

test("endless bytes without a line, or of lines, are cut off by the limits", async (t) => {
  const flood = async (fake: Fake) => {
    await fake.call();
    fake.init();
    const more = () => {
      while (process.stdout.write("x".repeat(65_536))) {}
      process.stdout.once("drain", more);
    };
    more();
    await fake.hang();
  };
  const lines = async (fake: Fake) => {
    await fake.call();
    fake.init();
    const more = () => {
      while (process.stdout.write('{"type":"system","subtype":"status"}\n'.repeat(2_000))) {}
      process.stdout.once("drain", more);
    };
    more();
    await fake.hang();
  };
  const limits = { stdoutBytes: 8e6, lineBytes: 1e6, stderrBytes: 1e6, killGraceMs: 200 };
  for (const play of [flood, lines]) {
    const { ask, cli, tempRoot } = startFakeCli(t, play, { limits });
    const { received } = ask("hello");
    await received.over;
    assert.match(JSON.stringify(received.failure), /more on stdout/);
    await idle(cli);
    assertNothingLeft(tempRoot);
  }
});

test("a gigabyte on stderr takes no memory and ends the process", async (t) => {
  const { ask, cli } = startFakeCli(t, async (fake) => {
    await fake.call();
    const piece = Buffer.alloc(1 << 20, "e");
    let left = 1024;
    const more = () => {
      while (left-- > 0 && process.stderr.write(piece)) {}
      if (left > 0) {
        process.stderr.once("drain", more);
      }
    };
    more();
    await fake.hang();
  });
  const before = process.memoryUsage().rss;
  const { received } = ask("hello");
  await received.over;
  assert.match(JSON.stringify(received.failure), /flooded stderr/);
  await idle(cli);
  assert.ok(process.memoryUsage().rss - before < 200e6);
});

test("a slow reader holds the process back, and gets the whole answer in the end", async (t) => {
  const blocked = join(tempFolder(t), "blocked");
  const play = new Function(`return async (fake) => {
    const { writeFileSync } = await import("node:fs");
    await fake.call();
    fake.init();
    fake.answer("begin", true);
    const delta = { type: "text_delta", text: "x".repeat(10000) };
    const event = { type: "content_block_delta", index: 0, delta };
    const line = JSON.stringify({ type: "stream_event", event }) + "\\n";
    for (let left = 5000; left > 0; left--) {
      if (!process.stdout.write(line)) {
        // Nobody reads: said once, after a while.
        const timer = setTimeout(() => writeFileSync(${JSON.stringify(blocked)}, ""), 300);
        await new Promise((resolve) => process.stdout.once("drain", resolve));
        clearTimeout(timer);
      }
    }
    fake.event({ type: "message_stop" });
  }`)();
  const { ask, cli } = startFakeCli(t, play);
  const { received, exchange } = ask("hello");
  received.keepText = false;
  await received.begun;
  exchange.pause();
  while (!existsSync(blocked) && !received.ended) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(received.bytes < 5e6, `${received.bytes} bytes came while paused`);
  exchange.resume();
  await received.over;
  assert.ok(received.ended);
  assert.ok(received.bytes > 50e6);
  await idle(cli);
});
