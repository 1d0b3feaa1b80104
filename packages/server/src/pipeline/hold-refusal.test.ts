import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BudgetId, type EpochMs, epochMs } from "@claude-relay/contract";
import type { Budget, Limit, ScopeKind, Verdict } from "./admission.ts";
import { refusalOf } from "./hold-refusal.ts";
import { allAppKeys } from "./owner-ports.ts";
import type { Caller } from "./types.ts";

const now = epochMs(Date.parse("2026-11-21T12:00:00.250Z"));
const clock = { now: () => now, monotonicMs: () => 0 };

const refused = (verdict: Exclude<Verdict, { kind: "granted" }>, asker?: Caller["kind"]) => {
  const { code, message, details } = refusalOf(verdict, clock, asker);
  return { code, message, ...details };
};

const overLimit = (limit: Limit, retryAfterMs: number) =>
  refused({ kind: "over_limit", state: { limit, remaining: 3, resetMs: 9000 }, retryAfterMs });

const rate = (
  kind: "requests" | "input_tokens" | "output_tokens",
  scope: ScopeKind = "device",
  windowMs = 60_000,
): Limit => ({ kind, scope: { kind: scope, id: "x" }, max: 100, windowMs });

describe("over a rate", () => {
  it("the wait is exact, in whole seconds, rounded up, at least one and at most a minute", () => {
    for (const [ms, seconds] of [
      [1, 1],
      [1000, 1],
      [1001, 2],
      [59_001, 60],
      [60_001, 60],
      [3_600_000, 60],
    ] as const) {
      assert.equal(overLimit(rate("requests"), ms).retryAfterSeconds, seconds);
    }
  });

  it("the message names whose limit it is, its size and the true wait, however long", () => {
    const words: [Limit, number, RegExp][] = [
      [rate("requests"), 700, /^This device's limit \(100 per 60 s\) is used up\. Retry in 1 s\.$/],
      [rate("input_tokens", "user"), 2000, /^This user's limit \(100 input tokens per 60 s\)/],
      [rate("output_tokens", "organization"), 2000, /^This organization's .*100 output tokens/],
      [rate("requests", "app_key", 3_600_000), 3_600_000, /^This app key's .*3600 s.*in 3600 s\.$/],
      [rate("requests", "relay"), 1, /^This relay's limit/],
    ];
    for (const [limit, ms, says] of words) {
      const { code, message } = overLimit(limit, ms);
      assert.equal(code, "rate_limited");
      assert.match(message, says);
    }
  });

  it("Anthropic's headers are those of the limit that refused", () => {
    assert.deepEqual(overLimit(rate("requests"), 5000).headers, {
      "anthropic-ratelimit-requests-limit": "100",
      "anthropic-ratelimit-requests-remaining": "3",
      "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:09.250Z",
    });
  });
});

describe("over what is no rate", () => {
  it("a day's calls are not tried again before midnight", () => {
    const limit: Limit = { kind: "requests_per_day", scope: { kind: "user", id: "ann" }, max: 5 };
    const { retryAfterSeconds, headers, message } = overLimit(limit, 43_199_750);
    assert.deepEqual([retryAfterSeconds, headers], [43_200, { "x-should-retry": "false" }]);
    assert.match(
      message,
      /^This user's limit of 5 calls a day \(UTC\) is used up\. It begins anew at midnight UTC; the operator/,
    );
    assert.match(overLimit({ ...limit, max: 1 }, 1).message, /limit of 1 call a day/);
  });

  it("running calls are counted, in good English", () => {
    const limit = (max: number, id = "k"): Limit => ({
      kind: "concurrency",
      scope: { kind: "app_key", id },
      max,
    });
    assert.match(overLimit(limit(1), 1000).message, /^This app key has 1 call running/);
    assert.match(overLimit(limit(2), 1000).message, /^This app key has 2 calls running/);
    assert.match(
      overLimit(limit(9, allAppKeys), 1000).message,
      /^This relay's apps have \(GLOBAL_CONCURRENCY\) 9 calls running/,
    );
  });

  it("counters that cannot be reached are storage that is down, not a limit", () => {
    const { code, retryAfterSeconds } = refused({ kind: "unavailable", retryAfterMs: 1000 });
    assert.deepEqual([code, retryAfterSeconds], ["storage_unavailable", 1]);
  });
});

describe("over a budget", () => {
  const overBudget = (
    more: Partial<Budget>,
    amounts: Readonly<{ held?: number; left: number; wanted: number; resetsAt: EpochMs | null }>,
    asker?: Caller["kind"],
  ) => {
    const budget: Budget = {
      id: "bud_7" as BudgetId,
      scope: { kind: "organization", id: "lab" },
      unit: "micro_usd",
      limit: 5_000_000,
      window: { kind: "month" },
      ...more,
    };
    const { held = 0, left, wanted, resetsAt } = amounts;
    const spent = budget.limit - held - left;
    const state = { budget, held, spent, left, resetsAt };
    return refused({ kind: "over_budget", state, wanted }, asker);
  };
  const december = epochMs(Date.parse("2026-12-01T00:00:00Z"));

  it("the message says which, what is left, what was wanted, and when it resets", () => {
    const { code, message, retryAfterSeconds, headers } = overBudget(
      {},
      { left: 12, wanted: 1_500_000, resetsAt: december },
    );
    assert.equal(code, "over_budget");
    assert.equal(
      message,
      "This organization's budget bud_7 of $5.000000 has $0.000012 left; this request could use $1.500000. It resets at 2026-12-01T00:00:00.000Z. Lower max_tokens, or ask the operator of this relay.",
    );
    // To wait and try again is no remedy.
    assert.equal(retryAfterSeconds, undefined);
    assert.deepEqual(headers, {
      "x-relay-budget": "bud_7",
      "x-relay-budget-left": "12",
      "x-relay-budget-unit": "micro_usd",
      "x-relay-budget-reset": "2026-12-01T00:00:00.000Z",
    });
  });

  it("nobody is advised to lower what it cannot set, or what would be too much anyway", () => {
    const amounts = { left: 1, wanted: 2, resetsAt: december };
    const onlyAsk = /00Z\. Ask the operator of this relay\.$/;
    assert.match(overBudget({}, amounts, "router").message, onlyAsk);
    assert.match(overBudget({}, { ...amounts, left: 0 }, "device").message, onlyAsk);
    assert.match(overBudget({}, amounts, "device").message, /Lower max_tokens/);
  });

  it("what running requests hold is told apart: it may come back", () => {
    const { message } = overBudget(
      { unit: "tokens", limit: 900, scope: { kind: "session", id: "s" } },
      { held: 300, left: 100, wanted: 200, resetsAt: december },
    );
    assert.match(
      message,
      /^This session's budget bud_7 of 900 tokens has 100 tokens left \(300 tokens more is held by requests that still run\); this request could use 200 tokens\./,
    );
  });

  it("one for ever does not reset; a rolling one does bit by bit, and unused has nothing to wait for", () => {
    const total = overBudget({ window: { kind: "total" } }, { left: 1, wanted: 2, resetsAt: null });
    assert.match(total.message, /\$0\.000002\. It does not reset\. Lower/);
    const window = { kind: "rolling", hours: 5 } as const;
    const used = overBudget({ window }, { left: 1, wanted: 2, resetsAt: december });
    assert.match(used.message, / It begins to reset at 2026-12-01T00:00:00\.000Z\. Lower/);
    const unused = overBudget({ window }, { left: 5_000_000, wanted: 6_000_000, resetsAt: null });
    assert.match(unused.message, /could use \$6\.000000\. Lower max_tokens/);
  });
});
