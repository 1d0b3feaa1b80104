/** The log lines of a request on the line, built only when their level is on. */
import type { Log } from "./log.ts";
import type { Caller, Ingress, Intent, Outcome } from "./types.ts";

export const logIncoming = (log: Log, ingress: Ingress, caller: Caller): void => {
  if (log.isLevelEnabled("info")) {
    log.info(
      { requestId: ingress.id, operation: ingress.operation.kind, [caller.kind]: caller.id },
      "Incoming request",
    );
  }
};

export const logProxying = (log: Log, { id, upstream, operation, model }: Intent): void => {
  if (log.isLevelEnabled("info")) {
    const whom = upstream === "claude-cli" ? "Claude Code" : "Anthropic";
    log.info({ requestId: id, upstream, operation, model }, `Proxying request to ${whom}`);
  }
};

export const logOutcome = (log: Log, outcome: Outcome): void => {
  if (!log.isLevelEnabled("info")) {
    return;
  }
  const { id: requestId, usage, accuracy, status, durationMs, ending } = outcome;
  if (accuracy !== "free") {
    const { inputTokens, outputTokens, cacheReadInputTokens } = usage;
    const cacheCreationInputTokens =
      usage.cacheCreation5mInputTokens + usage.cacheCreation1hInputTokens;
    const cache = { cacheReadInputTokens, cacheCreationInputTokens };
    log.info(
      { requestId, inputTokens, outputTokens, ...cache, ...billed(outcome), accuracy },
      "Usage tracked",
    );
  }
  log.info({ requestId, status, ending, durationMs: Math.round(durationMs) }, "Request completed");
};

const billed = ({ costMicroUsd, priceFlag }: Outcome) =>
  priceFlag === "subscription"
    ? { costMicroUsd: 0, listPriceMicroUsd: costMicroUsd }
    : { costMicroUsd };
