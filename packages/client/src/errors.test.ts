import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import * as client_ from "./index.ts";
import {
  cut,
  errorBody,
  event,
  json,
  page,
  type Reply,
  refusal,
  reset,
  startRelayDouble,
  stream,
  text,
} from "./testing/relay-double.ts";
import { key, withDouble } from "./testing/with-double.ts";

const { relay, client } = withDouble();
const ask = { prompt: "p" };

const failure = async (reply: Reply, options = {}): Promise<client_.RelayError> => {
  relay().replies(reply);
  const error = await client({ maxRetries: 0, ...options })
    .complete(ask)
    .then(
      () => assert.fail("it should have failed"),
      (reason: unknown) => reason,
    );
  assert.ok(error instanceof client_.RelayError);
  return error;
};

describe("an error of the relay", () => {
  const classes = [
    [400, "invalid_request_error", client_.InvalidRequestError],
    [401, "authentication_error", client_.AuthenticationError],
    [403, "permission_error", client_.PermissionDeniedError],
    [404, "not_found_error", client_.NotFoundError],
    [413, "request_too_large", client_.RequestTooLargeError],
    [429, "rate_limit_error", client_.RateLimitError],
    [429, "billing_error", client_.BillingError],
    [502, "api_error", client_.ApiError],
    [502, "overloaded_error", client_.OverloadedError],
    [504, "timeout_error", client_.RelayTimeoutError],
  ] as const;

  for (const [status, type, errorClass] of classes) {
    it(`${status} ${type} is a ${errorClass.name} with all it says`, async () => {
      const error = await failure(refusal(status, type, "What is wrong.", { "retry-after": "3" }));
      assert.ok(error instanceof errorClass);
      assert.equal(error.name, errorClass.name);
      assert.equal(error.message, "What is wrong.");
      const { requestId, retryAfterSeconds } = error;
      assert.deepEqual(
        { status: error.status, type: error.type, requestId, retryAfterSeconds },
        { status, type, requestId: "req_9", retryAfterSeconds: 3 },
      );
    });
  }

  it("of a type nobody knows goes by its status and keeps its type", async () => {
    const error = await failure(refusal(429, "weather_error"));
    assert.ok(error instanceof client_.RateLimitError);
    assert.equal(error.type, "weather_error");
    assert.equal((await failure(refusal(409, "odd"))).name, "InvalidRequestError");
    assert.equal((await failure(refusal(418, "__proto__"))).name, "InvalidRequestError");
  });
});

describe("an error of something in between", () => {
  it("is named by its status, and its page is not repeated", async () => {
    const error = await failure(page(502, "<html>secret page</html>"));
    assert.ok(error instanceof client_.ApiError);
    assert.equal(error.type, "api_error");
    assert.match(error.message, /answered 502 .*text\/html/);
    assert.doesNotMatch(error.message, /secret page/);
    for (const body of ["", "null", "[]", '{"error":null}', '{"error":{"type":1}}', "{"]) {
      assert.ok((await failure(json(500, body))) instanceof client_.ApiError);
    }
  });

  it("names ngrok's own error", async () => {
    const headers = { "ngrok-error-code": "ERR_NGROK_3200" };
    const error = await failure(page(404, "<html>offline</html>", headers));
    assert.ok(error instanceof client_.NotFoundError);
    assert.match(error.message, /ERR_NGROK_3200/);
    const odd = await failure(page(404, "", { "ngrok-error-code": "<script>" }));
    assert.doesNotMatch(odd.message, /script/);
  });

  it("with status 200 is no answer", async () => {
    const error = await failure(page(200, "<html>Welcome</html>"));
    assert.ok(error instanceof client_.UnexpectedAnswerError);
    assert.match(error.message, /text\/html/);
  });
});

describe("a redirect", () => {
  it("is not followed: neither the key nor the prompt reaches another address", async () => {
    const elsewhere = await startRelayDouble();
    try {
      elsewhere.replies(text("stolen"));
      for (const status of [301, 302, 303, 307, 308]) {
        const location = `${elsewhere.url}/v1/complete`;
        const error = await failure(json(status, "", { location }), { maxRetries: 2 });
        assert.ok(error instanceof client_.UnexpectedAnswerError);
        assert.match(error.message, /redirect/);
        assert.equal(relay().asked.length, 1);
      }
      assert.equal(elsewhere.asked.length, 0);
    } finally {
      await elsewhere.close();
    }
  });
});

describe("the key", () => {
  it("is in no error and not in the client, whatever fails", async () => {
    const shown = (value: unknown): string =>
      inspect(value, { depth: 20, showHidden: true, getters: true }) +
      JSON.stringify(value) +
      String(value);
    assert.ok(!shown(client()).includes(key));
    const failing: Reply[] = [
      refusal(401, "authentication_error", `The key ${key} is unknown; ${key}!`),
      page(500, key),
      json(200, `{"key":"${key}"`),
      json(302, "", { location: `https://example.com/${key}` }),
      reset,
      (response) => void response.socket?.end(`HTTP/1.1 900 ${key}\r\n\r\n`),
    ];
    for (const reply of failing) {
      assert.ok(!shown(await failure(reply)).includes(key));
    }
    const streams = [
      stream([event("error", errorBody("api_error", key))]),
      stream([`event: text\ndata: ${key}\n\n`]),
      stream([], cut),
    ];
    for (const reply of streams) {
      relay().replies(reply);
      const error = await client()
        .streamComplete(ask)
        .final()
        .catch((reason: unknown) => reason);
      assert.ok(error instanceof client_.RelayError);
      assert.ok(!shown(error).includes(key));
    }
    const talkative = (_: unknown, init?: RequestInit) =>
      Promise.reject(Object.assign(new Error(JSON.stringify(init?.headers)), { init }));
    assert.ok(!shown(await failure(text(""), { fetch: talkative as typeof fetch })).includes(key));
  });
});
