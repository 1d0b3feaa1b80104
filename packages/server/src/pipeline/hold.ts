import type { Admission, Amounts, Limit, Verdict } from "./admission.ts";
import { refusalOf } from "./hold-refusal.ts";
import type { Caller, Clock, Outcome, Usage } from "./types.ts";

export type Granted = Extract<Verdict, { kind: "granted" }>;

/** @throws Refusal when a limit is known to be used up, before the body is read */
export const refuseEarly = (
  admission: Pick<Admission, "refusedAlready">,
  limits: readonly Limit[],
  clock: Clock,
  callerKey?: string,
): void => {
  const verdict = admission.refusedAlready(limits, callerKey);
  if (verdict !== null && verdict.kind !== "granted") {
    throw refusalOf(verdict, clock);
  }
};

/** @throws Refusal `rate_limited`, `over_budget` */
export const demandGrant = (verdict: Verdict, clock: Clock, asker?: Caller["kind"]): Granted => {
  if (verdict.kind !== "granted") {
    throw refusalOf(verdict, clock, asker);
  }
  return verdict;
};

/** What an exchange used, as limits and budgets count it. */
export const usedBy = ({ usage, costMicroUsd, priceFlag }: Outcome): Amounts => {
  const written = usage.cacheCreation5mInputTokens + usage.cacheCreation1hInputTokens;
  return {
    // What a subscription covers costs nothing.
    microUsd: priceFlag === "subscription" ? 0 : costMicroUsd,
    inputTokens: usage.inputTokens + written,
    outputTokens: usage.outputTokens,
    tokens: allTokens(usage),
  };
};

const allTokens = (usage: Usage): number =>
  usage.inputTokens +
  usage.outputTokens +
  usage.cacheReadInputTokens +
  usage.cacheCreation5mInputTokens +
  usage.cacheCreation1hInputTokens;

export const nothingUsed: Amounts = { microUsd: 0, inputTokens: 0, outputTokens: 0, tokens: 0 };
