import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { RedisServer, redisMissing } from "../../../../../test/harness/redis.ts";
import { RedisRests, type Rest } from "./redis-rests.ts";
import { silentLog, until } from "./test-setup.ts";

const listen = (t: TestContext, url: string, instance: string) => {
  const heard: Rest[] = [];
  const rests = new RedisRests({
    url,
    instance,
    onRest: (rest) => heard.push(rest),
    monotonicMs: () => performance.now(),
    log: silentLog,
  });
  t.after(() => rests.close());
  rests.start();
  return { rests, heard };
};

const startServer = async (t: TestContext): Promise<RedisServer> => {
  const server = new RedisServer();
  t.after(() => server.remove());
  await server.start();
  return server;
};

const listeners = async (t: TestContext, server: RedisServer, count: number): Promise<void> => {
  const client = server.client();
  t.after(() => client.disconnect());
  const channel = "{claude-relay}:rests";
  await until(async () => (await client.pubsub("NUMSUB", channel))[1] === count);
};

describe("rests of keys and upstreams, shared between instances", {
  skip: redisMissing,
  timeout: 30_000,
}, () => {
  it("are told to the others, and to one that comes later for as long as they last", async (t) => {
    const server = await startServer(t);
    const one = listen(t, server.url, "1");
    const other = listen(t, server.url, "2");
    await listeners(t, server, 2);
    one.rests.tell({ name: "key", forMs: 60_000 });
    one.rests.tell({ name: "short", forMs: 1 });
    one.rests.tell({ name: "breaker", forMs: 60_000 });
    one.rests.tell({ name: "breaker", forMs: 0 });
    const last = (name: string) => other.heard.findLast((rest) => rest.name === name)?.forMs ?? -1;
    await until(() => last("key") > 50_000 && last("breaker") === 0);
    assert.deepEqual(one.heard, []);

    const late = listen(t, server.url, "3");
    await until(() => late.heard.length > 0);
    const [rest] = late.heard;
    assert.equal(rest?.name, "key");
    assert.ok(rest.forMs > 0 && rest.forMs <= 60_000);
    assert.ok(late.heard.every(({ name }) => name === "key"));
  });

  it("that could not be told are told when Redis is back", async (t) => {
    const server = await startServer(t);
    const one = listen(t, server.url, "1");
    const other = listen(t, server.url, "2");
    await listeners(t, server, 2);
    await server.kill();
    one.rests.tell({ name: "key", forMs: 60_000 });
    await server.start();
    await until(() => other.heard.some(({ name, forMs }) => name === "key" && forMs > 0));
  });
});
