import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import {
  OverloadedError,
  RateLimitError,
  RelayConnectionError,
  RelayError,
  RelayTimeoutError,
} from "./index.ts";
import { page, type Reply, refusal, reset, silence, text } from "./testing/relay-double.ts";
import { withDouble } from "./testing/with-double.ts";

const { relay, client } = withDouble();
const ask = { prompt: "p" };

/** How many requests a first reply leads to, when the second would succeed. */
const requestsAfter = async (first: Reply, options = {}): Promise<number> => {
  relay().replies(first, text("ok"));
  await client(options)
    .complete(ask)
    .catch((error) => assert.ok(error instanceof RelayError));
  return relay().asked.length;
};

describe("a completion is repeated", () => {
  it("when the relay turned it away before any money was spent", async () => {
    const safe = [
      refusal(429, "rate_limit_error"),
      refusal(503, "api_error"),
      refusal(529, "overloaded_error"),
      refusal(502, "overloaded_error"),
      page(503, "<html>nginx</html>"),
    ];
    for (const first of safe) {
      assert.equal(await requestsAfter(first), 2);
    }
  });

  it("never, when it may have been paid for or cannot succeed", async () => {
    const unsafe = [
      refusal(500, "api_error"),
      refusal(502, "api_error"),
      refusal(504, "timeout_error"),
      page(502, "<html>ngrok</html>"),
      reset,
      (response: Parameters<Reply>[0]) => {
        response.writeHead(200, { "content-length": 1000 });
        response.write('{"ok":true,', () => response.socket?.destroy());
      },
    ];
    const hopeless = [400, 401, 403, 404, 409, 413, 418].map((status) => refusal(status, "odd"));
    for (const first of [...unsafe, ...hopeless, refusal(429, "billing_error")]) {
      assert.equal(await requestsAfter(first), 1);
    }
    for (const first of unsafe) {
      assert.equal(await requestsAfter(first, { retryMaybeBilled: true }), 2);
    }
    for (const first of hopeless) {
      assert.equal(await requestsAfter(first, { retryMaybeBilled: true }), 1);
    }
  });

  it("as x-should-retry says, whatever the status", async () => {
    const wish = (value: string) => ({ "x-should-retry": value });
    assert.equal(await requestsAfter(refusal(504, "timeout_error", "", wish("true"))), 2);
    assert.equal(await requestsAfter(refusal(400, "invalid_request_error", "", wish("true"))), 2);
    assert.equal(await requestsAfter(refusal(503, "api_error", "", wish("false"))), 1);
    assert.equal(await requestsAfter(refusal(503, "api_error", "", wish("toString"))), 2);
  });

  it("at most maxRetries times, with the last word of the relay", async () => {
    for (const [maxRetries, requests] of [
      [0, 1],
      [1, 2],
      [undefined, 3],
      [4, 5],
    ] as const) {
      relay().replies(refusal(529, "overloaded_error"));
      await assert.rejects(client({ maxRetries }).complete(ask), OverloadedError);
      assert.equal(relay().asked.length, requests);
    }
  });

  it("when no connection was made", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as { port: number };
    closed.close();
    await once(closed, "close");
    const lost = client({ url: `http://127.0.0.1:${port}` });
    await assert.rejects(
      lost.complete(ask),
      (error) =>
        error instanceof RelayConnectionError &&
        error.code === "ECONNREFUSED" &&
        error.message.includes(`127.0.0.1:${port}`),
    );
    assert.equal(lost.waits.length, 2);
  });
});

describe("a page fetch or a list of models costs no money, and is repeated", () => {
  it("also after 500, 502, 504 and a broken connection", async () => {
    for (const first of [
      refusal(500, "api_error"),
      refusal(502, "api_error"),
      refusal(504, "timeout_error"),
      reset,
    ]) {
      relay().replies(first, refusal(400, "invalid_request_error"));
      await assert.rejects(client().fetchPage({ url: "https://example.com" }));
      assert.equal(relay().asked.length, 2);
      relay().replies(first, refusal(400, "invalid_request_error"));
      await assert.rejects(client().models());
      assert.equal(relay().asked.length, 2);
    }
  });
});

