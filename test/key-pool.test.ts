/** `ANTHROPIC_API_KEY="a,b,c"`: a key that is limited or rejected rests, and the caller never knows. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { ask, askStream, startSetting } from "./harness/anthropic.ts";
import { send, withToken } from "./harness/http.ts";
import { onlyRow, rowsOf } from "./harness/ledger.ts";
import { startRelay } from "./harness/relay.ts";

const keys = ["sk-ant-test-key-a", "sk-ant-test-key-b", "sk-ant-test-key-c"] as const;
const env = { ANTHROPIC_API_KEY: keys.join(",") };

/** A relay with three keys, of which upstream takes only some. */
const withGoodKeys = async (t: TestContext, good: readonly string[]) => {
  const setting = await startSetting({ env, simulator: { acceptKeys: good } });
  t.after(() => setting.stop());
  return setting;
};

type Handler = (key: string, response: ServerResponse, request: IncomingMessage) => void;

/** A relay with three keys before an upstream that answers each key as the test says. */
const withUpstream = async (t: TestContext, answer: Handler) => {
  const used: string[] = [];
  const upstream = createServer((request, response) => {
    request.resume().on("end", () => {
      const key = String(request.headers["x-api-key"]);
      used.push(key);
      answer(key, response, request);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const relay = await startRelay({ upstreamUrl: `http://127.0.0.1:${port}`, env });
  t.after(async () => {
    await relay.stop();
    upstream.closeAllConnections();
    upstream.close();
  });
  return { relay, used, token: await relay.bootstrap() };
};

const limited = (response: ServerResponse, retryAfter: string, words: string): void => {
  response
    .writeHead(429, {
      "content-type": "application/json",
      "retry-after": retryAfter,
      "request-id": `req_${words}`,
      "anthropic-ratelimit-requests-remaining": "0",
    })
    .end(`{"type":"error","error":{"type":"rate_limit_error","message":"${words}"}}`);
};

const message = JSON.stringify({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-haiku-4-5-20251001",
  content: [{ type: "text", text: "Hello" }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 2 },
});

const succeed = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/json" }).end(message);
};

const usedKeys = (log: readonly { headers: NodeJS.Dict<string | string[]> }[]) =>
  log.map(({ headers }) => headers["x-api-key"]);

describe("several API keys", { concurrency: 4 }, () => {
  it("are used in turn", async (t) => {
    const { relay, token, simulator } = await withGoodKeys(t, keys);
    for (let count = 0; count < 6; count += 1) {
      await send(relay.url, { headers: withToken(token), body: ask("hi") });
    }
    assert.deepEqual(usedKeys(simulator.log), [...keys, ...keys]);
  });

  it("that upstream rejects with 401 rest, and the caller sees only the success of the next", async (t) => {
    const { relay, token, simulator } = await withGoodKeys(t, [keys[2]]);
    const first = await send(relay.url, { headers: withToken(token), body: ask("hi") });
    assert.equal(first.status, 200);
    assert.deepEqual(usedKeys(simulator.log), [...keys]);
    const second = await send(relay.url, { headers: withToken(token), body: askStream("hi") });
    assert.equal(second.status, 200);
    assert.deepEqual(usedKeys(simulator.log).slice(3), [keys[2]], "the others rest");
    const rows = await rowsOf(relay);
    assert.equal(rows.length, 2, "one row a request, however many keys it took");
    assert.ok(rows.every(({ accuracy, status }) => accuracy === "measured" && status === 200));
  });

  it("that upstream limits with 429 rest as long as retry-after says, and then serve again", async (t) => {
    let limits = 1;
    const { relay, used, token } = await withUpstream(t, (key, response) => {
      if (key === keys[0] && limits > 0) {
        limits -= 1;
        limited(response, "1", "slow_down");
      } else {
        succeed(response);
      }
    });
    const ok = async () =>
      assert.equal(
        (await send(relay.url, { headers: withToken(token), body: ask("hi") })).status,
        200,
      );
    const before = performance.now();
    await ok();
    assert.deepEqual([...used], [keys[0], keys[1]]);
    while (used.at(-1) !== keys[0]) {
      await ok();
    }
    assert.ok(performance.now() - before >= 1000, "not before its rest was over");
    assert.equal(used.indexOf(keys[2]), 2);
  });

  it("that are all limited leave the caller upstream's own 429, word for word", async (t) => {
    const { relay, used, token } = await withUpstream(t, (key, response) =>
      limited(response, "33", key.slice(-1)),
    );
    const first = await send(relay.url, { headers: withToken(token), body: ask("hi") });
    assert.equal(first.status, 429);
    assert.equal(first.headers["retry-after"], "33");
    assert.equal(first.headers["request-id"], "req_c");
    assert.equal(first.headers["anthropic-ratelimit-requests-remaining"], "0");
    assert.equal(
      first.body.toString(),
      '{"type":"error","error":{"type":"rate_limit_error","message":"c"}}',
    );
    assert.deepEqual(used, [...keys]);
    const row = await onlyRow(relay);
    assert.equal(row.accuracy, "free");
    assert.equal(row.status, 429);
    const second = await send(relay.url, { headers: withToken(token), body: ask("hi") });
    assert.equal(second.status, 429);
    assert.equal(used.length, 4, "one try while all rest, so that upstream has the word");
  });

  it("are not tried in turn for a 400, 403, 500 or 529: those are not the key's fault", async (t) => {
    const { relay, token, simulator } = await withGoodKeys(t, keys);
    for (const scenario of ["400", "403", "500", "529"]) {
      const before = simulator.log.length;
      const { status } = await send(relay.url, {
        headers: withToken(token, scenario),
        body: ask("hi"),
      });
      assert.equal(status, Number(scenario));
      assert.equal(simulator.log.length - before, 1);
    }
  });

  it("are never changed once an answer has begun, even if it turns into a rate limit", async (t) => {
    const { relay, used, token } = await withUpstream(t, (_key, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"late"}}\n\n',
      );
    });
    const { status, body } = await send(relay.url, {
      headers: withToken(token),
      body: askStream("hi"),
    });
    assert.equal(status, 200);
    assert.match(body.toString(), /"message":"late"/);
    assert.equal(used.length, 1);
  });

  it("never show in an answer or a log line", async (t) => {
    const { relay, token } = await withGoodKeys(t, [keys[1]]);
    const { body, headers } = await send(relay.url, { headers: withToken(token), body: ask("hi") });
    await relay.logged(({ msg }) => msg === "API key laid to rest");
    const said = JSON.stringify([relay.logs, headers]) + relay.stderr() + body.toString();
    for (const key of keys) {
      assert.ok(!said.includes(key));
    }
  });

  it("with only one, its 401 and 429 are upstream's own answers", async (t) => {
    const setting = await startSetting({ simulator: { acceptKeys: ["another"] } });
    t.after(() => setting.stop());
    const { status, body } = await send(setting.relay.url, {
      headers: withToken(setting.token),
      body: ask("hi"),
    });
    assert.equal(status, 401);
    assert.match(body.toString(), /invalid x-api-key/);
  });
});
