import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Supply } from "./supply.ts";
import type { Amounts } from "./told-limits.ts";

const one: Amounts = [1, 0, 0, 0];
const wall = Date.parse("2026-11-21T12:00:00Z");

const setUp = (keyCount = 1) => {
  const time = { ms: 1_000 };
  const supply = new Supply({ now: () => wall + time.ms, monotonicMs: () => time.ms }, keyCount);
  const hear = (key: string, status: number, headers: Readonly<Record<string, string>>) =>
    supply.heard(key, status, headers);
  const wait = (amounts = one) => supply.msUntil(amounts, time.ms);
  return { time, supply, hear, wait };
};

/** 60 requests a minute, of which so many are left. */
const left = (remaining: number, more: Readonly<Record<string, string>> = {}) => ({
  "anthropic-ratelimit-requests-limit": "60",
  "anthropic-ratelimit-requests-remaining": String(remaining),
  "anthropic-ratelimit-requests-reset": new Date(
    wall + 1_000 + (60 - remaining) * 1000,
  ).toISOString(),
  ...more,
});

describe("what upstream still gives", () => {
  it("is what it told last and what has come since", () => {
    const { time, hear, wait } = setUp();
    hear("key 1", 200, left(2));
    assert.equal(wait([2, 0, 0, 0]), 0);
    assert.equal(wait([4, 0, 0, 0]), 2_000);
    time.ms += 1_500;
    assert.equal(wait([4, 0, 0, 0]), 500);
    assert.equal(wait([1000, 0, 0, 0]), 56_500, "more than all waits for all");
  });

  it("is less by what is on its way, and by what was let through and not answered for long", () => {
    const { supply, hear, wait } = setUp();
    hear("key 1", 200, left(2));
    supply.sent(one);
    assert.equal(wait([2, 0, 0, 0]), 1_000);
    supply.presume(one);
    assert.equal(wait([2, 0, 0, 0]), 1_000);
    hear("key 1", 200, left(2));
    assert.equal(wait([2, 0, 0, 0]), 0);
  });

  it("is scarce below a quarter of a limit, and until it is whole", () => {
    const { time, supply, hear } = setUp();
    hear("key 1", 200, left(16));
    assert.ok(!supply.isScarce(time.ms));
    supply.passed();
    assert.ok(supply.isScarce(time.ms), "another one would be too many");
    assert.equal(supply.msUntil([17, 0, 0, 0], time.ms), 1_000, "what it told is remembered");
    hear("key 1", 200, left(14));
    assert.ok(supply.isScarce(time.ms));
    assert.ok(supply.isScarce(time.ms + 45_999));
    assert.ok(!supply.isScarce(time.ms + 46_000));
  });

  it("is read by upstream's clock, however wrong ours is", () => {
    const { hear, wait } = setUp();
    const theirs = Date.parse("2031-01-01T00:00:00Z");
    hear("key 1", 200, {
      ...left(0),
      date: new Date(theirs).toUTCString(),
      "anthropic-ratelimit-requests-reset": "2031-01-01T00:01:00Z",
    });
    assert.equal(wait(), 1_000);
  });

  it("is nothing until a refusal is over, and what is tightest of several limits", () => {
    const { time, hear, wait } = setUp();
    hear("key 1", 429, left(0, { "retry-after": "7" }));
    assert.equal(wait(), 7_000);
    time.ms += 7_000;
    assert.equal(wait(), 0);
    hear("key 1", 200, {
      ...left(50),
      "anthropic-ratelimit-input-tokens-limit": "6000",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": new Date(wall + time.ms + 60_000).toISOString(),
    });
    assert.equal(wait([1, 500, 0, 500]), 5_000);
  });

  it("is not less for a call that alone was too large", () => {
    const { time, supply, hear, wait } = setUp();
    hear("key 1", 429, left(50, { "retry-after": "60" }));
    assert.equal(wait(), 0);
    assert.ok(!supply.isScarce(time.ms));
  });

  it("of keys of one organization is the same, of another's its own", () => {
    for (const [organizations, waits] of [
      [["a", "a"], 5_000],
      [["a", "b"], 0],
    ] as const) {
      const { hear, wait } = setUp(2);
      hear("key 1", 200, left(10, { "anthropic-organization-id": organizations[0] }));
      hear("key 2", 200, left(10, { "anthropic-organization-id": organizations[1] }));
      hear(
        "key 1",
        429,
        left(0, { "anthropic-organization-id": organizations[0], "retry-after": "5" }),
      );
      assert.equal(wait(), waits);
    }
  });

  it("may be more while a key was not heard of, but not by one that is rejected", () => {
    const { hear, wait } = setUp(3);
    hear("key 1", 429, { "retry-after": "5" });
    hear("key 2", 401, {});
    assert.equal(wait(), 0);
    hear("key 3", 429, { "retry-after": "9" });
    assert.equal(wait(), 5_000);
    hear("key 2", 200, {});
    assert.equal(wait(), 0, "somebody has mended it");
  });

  it("is taken from no header that makes no sense", () => {
    for (const value of ["", "many", "-1", "NaN", "Infinity", "0"]) {
      const { time, supply, hear, wait } = setUp();
      hear("key 1", 200, {
        "anthropic-ratelimit-requests-limit": value,
        "anthropic-ratelimit-requests-remaining": value,
        "anthropic-ratelimit-requests-reset": value,
      });
      assert.ok(!supply.isScarce(time.ms));
      assert.equal(wait(), 0, value);
      hear("key 1", 429, { "retry-after": value });
      const rest = wait();
      assert.ok(rest >= 0 && rest <= 3_600_000, `${value}: ${rest}`);
    }
  });
});
