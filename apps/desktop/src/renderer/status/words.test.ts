import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { BudgetStanding } from "../../bridge/usage.ts";
import { budgetMood, budgetName, remainderWords, tightestBudget } from "./budget-words.ts";
import { countWords, moneyWords } from "./money-words.ts";
import { momentWords, waitWords, whenWords } from "./time-words.ts";

const budget: BudgetStanding = {
  scope: "device",
  unit: "micro_usd",
  window: "day",
  limit: 5_000_000,
  remaining: 1_234_567,
  remainingPercent: 24,
  resetsAt: 1,
};

describe("money", () => {
  it("is shown in dollars, and what is less than a cent still as something", () => {
    assert.equal(moneyWords(0), "$0.00");
    assert.equal(moneyWords(1_234_567), "$1.23");
    assert.equal(moneyWords(1_234_567_890), "$1,234.57");
    assert.equal(moneyWords(1_200), "$0.0012");
    assert.equal(moneyWords(7), "$0.000007");
  });

  it("that was spent is never shown as nothing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 12 }), (microUsd) => {
        assert.match(moneyWords(microUsd), /[1-9]/);
      }),
    );
  });
});

describe("a count", () => {
  it("is whole while it is small", () => {
    assert.deepEqual([0, 9999, 56_700, 1_250_000].map(countWords), ["0", "9,999", "56.7k", "1.3M"]);
  });
});

describe("a budget", () => {
  it("is named by whose it is and how often it resets", () => {
    assert.equal(budgetName(budget), "This device’s daily budget");
    assert.equal(budgetName({ ...budget, scope: "relay", window: "total" }), "The relay’s budget");
    assert.equal(budgetName({ ...budget, window: "5 hours" }), "This device’s 5-hour budget");
  });

  it("says what is left as far as that is told", () => {
    assert.equal(remainderWords(budget), "$1.23 of $5.00 left");
    assert.equal(remainderWords({ ...budget, limit: null, remaining: null }), "24% left");
    const tokens = { ...budget, unit: "tokens", limit: 20_000, remaining: 5_000 } as const;
    assert.equal(remainderWords(tokens), "5,000 of 20.0k tokens left");
  });

  it("that will end first is the tightest", () => {
    const low = { ...budget, remainingPercent: 3 };
    const empty = { ...budget, remainingPercent: 0 };
    assert.equal(tightestBudget([budget, low]), low);
    assert.equal(tightestBudget([]), null);
    assert.deepEqual([budget, low, empty].map(budgetMood), ["fine", "low", "empty"]);
  });
});

describe("a wait", () => {
  it("is never said to be shorter than it is", () => {
    assert.equal(waitWords(0), "0 s");
    assert.equal(waitWords(1), "1 s");
    assert.equal(waitWords(90_000), "90 s");
    assert.equal(waitWords(90_001), "2 min");
    assert.equal(waitWords(5 * 3_600_000 - 1), "5 h");
    assert.equal(waitWords(40 * 3_600_000), "2 days");
  });

  it("tells the moment too, with its day when that is another", () => {
    const now = new Date(2026, 10, 21, 9, 0).getTime();
    assert.equal(momentWords(now + 3_600_000, now, "en-GB"), "10:00");
    assert.match(momentWords(now + 86_400_000, now, "en-GB"), /Sun.*22 Nov.*09:00/);
    assert.equal(whenWords(now - 1, now), "now");
    assert.equal(whenWords(now + 3_600_000, now, "en-GB"), "in 60 min (10:00)");
  });
});
