import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ApiError } from "./api-error.ts";
import { createRateLimits } from "./rate-limits.ts";

const start = Date.parse("2026-11-21T12:00:00Z");

const refusal = (take: () => unknown): ApiError => {
  try {
    take();
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return error;
  }
  return assert.fail("it was not refused");
};

describe("an organization's limits", () => {
  it("refill evenly, are told in headers, and are the model's own", () => {
    const time = { ms: start };
    const take = createRateLimits({ requests: 6 }, () => time.ms);
    for (let left = 5; left >= 0; left -= 1) {
      const headers = take("claude-a", 10, 10);
      assert.deepEqual(headers, {
        "anthropic-ratelimit-requests-limit": "6",
        "anthropic-ratelimit-requests-remaining": String(left),
        "anthropic-ratelimit-requests-reset": new Date(start + (6 - left) * 10_000)
          .toISOString()
          .replace(".000", ""),
      });
    }
    const { status, headers, message } = refusal(() => take("claude-a", 10, 10));
    assert.equal(status, 429);
    assert.match(message, /rate limit of 6 requests per minute/);
    assert.equal(headers["retry-after"], "10");
    assert.equal(headers["anthropic-ratelimit-requests-remaining"], "0");
    assert.ok(take("claude-b", 10, 10));
    time.ms += 9_999;
    assert.equal(refusal(() => take("claude-a", 10, 10)).headers["retry-after"], "1");
    time.ms += 1;
    assert.ok(take("claude-a", 10, 10));
  });

  it("count tokens of input before, and of output after they are said", () => {
    const time = { ms: start };
    const take = createRateLimits({ inputTokens: 600, outputTokens: 600 }, () => time.ms);
    take("claude-a", 500, 900);
    const input = refusal(() => take("claude-a", 200, 1));
    assert.match(input.message, /600 input tokens/);
    assert.equal(input.headers["retry-after"], "10");
    const output = refusal(() => take("claude-a", 50, 1));
    assert.match(output.message, /600 output tokens/);
    assert.equal(output.headers["retry-after"], "31");
    time.ms += 60_000;
    assert.ok(take("claude-a", 100_000, 1), "more than a minute's amount passes on a whole one");
  });
});
