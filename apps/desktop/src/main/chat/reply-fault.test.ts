import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { APIConnectionError, APIConnectionTimeoutError, APIError } from "@anthropic-ai/sdk";
import {
  RelayConnectionError,
  RelayError,
  SignedOutError,
  WaitingForApprovalError,
} from "@claude-relay/client/device";
import type { ReplyFault } from "../../bridge/conversation.ts";
import { faultBeforeText, faultInStream, isTokenRefused } from "./reply-fault.ts";

const now = Date.parse("2026-11-21T12:00:00Z");
const asked = { model: "claude-one", now, secrets: [] };

type Answer = Readonly<{
  status?: number;
  type?: string;
  message?: string;
  headers?: Record<string, string>;
}>;

const refusal = ({ status, type, message = "Words.", headers = {} }: Answer): APIError =>
  APIError.generate(
    status,
    type === undefined ? undefined : { type: "error", error: { type, message } },
    undefined,
    new Headers(headers),
  );

const upstreams = { "x-relay-upstream": "anthropic" };
const relays = (code: string) => ({ "x-relay-error": code });

describe("a refusal", () => {
  const cases: readonly [what: string, answer: Answer, kind: ReplyFault["kind"]][] = [
    [
      "over budget",
      { status: 429, type: "billing_error", headers: relays("over_budget") },
      "capped",
    ],
    ["over budget, of an older relay", { status: 429, type: "billing_error" }, "capped"],
    ["Anthropic's bill", { status: 402, type: "billing_error", headers: upstreams }, "other"],
    [
      "breaker",
      { status: 503, type: "api_error", headers: relays("breaker_open") },
      "breaker_open",
    ],
    [
      "limit",
      { status: 429, type: "rate_limit_error", headers: relays("rate_limited") },
      "rate_limited",
    ],
    [
      "limit of Anthropic's",
      { status: 429, type: "rate_limit_error", headers: upstreams },
      "rate_limited",
    ],
    ["overloaded", { status: 529, type: "overloaded_error", headers: upstreams }, "overloaded"],
    [
      "model",
      { status: 400, type: "invalid_request_error", headers: relays("model_denied") },
      "model_denied",
    ],
    ["unknown model", { status: 404, type: "not_found_error", headers: upstreams }, "model_denied"],
    ["size", { status: 413, type: "request_too_large" }, "too_large"],
    ["size, by a proxy", { status: 413 }, "too_large"],
    [
      "a prompt that is too long",
      {
        ...{ status: 400, type: "invalid_request_error", headers: upstreams },
        message: "prompt is too long: 210000 tokens > 200000 maximum",
      },
      "too_large",
    ],
    [
      "version",
      { status: 403, type: "permission_error", headers: relays("update_needed") },
      "update_needed",
    ],
    [
      "token",
      { status: 401, type: "authentication_error", headers: relays("credential_expired") },
      "signed_out",
    ],
    ["disabled, by an older relay", { status: 403, type: "permission_error" }, "signed_out"],
    ["the relay's own key", { status: 403, type: "permission_error", headers: upstreams }, "other"],
    ["draining", { status: 503, type: "api_error", headers: relays("draining") }, "offline"],
    [
      "storage",
      { status: 503, type: "api_error", headers: relays("storage_unavailable") },
      "other",
    ],
    [
      "a body",
      { status: 400, type: "invalid_request_error", headers: relays("invalid_request") },
      "invalid_request",
    ],
    ["a page", { status: 502 }, "other"],
    ["a limit, by a proxy", { status: 429 }, "rate_limited"],
    [
      "a code nobody knows",
      { status: 418, type: "teapot_error", headers: relays("teapot") },
      "other",
    ],
  ];
  for (const [what, answer, kind] of cases) {
    it(`for ${what} is ${kind}`, () => {
      const fault = faultBeforeText(refusal(answer), asked);
      assert.equal(fault.kind, kind);
      assert.ok(fault.message.length > 5);
    });
  }

  it("says when to try again: in seconds or by a date, else nothing", () => {
    const retryAt = (value?: string): number | null => {
      const headers = { ...relays("rate_limited"), ...(value && { "retry-after": value }) };
      return faultBeforeText(refusal({ status: 429, type: "rate_limit_error", headers }), asked)
        .retryAt;
    };
    assert.equal(retryAt("30"), now + 30_000);
    assert.equal(retryAt("Sat, 21 Nov 2026 12:01:00 GMT"), now + 60_000);
    assert.equal(retryAt("soon"), null);
    assert.equal(retryAt(), null);
  });

  it("for a budget says what is left and when that resets, if it does", () => {
    const capped = (more: Record<string, string>) => {
      const standing = Object.entries(more).map(([name, value]) => [
        `x-relay-budget-${name}`,
        value,
      ]);
      const headers = { ...relays("over_budget"), ...Object.fromEntries(standing) };
      const message = "This device's budget bud_7 has nothing left.";
      return faultBeforeText(
        refusal({ status: 429, type: "billing_error", headers, message }),
        asked,
      );
    };
    const reset = "2026-11-22T00:00:00.000Z";
    const money = capped({ left: "1200", unit: "micro_usd", reset });
    assert.equal(money.retryAt, Date.parse(reset));
    assert.match(money.message, /^\$0\.0012 are left of it/);
    assert.match(
      capped({ left: "12000", unit: "tokens" }).message,
      /^12,000 tokens are left of it/,
    );
    assert.equal(capped({ left: "0", unit: "tokens" }).retryAt, null);
    assert.equal(capped({ reset: "soon" }).retryAt, null);
    assert.equal(capped({}).message, "This device's budget bud_7 has nothing left.");
  });

  it("is shown on one line, not too long, in the relay's words", () => {
    const message = `Ask\nthe\u202e operator ${"x".repeat(5000)}`;
    const fault = faultBeforeText(refusal({ status: 500, type: "api_error", message }), asked);
    assert.match(fault.message, /^Ask the {2}operator x+$/);
    assert.ok(fault.message.length <= 500);
  });

  it("of the token is the relay's 401, and not Anthropic's", () => {
    const of = (answer: Answer): boolean => isTokenRefused(refusal(answer));
    assert.ok(
      of({ status: 401, type: "authentication_error", headers: relays("credential_expired") }),
    );
    assert.ok(of({ status: 401, type: "authentication_error" }));
    assert.ok(!of({ status: 401, type: "authentication_error", headers: upstreams }));
    assert.ok(!of({ status: 403, type: "permission_error" }));
    assert.ok(!isTokenRefused(new Error("401")));
  });
});

