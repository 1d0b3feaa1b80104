import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createMemoryRateLimiter } from "./memory-rate-limiter.ts";

const limiter = (max: number, windowMs: number) => {
  const clock = { ms: 0 };
  return {
    clock,
    limit: createMemoryRateLimiter({ rate: { max, windowMs }, now: () => clock.ms }),
  };
};

describe("the rate limiter", () => {
  it("lets the whole limit through at once and refuses the next, naming the exact wait", () => {
    const { clock, limit } = limiter(100, 60_000);
    for (let taken = 1; taken <= 100; taken += 1) {
      const decision = limit.take("a");
      assert.equal(decision.allowed, true);
      assert.equal(decision.remaining, 100 - taken);
    }
    const refused = limit.take("a");
    assert.equal(refused.allowed, false);
    assert.equal(refused.retryAfterMs, 600);
    clock.ms += refused.retryAfterMs;
    assert.equal(limit.take("a").allowed, true);
    assert.equal(limit.take("a").allowed, false);
  });

  it("counts each key apart and lets a key have its own limit", () => {
    const { limit } = limiter(1, 1000);
    assert.equal(limit.take("a").allowed, true);
    assert.equal(limit.take("a").allowed, false);
    assert.equal(limit.take("b", { max: 2, windowMs: 1000 }).allowed, true);
    assert.equal(limit.take("b", { max: 2, windowMs: 1000 }).allowed, true);
    assert.equal(limit.take("b", { max: 2, windowMs: 1000 }).allowed, false);
  });

  it("takes nothing when it only looks", () => {
    const { limit } = limiter(1, 1000);
    assert.equal(limit.peek("a").allowed, true);
    assert.equal(limit.peek("a").allowed, true);
    assert.equal(limit.take("a").allowed, true);
    assert.equal(limit.peek("a").allowed, false);
  });

  it("never lets more than twice the limit through in any window, nor less than the limit when idle", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 300 }),
        (max, gaps) => {
          const { clock, limit } = limiter(max, 1000);
          const passed: number[] = [];
          for (const gap of gaps) {
            clock.ms += gap;
            if (limit.take("k").allowed) {
              passed.push(clock.ms);
            }
          }
          for (const start of passed) {
            const within = passed.filter((at) => at >= start && at < start + 1000).length;
            assert.ok(within <= 2 * max);
          }
          clock.ms += 1000;
          for (let taken = 0; taken < max; taken += 1) {
            assert.equal(limit.take("k").allowed, true);
          }
        },
      ),
    );
  });

  it("forgets the longest known keys beyond its bound", () => {
    const clock = { ms: 0 };
    const limit = createMemoryRateLimiter({
      rate: { max: 1, windowMs: 1000 },
      now: () => clock.ms,
      maxKeys: 2,
    });
    limit.take("a");
    limit.take("b");
    limit.take("c");
    assert.equal(limit.peek("a").allowed, true);
    assert.equal(limit.peek("c").allowed, false);
  });
});
