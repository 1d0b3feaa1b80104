import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BudgetId, type EpochMs, epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import type { Budget, BudgetState, Limit, LimitState, ScopeKind } from "./admission.ts";
import { addRemaining, limitHeaders } from "./limit-headers.ts";

const now = epochMs(Date.parse("2026-11-21T12:00:00.250Z"));

const state = (
  kind: Limit["kind"],
  remaining: number,
  max = 100,
  scope: ScopeKind = "relay",
): LimitState => ({
  limit: { kind, max, windowMs: 60_000, scope: { kind: scope, id: "" } } as Limit,
  remaining,
  resetMs: 1500,
});

const stateOf = (
  left: number,
  limit: number,
  unit: Budget["unit"] = "micro_usd",
  resetsAt: EpochMs | null = null,
): BudgetState => ({
  budget: {
    id: `bud_${left}_${limit}` as BudgetId,
    scope: { kind: "relay", id: "" },
    unit,
    limit,
    window: { kind: "day" },
  },
  held: 0,
  spent: limit - left,
  left,
  resetsAt,
});

const told = (
  limits: readonly LimitState[],
  budgets: readonly BudgetState[] = [],
  upstreams: readonly string[] = [],
): Record<string, string> => {
  const flat = [...upstreams];
  addRemaining(flat, { kind: "granted", limits, budgets }, now);
  const headers: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] ?? "";
    assert.ok(!(name in headers), `${name} twice`);
    headers[name] = flat[at + 1] ?? "";
  }
  return headers;
};

const three = (kind: string, limit: string, remaining: string, reset: string) => ({
  [`anthropic-ratelimit-${kind}-limit`]: limit,
  [`anthropic-ratelimit-${kind}-remaining`]: remaining,
  [`anthropic-ratelimit-${kind}-reset`]: reset,
});
const soon = "2026-11-21T12:00:01.750Z";

describe("the headers of what remains", () => {
  it("are none for a caller without limits and budgets", () => {
    assert.deepEqual(told([], [], ["request-id", "r"]), { "request-id": "r" });
  });

  it("tell of each kind the limit with the least remaining, and of tokens the tighter kind", () => {
    const limits = [
      state("requests", 7, 50, "device"),
      state("requests", 6, 1000),
      state("input_tokens", 900),
      state("output_tokens", 40, 64),
      state("output_tokens", 41, 60),
      state("requests_per_day", 0),
      state("concurrency", 0),
    ];
    assert.deepEqual(told(limits), {
      ...three("requests", "1000", "6", soon),
      ...three("input-tokens", "100", "900", soon),
      ...three("output-tokens", "64", "40", soon),
      ...three("tokens", "64", "40", soon),
    });
    assert.deepEqual(told([state("input_tokens", 3)]), {
      ...three("input-tokens", "100", "3", soon),
      ...three("tokens", "100", "3", soon),
    });
  });

  it("leave upstream's own where those are as tight or tighter, each kind by itself", () => {
    const upstreams = [
      ...Object.entries(three("requests", "50", "9", "2026-11-21T12:01:00Z")).flat(),
      ...Object.entries(three("tokens", "9000", "8000", "2026-11-21T12:01:00Z")).flat(),
      "content-type",
      "application/json",
    ];
    const before = told([], [], upstreams);
    for (const remaining of [9, 10]) {
      assert.deepEqual(told([state("requests", remaining)], [], upstreams), before);
    }
    assert.deepEqual(told([state("requests", 8), state("input_tokens", 5)], [], upstreams), {
      ...before,
      ...three("requests", "100", "8", soon),
      ...three("input-tokens", "100", "5", soon),
      ...three("tokens", "100", "5", soon),
    });
  });

  it("do not trust a count of upstream's that is none", () => {
    const upstreams = ["anthropic-ratelimit-requests-remaining", "many"];
    assert.deepEqual(
      told([state("requests", 8)], [], upstreams),
      three("requests", "100", "8", soon),
    );
  });

  it("tell the budget with the least share left, whatever its unit", () => {
    const tokens = stateOf(900, 1000, "tokens");
    const dollars = stateOf(5_000_000, 50_000_000, "micro_usd", epochMs(now + 1000));
    for (const budgets of [
      [tokens, dollars],
      [dollars, tokens],
    ]) {
      assert.deepEqual(told([], budgets), {
        "x-relay-budget": "bud_5000000_50000000",
        "x-relay-budget-left": "5000000",
        "x-relay-budget-unit": "micro_usd",
        "x-relay-budget-reset": "2026-11-21T12:00:01.250Z",
      });
    }
    assert.equal(told([], [tokens, stateOf(0, 0)])["x-relay-budget"], "bud_0_0");
    assert.deepEqual(told([], [tokens]), {
      "x-relay-budget": "bud_900_1000",
      "x-relay-budget-left": "900",
      "x-relay-budget-unit": "tokens",
    });
  });

  it("never tell more than remains of any limit, ours or upstream's", () => {
    const kind = fc.constantFrom<Limit["kind"]>("requests", "input_tokens", "output_tokens");
    const remaining = fc.nat(50);
    const limits = fc.array(fc.record({ kind, remaining }), { maxLength: 8 });
    fc.assert(
      fc.property(limits, fc.option(remaining), (ours, theirs) => {
        const name = "anthropic-ratelimit-requests-remaining";
        const headers = told(
          ours.map((one) => state(one.kind, one.remaining)),
          [],
          theirs === null ? [] : [name, String(theirs)],
        );
        const least = (...kinds: Limit["kind"][]) =>
          Math.min(...ours.filter((one) => kinds.includes(one.kind)).map((one) => one.remaining));
        const shown = (of: string) =>
          Number(headers[`anthropic-ratelimit-${of}-remaining`] ?? Infinity);
        assert.equal(shown("requests"), Math.min(least("requests"), theirs ?? Infinity));
        assert.equal(shown("input-tokens"), least("input_tokens"));
        assert.equal(shown("output-tokens"), least("output_tokens"));
        assert.equal(shown("tokens"), least("input_tokens", "output_tokens"));
      }),
    );
  });
});

describe("the headers of a limit that refused", () => {
  it("are Anthropic's, with tokens told twice, and none for what it has no words for", () => {
    assert.deepEqual(limitHeaders(state("requests", 0), now), three("requests", "100", "0", soon));
    assert.deepEqual(limitHeaders(state("output_tokens", 2), now), {
      ...three("output-tokens", "100", "2", soon),
      ...three("tokens", "100", "2", soon),
    });
    assert.deepEqual(limitHeaders(state("concurrency", 0), now), {});
    assert.deepEqual(limitHeaders(state("requests_per_day", 0), now), {});
  });
});
