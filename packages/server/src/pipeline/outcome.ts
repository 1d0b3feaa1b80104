import { microUsd } from "@claude-relay/contract";
import { isModelCall } from "./operations.ts";
import type { PriceBook } from "./price/pricing.ts";
import type { Accuracy, Ending, Intent, Outcome, Upstream, Usage } from "./types.ts";
import { emptyUsage, type UsageReport } from "./usage/usage.ts";

/** All that is known of an exchange when it is over. */
export type Ended = Readonly<{
  intent: Intent;
  ending: Ending;
  /** What the caller saw. */
  status: number;
  /** What upstream answered; 0 when it did not. */
  upstreamStatus: number;
  /** Whether upstream may have seen the request. */
  sent: boolean;
  report: UsageReport | null;
  durationMs: number;
  firstByteMs: number | null;
  upstreamRequestId: string | null;
  /** Upstream's: what a subscription covers is priced for comparison, and flagged. */
  billing: Upstream["billing"];
}>;

/** The record stage: what the ledger will say of an exchange. */
export const outcomeOf = (ended: Ended, prices: PriceBook): Outcome => {
  const { intent, report } = ended;
  const accuracy = accuracyOf(ended);
  const usage = usageOf(accuracy, report?.usage ?? null, intent);
  const responseModel = report?.responseModel ?? null;
  const price =
    accuracy === "free"
      ? free
      : prices.price({ model: responseModel ?? intent.model ?? "", usage, at: intent.startedAt });
  return {
    id: intent.id,
    status: ended.status,
    accuracy,
    ending: ended.ending,
    durationMs: ended.durationMs,
    firstByteMs: ended.firstByteMs,
    responseModel,
    usage,
    costMicroUsd: price.costMicroUsd,
    priceFlag: ended.billing !== undefined && accuracy !== "free" ? ended.billing : price.flag,
    errorType: report?.errorType ?? null,
    upstreamRequestId: ended.upstreamRequestId,
  };
};

const free = { costMicroUsd: microUsd(0), flag: null };

/** Upstream charges for messages it answered, and may have charged for those it could not finish. */
const accuracyOf = ({ intent, upstreamStatus, sent, ending, report }: Ended): Accuracy => {
  if (!isModelCall(intent.operation) || upstreamStatus >= 300 || !sent) {
    return "free";
  }
  const told = ending === "complete" || ending === "client_left";
  return told && report?.complete === true ? "measured" : "estimated";
};

/** Upstream's own count; where that is missing, the admission's estimate. */
const usageOf = (accuracy: Accuracy, counted: Usage | null, { fallback }: Intent): Usage => {
  if (accuracy === "free") {
    return emptyUsage;
  }
  const usage = counted ?? emptyUsage;
  if (accuracy === "measured") {
    return usage;
  }
  const hasInput = usage.inputTokens > 0 || usage.cacheReadInputTokens > 0;
  return {
    ...usage,
    inputTokens: hasInput ? usage.inputTokens : fallback.inputTokens,
    outputTokens: Math.max(usage.outputTokens, fallback.outputTokens ?? 0),
  };
};
