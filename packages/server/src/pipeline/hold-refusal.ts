import type { Budget, BudgetState, Limit, LimitState, Scope, Verdict } from "./admission.ts";
import { budgetHeaders, limitHeaders } from "./limit-headers.ts";
import { allAppKeys } from "./owner-ports.ts";
import { Refusal } from "./refusal.ts";
import type { Caller, Clock } from "./types.ts";

/** How long a request waited in this relay, in milliseconds. */
export const queuedHeader = "x-relay-queued-ms";

/** SDKs and Claude Code give up rather than wait longer than this. */
const longestWaitSeconds = 60;

/**
 * How a verdict that is not a grant looks to the caller: which limit or budget, what is left, when it resets.
 * @param asker so that nobody is advised what it cannot do
 */
export const refusalOf = (
  verdict: Exclude<Verdict, { kind: "granted" }>,
  clock: Clock,
  asker?: Caller["kind"],
): Refusal => {
  switch (verdict.kind) {
    case "over_limit":
      return overLimit(verdict.state, seconds(verdict.retryAfterMs), clock, verdict.queuedMs);
    case "over_budget":
      return overBudget(verdict.state, verdict.wanted, asker);
    case "unavailable":
      return new Refusal(
        "storage_unavailable",
        "The relay cannot check its budgets now, so it does not spend from them. Please retry.",
        { retryAfterSeconds: seconds(verdict.retryAfterMs) },
      );
  }
};

const overLimit = (
  state: LimitState,
  wait: number,
  clock: Clock,
  queuedMs: number | undefined,
): Refusal => {
  const { limit } = state;
  switch (limit.kind) {
    case "requests":
    case "input_tokens":
    case "output_tokens":
      return new Refusal(
        "rate_limited",
        `${whose(limit)} limit (${limit.max}${units[limit.kind]} per ${limit.windowMs / 1000} s) is used up. Retry in ${wait} s.`,
        {
          retryAfterSeconds: Math.min(wait, longestWaitSeconds),
          headers: limitHeaders(state, clock.now()),
        },
      );
    case "requests_per_day":
      // Midnight is out of any client's patience: this spares it the attempts.
      return new Refusal(
        "rate_limited",
        `${whose(limit)} limit of ${calls(limit.max)} a day (UTC) is used up. It begins anew at midnight UTC; the operator of this relay can raise it.`,
        { retryAfterSeconds: wait, headers: { "x-should-retry": "false" } },
      );
    case "concurrency":
      return new Refusal(
        "rate_limited",
        `${who(limit)} ${calls(limit.max)} running, which is the limit. Retry when one is over.`,
        {
          retryAfterSeconds: wait,
          ...(queuedMs !== undefined && { headers: { [queuedHeader]: String(queuedMs) } }),
        },
      );
  }
};

const calls = (count: number): string => `${count} ${count === 1 ? "call" : "calls"}`;

const units = {
  requests: "",
  input_tokens: " input tokens",
  output_tokens: " output tokens",
} as const;

const isAllAppKeys = ({ kind, id }: Scope): boolean => kind === "app_key" && id === allAppKeys;

const whose = ({ scope }: Limit): string =>
  isAllAppKeys(scope) ? "This relay's (GLOBAL_DAILY)" : `This ${words[scope.kind]}'s`;

const who = ({ scope }: Limit): string =>
  isAllAppKeys(scope)
    ? "This relay's apps have (GLOBAL_CONCURRENCY)"
    : `This ${words[scope.kind]} has`;

const words = {
  relay: "relay",
  organization: "organization",
  user: "user",
  device: "device",
  app_key: "app key",
  router: "router",
  session: "session",
} as const;

const overBudget = (
  state: BudgetState,
  wanted: number,
  asker: Caller["kind"] | undefined,
): Refusal => {
  const { budget, held, left, resetsAt } = state;
  const { scope, id, limit, unit } = budget;
  const shown = (amount: number): string =>
    unit === "micro_usd" ? `$${(amount / 1_000_000).toFixed(6)}` : `${amount} tokens`;
  const waiting = held > 0 ? ` (${shown(held)} more is held by requests that still run)` : "";
  // What a router asks, and how much of an answer it wants, is the relay's choice. Of nothing, less is too much.
  const remedy =
    asker === "router" || left <= 0
      ? "Ask the operator of this relay."
      : "Lower max_tokens, or ask the operator of this relay.";
  return new Refusal(
    "over_budget",
    `This ${words[scope.kind]}'s budget ${id} of ${shown(limit)} has ${shown(left)} left${waiting}; this request could use ${shown(wanted)}. ${resets(budget, resetsAt)}${remedy}`,
    { headers: budgetHeaders(state) },
  );
};

/** A rolling window of which nothing is used has nothing to wait for: the request alone is too much. */
const resets = ({ window }: Budget, at: BudgetState["resetsAt"]): string => {
  if (at !== null) {
    return `It ${window.kind === "rolling" ? "begins to reset" : "resets"} at ${new Date(at).toISOString()}. `;
  }
  return window.kind === "total" ? "It does not reset. " : "";
};

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));
