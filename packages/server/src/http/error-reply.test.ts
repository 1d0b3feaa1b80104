import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ErrorCode, errorMeanings, type RequestId } from "@claude-relay/contract";
import { Refusal } from "../pipeline/refusal.ts";
import { asRefusal, errorReply } from "./error-reply.ts";

const id = "req_01M7YZMHQTKWWKPHRQEMWPZDY6" as RequestId;

describe("a refusal on the wire", () => {
  it("is Anthropic's envelope, the request id in it and beside it", () => {
    const reply = errorReply(new Refusal("not_found", "No such thing."), id);
    assert.equal(reply.status, 404);
    assert.deepEqual(reply.body, {
      type: "error",
      error: { type: "not_found_error", message: "No such thing." },
      request_id: id,
    });
    assert.deepEqual(reply.headers, {
      "content-type": "application/json",
      "request-id": id,
      "x-relay-error": "not_found",
    });
  });

  it("names its code in a header that no detail can change", () => {
    for (const code of Object.keys(errorMeanings) as ErrorCode[]) {
      const refusal = new Refusal(code, "", { headers: { "x-relay-error": "other" } });
      assert.equal(errorReply(refusal, id).headers["x-relay-error"], code);
    }
  });

  it("says how long to wait, and carries further headers", () => {
    const refusal = new Refusal("rate_limited", "Wait.", {
      retryAfterSeconds: 7,
      headers: { "anthropic-ratelimit-requests-limit": "100" },
    });
    const { headers } = errorReply(refusal, id);
    assert.equal(headers["retry-after"], "7");
    assert.equal(headers["anthropic-ratelimit-requests-limit"], "100");
    assert.equal(headers["x-should-retry"], undefined);
  });

  it("forbids a retry exactly where one is hopeless and clients would try", () => {
    const hopeless = (Object.keys(errorMeanings) as ErrorCode[]).filter(
      (code) => errorReply(new Refusal(code, ""), id).headers["x-should-retry"] === "false",
    );
    assert.deepEqual(hopeless, [
      "credential_invalid",
      "forbidden",
      "update_needed",
      "conflict",
      "over_budget",
    ]);
  });

  it("tells nothing of what broke inside", () => {
    const refusal = asRefusal(new Error("ENOENT: /data/secrets.json"));
    assert.equal(refusal.code, "internal");
    assert.doesNotMatch(refusal.message, /ENOENT|secrets/);
    const own = new Refusal("conflict", "x");
    assert.equal(asRefusal(own), own);
  });
});