describe("the wait", () => {
  const waitsAfter = async (headers: Record<string, string>, options = {}) => {
    relay().replies(refusal(429, "rate_limit_error", "Slow down.", headers), text("ok"));
    const asking = client(options);
    const error = await asking.complete(ask).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { waits: asking.waits, error };
  };

  it("has full jitter over doubling steps up to 8 seconds", async () => {
    relay().replies(refusal(503, "api_error"));
    const asking = client({ maxRetries: 7, random: () => 0.5 });
    await assert.rejects(asking.complete(ask));
    assert.deepEqual(asking.waits, [250, 500, 1000, 2000, 4000, 4000, 4000]);
    const eager = client({ random: () => 0 });
    await assert.rejects(eager.complete(ask));
    assert.deepEqual(eager.waits, [0, 0]);
  });

  it("is never shorter than Retry-After, in seconds or as a date by the relay's clock", async () => {
    assert.deepEqual((await waitsAfter({ "retry-after": "7" })).waits, [7250]);
    const date = "Wed, 21 Oct 2015 07:28:00 GMT";
    const dated = { "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", date };
    assert.deepEqual((await waitsAfter(dated)).waits, [30_250]);
    assert.deepEqual((await waitsAfter({ "retry-after": date, date })).waits, [250]);
  });

  it("passes over a Retry-After that makes no sense", async () => {
    for (const value of ["-5", "soon", "", "1e9", "0x10", "Infinity", "99 bottles"]) {
      assert.deepEqual((await waitsAfter({ "retry-after": value })).waits, [250], value);
    }
  });

  it("is not begun when it would take more than a minute, or longer than the call may", async () => {
    const { waits, error } = await waitsAfter({ "retry-after": "61" });
    assert.deepEqual(waits, []);
    assert.ok(error instanceof RateLimitError);
    assert.equal(error.retryAfterSeconds, 61);
    assert.deepEqual((await waitsAfter({ "retry-after": "60" })).waits, [60_250]);
    const hurried = await waitsAfter({ "retry-after": "20" }, { timeoutMs: 10_000 });
    assert.deepEqual(hurried.waits, []);
    assert.ok(hurried.error instanceof RateLimitError);
  });

  it("ends when the caller aborts", async () => {
    relay().replies(refusal(429, "rate_limit_error", "", { "retry-after": "50" }));
    const controller = new AbortController();
    const asking = client({ sleep: undefined }).complete({ ...ask, signal: controller.signal });
    const rejected = assert.rejects(asking, { name: "AbortError" });
    setTimeout(() => controller.abort(), 50);
    await rejected;
    assert.equal(relay().asked.length, 1);
  });
});

describe("the time limit", () => {
  it("ends a call that is not answered, and lets go of it", async () => {
    relay().replies(silence);
    await assert.rejects(
      client().complete({ ...ask, timeoutMs: 50 }),
      (error) =>
        error instanceof RelayTimeoutError &&
        error.type === "timeout_error" &&
        error.status === undefined,
    );
    assert.equal(relay().asked.length, 1);
    await relay().asked[0]?.closed;
  });

  it("covers an answer that trickles", async () => {
    relay().replies((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const trickle = setInterval(() => response.write(" "), 10);
      response.once("close", () => clearInterval(trickle));
    });
    await assert.rejects(client({ timeoutMs: 200 }).complete(ask), RelayTimeoutError);
    await relay().asked[0]?.closed;
  });

  it("covers an error whose body never ends", async () => {
    relay().replies((response) => void response.writeHead(503).write("<html>"));
    await assert.rejects(client({ timeoutMs: 100 }).complete(ask), RelayTimeoutError);
  });
});

describe("the caller's signal", () => {
  it("aborted before, nothing is sent", async () => {
    relay().replies(text("ok"));
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(client().complete({ ...ask, signal }), reason);
    await assert.rejects(client().models({ signal }), reason);
    await assert.rejects(client().fetchPage({ url: "https://example.com", signal }), reason);
    assert.equal(relay().asked.length, 0);
  });

  it("aborted while the relay works, the request ends", async () => {
    const controller = new AbortController();
    relay().replies(() => controller.abort());
    await assert.rejects(client().complete({ ...ask, signal: controller.signal }), {
      name: "AbortError",
    });
    await relay().asked[0]?.closed;
  });
});
