import type { Amounts, Budget, Limit } from "../pipeline/admission.ts";

/** Amounts are whole and never negative; anything else means a bug, and is answered with the safe side. */
export const isWhole = (amount: number): boolean => Number.isSafeInteger(amount) && amount >= 0;

/** What of these amounts a budget of this unit counts. */
export const amountOf = (unit: Budget["unit"], amounts: Amounts): number =>
  unit === "tokens" ? amounts.tokens : amounts.microUsd;

/** What a limit takes of a request that asks: its worst case. */
export const heldOf = (limit: Limit, worst: Amounts): number => {
  switch (limit.kind) {
    case "input_tokens":
      return orElse(worst.inputTokens, limit.max);
    case "output_tokens":
      // `max_tokens` is often far above the limit: it must not shut the caller out.
      return Math.min(orElse(worst.outputTokens, limit.max), limit.max);
    case "requests":
    case "requests_per_day":
    case "concurrency":
      return 1;
  }
};

/** What a limit keeps of what it held when the request is over; `null`: upstream was never called. */
export const keptOf = (limit: Limit, held: number, used: Amounts | null): number => {
  switch (limit.kind) {
    case "input_tokens":
      return used === null ? 0 : orElse(used.inputTokens, held);
    case "output_tokens":
      return used === null ? 0 : orElse(used.outputTokens, held);
    case "requests_per_day":
      return used === null ? 0 : held;
    case "requests":
    case "concurrency":
      return held;
  }
};

/** What a budget books of what it held when the request is over. */
export const spentOfHold = (unit: Budget["unit"], held: number, used: Amounts | null): number =>
  used === null ? 0 : orElse(amountOf(unit, used), held);

const orElse = (amount: number, safe: number): number => (isWhole(amount) ? amount : safe);