describe("a request that came to nothing", () => {
  const update = new SignedOutError("Update the app.", "update_needed");

  it("asks people for their code, and not programs for a field", () => {
    const wanted = new SignedOutError("enrollment_code is required: ask …", "enrollment_code");
    assert.match(faultBeforeText(wanted, asked).message, /Ask its operator for one/);
  });

  const cases: readonly [error: unknown, kind: ReplyFault["kind"]][] = [
    [new SignedOutError("A code is wanted.", "enrollment_code"), "signed_out"],
    [update, "update_needed"],
    [new WaitingForApprovalError("device-1", "AB CD"), "signed_out"],
    [new RelayConnectionError("No connection.", "ECONNREFUSED"), "offline"],
    [new RelayError("Odd.", { type: "unexpected_answer" }), "other"],
    [new APIConnectionError({ message: "x" }), "offline"],
    [new APIConnectionTimeoutError(), "offline"],
    [new TypeError("a secret"), "other"],
    [undefined, "other"],
  ];
  for (const [error, kind] of cases) {
    it(`by ${error instanceof Error ? error.constructor.name : error} is ${kind}`, () => {
      const fault = faultBeforeText(error, asked);
      assert.equal(fault.kind, kind);
      assert.doesNotMatch(fault.message, /secret/);
    });
  }
});

describe("a stream that breaks", () => {
  it("is broken off, in the words of its last event if it had one", () => {
    const body = { type: "error", error: { type: "api_error", message: "Upstream broke off." } };
    const said = new APIError(undefined, body, undefined, new Headers(), null);
    assert.deepEqual(faultInStream(said, []), {
      ...{ kind: "broken_off", message: "Upstream broke off.", retryAt: null },
    });
    const fragment = new APIError(
      undefined,
      '{"delta":"hal\n{}' as never,
      undefined,
      undefined,
      null,
    );
    assert.match(faultInStream(fragment, []).message, /^The connection broke/);
    assert.match(faultInStream(new TypeError("terminated"), []).message, /^The connection broke/);
  });

  it("is overloaded when Anthropic says so", () => {
    const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    const said = new APIError(undefined, body, undefined, new Headers(), "overloaded_error");
    assert.equal(faultInStream(said, []).kind, "overloaded");
  });
});
