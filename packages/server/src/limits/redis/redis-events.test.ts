import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { RedisServer, redisMissing } from "../../../../../test/harness/redis.ts";
import { type ChangeEvent, RedisEvents } from "./redis-events.ts";
import { silentLog, until } from "./test-setup.ts";

const listen = (
  t: TestContext,
  url: string,
  instance: string,
  gate: Promise<void> = Promise.resolve(),
) => {
  const heard: ChangeEvent[] = [];
  const counts = { resyncs: 0 };
  const events = new RedisEvents({
    url,
    instance,
    onEvent: async (event) => {
      await gate;
      heard.push(event);
    },
    onResync: () => {
      counts.resyncs += 1;
    },
    log: silentLog,
  });
  t.after(() => events.close());
  events.start();
  return { events, heard, counts };
};

const startServer = async (t: TestContext): Promise<RedisServer> => {
  const server = new RedisServer();
  t.after(() => server.remove());
  await server.start();
  return server;
};

describe("changes told between instances", { skip: redisMissing, timeout: 30_000 }, () => {
  it("reach all others once, in order, and not the one that tells", async (t) => {
    const server = await startServer(t);
    const [one, other, third] = ["1", "2", "3"].map((id) => listen(t, server.url, id)) as [
      ReturnType<typeof listen>,
      ReturnType<typeof listen>,
      ReturnType<typeof listen>,
    ];
    await until(() => [one, other, third].every(({ counts }) => counts.resyncs === 1));
    void one.events.publish({ kind: "device", id: "mac-1" });
    void one.events.publish({ kind: "policy", id: "p" });
    void other.events.publish({ kind: "budget", id: "b" });
    await until(() => third.heard.length === 3 && other.heard.length === 2);
    assert.deepEqual(other.heard, [
      { kind: "device", id: "mac-1" },
      { kind: "policy", id: "p" },
    ]);
    await until(() => one.heard.length === 1);
    assert.deepEqual(one.heard, [{ kind: "budget", id: "b" }]);
  });

  it("are told when they count everywhere, and a while later where one does not answer", async (t) => {
    const server = await startServer(t);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const one = listen(t, server.url, "1");
    const slow = listen(t, server.url, "2", gate);
    await until(() => one.counts.resyncs === 1 && slow.counts.resyncs === 1);
    const before = { one: one.counts.resyncs, slow: slow.counts.resyncs };
    await one.events.publish({ kind: "app_key", id: "unanswered" });
    assert.deepEqual(slow.heard, []);
    open();
    await until(() => slow.heard.length === 1);
    for (let number = 0; number < 50; number += 1) {
      const [teller, hearer] = number % 2 === 0 ? [one, slow] : [slow, one];
      await teller.events.publish({ kind: "app_key", id: String(number) });
      assert.equal(hearer.heard.at(-1)?.id, String(number));
    }
    assert.deepEqual({ one: one.counts.resyncs, slow: slow.counts.resyncs }, before);
    await server.kill();
    await one.events.publish({ kind: "app_key", id: "nobody hears it" });
  });

  it("are read anew by everyone after Redis was away, and by the others when one was not heard", async (t) => {
    const server = await startServer(t);
    const one = listen(t, server.url, "1");
    const other = listen(t, server.url, "2");
    await until(() => one.counts.resyncs === 1 && other.counts.resyncs === 1);
    await server.kill();
    void one.events.publish({ kind: "device", id: "revoked-meanwhile" });
    await server.start();
    // Once for having been away; what one could not tell makes the other read anew at the latest then.
    await until(() => one.counts.resyncs >= 2 && other.counts.resyncs >= 2);
    void one.events.publish({ kind: "device", id: "after" });
    await until(() => other.heard.some(({ id }) => id === "after"));
  });

  it("that cannot be understood make everything be read anew", async (t) => {
    const server = await startServer(t);
    const one = listen(t, server.url, "1");
    await until(() => one.counts.resyncs === 1);
    const client = server.client();
    t.after(() => client.disconnect());
    for (const [index, message] of ["nonsense", '{"from":"2","kind":"later"}', "null"].entries()) {
      await client.publish("{claude-relay}:changes", message);
      await until(() => one.counts.resyncs === index + 2);
    }
    assert.deepEqual(one.heard, []);
  });
});
