/** Two relays over one real Redis: what one finds out about upstream, both go by. */
import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it, type TestContext } from "node:test";
import { ask } from "./harness/anthropic.ts";
import { send, withToken } from "./harness/http.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const keys = ["sk-ant-test-key-a", "sk-ant-test-key-b"] as const;

/** An upstream that the test makes fail, and what it was asked with. */
class Upstream {
  readonly used: string[] = [];
  answer: (key: string, response: ServerResponse) => void = ok;
  readonly #server: Server = createServer((request, response) => {
    request.resume().on("end", () => {
      const key = String(request.headers["x-api-key"]);
      this.used.push(key);
      this.answer(key, response);
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const json = (status: number, body: object, headers: object = {}) => {
  const text = JSON.stringify(body);
  return (_key: string, response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  };
};

const ok = json(200, {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-haiku-4-5",
  content: [{ type: "text", text: "hello" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 1 },
});
const failing = (type: string) => ({ type: "error", error: { type, message: "not now" } });
const overloaded = json(529, failing("overloaded_error"));

describe("two relays over one Redis", { skip: redisMissing, timeout: 120_000 }, () => {
  const redis = new RedisServer();
  before(() => redis.start());
  after(() => redis.remove());

  const setUp = async (t: TestContext) => {
    const client = redis.client();
    await client.flushall();
    client.disconnect();
    const upstream = new Upstream();
    t.after(() => upstream.close());
    const upstreamUrl = await upstream.listen();
    const start = async () => {
      const env = { REDIS_URL: redis.url, ANTHROPIC_API_KEY: keys.join(",") };
      const relay = await startRelay({ upstreamUrl, env });
      t.after(() => relay.stop());
      const token = await relay.bootstrap();
      const call = async () =>
        (await send(relay.url, { headers: withToken(token), body: ask("hi") })).status;
      return { relay, call };
    };
    const [one, other] = await Promise.all([start(), start()]);
    return { upstream, start, one, other };
  };

  const breakerIs = async ({ relay }: { relay: Relay }, state: string): Promise<void> => {
    while ((await relay.admin("/admin/circuit-breaker")).body.state !== state) {
      // Redis tells the others within milliseconds; the test's own time limit ends it otherwise.
    }
  };

  const outcomes = async ({ relay }: { relay: Relay }, action: string): Promise<string[]> =>
    (await relay.admin(`/admin/audit?action=${action}`)).body.data.map(
      ({ outcome }: { outcome: string }) => outcome,
    );

  it("leave a failing upstream alone together, and one that starts later with them, until one is reset", async (t) => {
    const { upstream, start, one, other } = await setUp(t);
    upstream.answer = overloaded;
    for (let n = 0; n < 5; n += 1) {
      assert.equal(await one.call(), 529);
    }
    await breakerIs(other, "open");
    const late = await start();
    await breakerIs(late, "open");
    const asked = upstream.used.length;
    assert.deepEqual(await Promise.all([one.call(), other.call(), late.call()]), [503, 503, 503]);
    assert.equal(upstream.used.length, asked, "upstream is left alone");

    upstream.answer = ok;
    const reset = await other.relay.admin("/admin/circuit-breaker/reset", { method: "POST" });
    assert.equal(reset.status, 200);
    await Promise.all([one, late].map((each) => breakerIs(each, "closed")));
    assert.deepEqual(await Promise.all([one.call(), other.call(), late.call()]), [200, 200, 200]);

    // Each change is written down once, by the one that saw it.
    const change = "circuit_breaker.change";
    assert.deepEqual(await outcomes(one, change), ["open"]);
    assert.deepEqual(await outcomes(other, change), ["closed"]);
    assert.deepEqual(await outcomes(late, change), []);
    assert.deepEqual(await outcomes(other, "circuit_breaker.reset"), ["ok"]);
  });

  it("let a key rest together that upstream rejects or limits, and never name it in Redis or the log", async (t) => {
    const { upstream, one, other } = await setUp(t);
    const [bad, good] = keys;
    upstream.answer = (key, response) =>
      (key === bad ? json(401, failing("authentication_error")) : ok)(key, response);
    const heard = other.relay.logged(({ msg }) =>
      String(msg).startsWith("API key rests: another instance"),
    );
    while (!upstream.used.includes(bad)) {
      assert.equal(await one.call(), 200);
    }
    assert.equal((await heard)["key"], "key 1");
    upstream.used.length = 0;
    for (let n = 0; n < 4; n += 1) {
      assert.equal(await other.call(), 200);
    }
    assert.deepEqual(new Set(upstream.used), new Set([good]));

    const client = redis.client();
    t.after(() => client.disconnect());
    const names = await client.keys("*notice:key:*");
    assert.equal(names.length, 1);
    const said = JSON.stringify([names, await client.hgetall(names[0] ?? ""), other.relay.logs]);
    assert.ok(!keys.some((key) => said.includes(key)));
  });

  it("go each by their own while Redis is away, and together again afterwards", async (t) => {
    const { upstream, one, other } = await setUp(t);
    await redis.kill();
    upstream.answer = overloaded;
    for (let n = 0; n < 5; n += 1) {
      await one.call();
    }
    assert.equal(await one.call(), 503);
    upstream.answer = ok;
    assert.equal(await other.call(), 200);
    await redis.start();
    await breakerIs(other, "open");
    assert.equal(await other.call(), 503);
  });
});
