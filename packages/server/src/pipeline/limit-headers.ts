import type { EpochMs } from "@claude-relay/contract";
import type { BudgetState, LimitState, Verdict } from "./admission.ts";

/** https://docs.anthropic.com/en/api/rate-limits#response-headers */
const namesOf = (kind: string) => ({
  limit: `anthropic-ratelimit-${kind}-limit`,
  remaining: `anthropic-ratelimit-${kind}-remaining`,
  reset: `anthropic-ratelimit-${kind}-reset`,
});

type Names = ReturnType<typeof namesOf>;

const requestNames = namesOf("requests");
const inputNames = namesOf("input-tokens");
const outputNames = namesOf("output-tokens");
/** Of input and output tokens whichever is tighter. */
const tokenNames = namesOf("tokens");

/** Under which names a limit is told; none for what Anthropic has no headers for. */
const namesFor = (kind: LimitState["limit"]["kind"]): readonly Names[] => {
  switch (kind) {
    case "requests":
      return [requestNames];
    case "input_tokens":
      return [inputNames, tokenNames];
    case "output_tokens":
      return [outputNames, tokenNames];
    case "requests_per_day":
    case "concurrency":
      return [];
  }
};

/** Anthropic's headers of the limit that refused. */
export const limitHeaders = (
  { limit, remaining, resetMs }: LimitState,
  now: EpochMs,
): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {};
  for (const names of namesFor(limit.kind)) {
    headers[names.limit] = String(limit.max);
    headers[names.remaining] = String(remaining);
    headers[names.reset] = timeAt(now + resetMs);
  }
  return headers;
};

type Granted = Extract<Verdict, { kind: "granted" }>;

/**
 * Adds to an answer's headers what remains to the caller: of each kind of rate its tightest limit, where that is
 * tighter than what upstream says of ours, and the budget of which the least is left.
 * /!\ Hot path: most callers have one limit and no budget.
 * @param flat names and values, lower case; changed in place
 */
export const addRemaining = (flat: string[], { limits, budgets }: Granted, now: EpochMs): void => {
  let requests: LimitState | null = null;
  let input: LimitState | null = null;
  let output: LimitState | null = null;
  for (const state of limits) {
    switch (state.limit.kind) {
      case "requests":
        requests = tighter(requests, state);
        break;
      case "input_tokens":
        input = tighter(input, state);
        break;
      case "output_tokens":
        output = tighter(output, state);
        break;
      case "requests_per_day":
      case "concurrency":
        break;
    }
  }
  tell(flat, requestNames, requests, now);
  tell(flat, inputNames, input, now);
  tell(flat, outputNames, output, now);
  tell(flat, tokenNames, output === null ? input : tighter(input, output), now);
  if (budgets.length > 0) {
    tellBudget(flat, budgets.reduce(scarcer));
  }
};

const tighter = (known: LimitState | null, state: LimitState): LimitState =>
  known === null || state.remaining < known.remaining ? state : known;

const tell = (flat: string[], names: Names, state: LimitState | null, now: EpochMs): void => {
  if (state === null) {
    return;
  }
  const at = flat.indexOf(names.remaining);
  // Upstream's own limits are the relay's: whichever runs out first is what the caller must know.
  if (at >= 0 && Number(flat[at + 1]) <= state.remaining) {
    return;
  }
  put(flat, names.limit, String(state.limit.max));
  put(flat, names.remaining, String(state.remaining));
  put(flat, names.reset, timeAt(now + state.resetMs));
};

const put = (flat: string[], name: string, value: string): void => {
  const at = flat.indexOf(name);
  if (at < 0) {
    flat.push(name, value);
  } else {
    flat[at + 1] = value;
  }
};

/** Amounts of dollars and of tokens cannot be compared: their shares of the limit can. */
const scarcer = (a: BudgetState, b: BudgetState): BudgetState => (shareOf(b) < shareOf(a) ? b : a);

const shareOf = ({ left, budget }: BudgetState): number =>
  budget.limit === 0 ? 0 : left / budget.limit;

const tellBudget = (flat: string[], { budget, left, resetsAt }: BudgetState): void => {
  flat.push("x-relay-budget", budget.id, "x-relay-budget-left", String(left));
  flat.push("x-relay-budget-unit", budget.unit);
  if (resetsAt !== null) {
    flat.push("x-relay-budget-reset", timeAt(resetsAt));
  }
};

/** The same of the budget that refused. */
export const budgetHeaders = (state: BudgetState): Readonly<Record<string, string>> => {
  const flat: string[] = [];
  tellBudget(flat, state);
  return Object.fromEntries(
    flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ""]] : [])),
  );
};

const timeAt = (ms: number): string => new Date(ms).toISOString();
