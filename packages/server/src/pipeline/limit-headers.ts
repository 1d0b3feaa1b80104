import type { EpochMs } from "@claude-relay/contract";
import type { BudgetState, Limit, LimitState, Verdict } from "./admission.ts";

const kinds = {
  requests: "requests",
  input_tokens: "input-tokens",
  output_tokens: "output-tokens",
} as const;

type RateKind = keyof typeof kinds;

/** Anthropic's headers of one limit. https://docs.anthropic.com/en/api/rate-limits#response-headers */
export const limitHeaders = (
  { limit, remaining, resetMs }: LimitState,
  now: EpochMs,
): Readonly<Record<string, string>> => {
  if (!isRate(limit.kind)) {
    return {};
  }
  const name = `anthropic-ratelimit-${kinds[limit.kind]}`;
  return {
    [`${name}-limit`]: String(limit.max),
    [`${name}-remaining`]: String(remaining),
    [`${name}-reset`]: new Date(now + resetMs).toISOString(),
  };
};

const isRate = (kind: Limit["kind"]): kind is RateKind => kind in kinds;

type Granted = Extract<Verdict, { kind: "granted" }>;

/**
 * What a granted request's answer says of what remains: of each kind the caller's tightest limit, where that is
 * tighter than what upstream says of ours, and the money or tokens its tightest budget has left.
 * Takes and gives flat lists of names and values.
 */
export const withRemaining = (headers: string[], granted: Granted, now: EpochMs): string[] => {
  let flat = headers;
  for (const state of tightest(granted.limits)) {
    const name = `anthropic-ratelimit-${kinds[state.limit.kind as RateKind]}`;
    const theirs = numberOf(flat, `${name}-remaining`);
    if (theirs === null || state.remaining < theirs) {
      flat = replaced(flat, limitHeaders(state, now));
    }
  }
  const budget = leastLeft(granted.budgets);
  if (budget !== null) {
    flat.push("x-relay-budget", budget.budget.id, "x-relay-budget-left", String(budget.left));
    flat.push("x-relay-budget-unit", budget.budget.unit);
    if (budget.resetsAt !== null) {
      flat.push("x-relay-budget-reset", new Date(budget.resetsAt).toISOString());
    }
  }
  return flat;
};

/** Of each kind of rate the one with the least remaining. */
const tightest = (limits: readonly LimitState[]): LimitState[] => {
  const least = new Map<Limit["kind"], LimitState>();
  for (const state of limits) {
    const before = least.get(state.limit.kind);
    if (isRate(state.limit.kind) && (before === undefined || state.remaining < before.remaining)) {
      least.set(state.limit.kind, state);
    }
  }
  return [...least.values()];
};

const leastLeft = (budgets: readonly BudgetState[]): BudgetState | null =>
  budgets.reduce<BudgetState | null>(
    (least, state) => (least === null || state.left < least.left ? state : least),
    null,
  );

const numberOf = (flat: readonly string[], name: string): number | null => {
  const at = flat.indexOf(name);
  const value = at < 0 ? Number.NaN : Number(flat[at + 1]);
  return Number.isNaN(value) ? null : value;
};

const replaced = (flat: readonly string[], ours: Readonly<Record<string, string>>): string[] => {
  const kept: string[] = [];
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] ?? "";
    if (!(name in ours)) {
      kept.push(name, flat[index + 1] ?? "");
    }
  }
  for (const [name, value] of Object.entries(ours)) {
    kept.push(name, value);
  }
  return kept;
};
