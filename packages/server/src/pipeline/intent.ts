import { microUsd } from "@claude-relay/contract";
import type { Asked } from "./asked.ts";
import type { ForwardingDeps } from "./forwarding.ts";
import { isModelCall } from "./operations.ts";
import type { BodyFacts, Caller, Ingress, Intent } from "./types.ts";
import { emptyUsage, estimateInputTokens } from "./usage/usage.ts";

type IntentDeps = Pick<ForwardingDeps, "upstream" | "prices">;

/** What is written down of a request before it is sent, and what it counts for if no more is heard of it. */
export const intentOf = (
  deps: IntentDeps,
  ingress: Ingress,
  caller: Caller,
  { body, facts, sessionId, worst }: Asked,
): Intent => {
  const { operation, startedAt } = ingress;
  const bodyBytes = body?.length ?? 0;
  const charged = isModelCall(operation.kind) && facts !== null;
  return {
    id: ingress.id,
    startedAt,
    operation: operation.kind,
    callerKind: caller.kind,
    callerId: caller.id,
    userId: caller.userId,
    organizationId: caller.organizationId,
    sessionId,
    model: facts?.model ?? (operation.kind === "get_model" ? operation.model : null),
    stream: facts?.stream ?? false,
    bodyBytes,
    upstream: deps.upstream.name,
    holdMicroUsd: microUsd(worst.microUsd),
    fallback: charged ? estimate(deps, facts, bodyBytes, ingress) : unbilled,
  };
};

const nothing = microUsd(0);
const unbilled: Intent["fallback"] = {
  inputTokens: 0,
  outputTokens: 0,
  costMicroUsd: nothing,
  accuracy: "free",
};

/**
 * An answer in one piece may be written, and billed, to its end before we hear of it: of one that never comes all
 * of `max_tokens` is taken for used. A stream says what it has used from its first event on.
 */
const estimate = (
  deps: IntentDeps,
  { model, stream, maxTokens }: BodyFacts,
  bodyBytes: number,
  ingress: Ingress,
): Intent["fallback"] => {
  const inputTokens = estimateInputTokens(bodyBytes);
  const outputTokens = stream ? 0 : (maxTokens ?? 0);
  const usage = { ...emptyUsage, inputTokens, outputTokens };
  const { costMicroUsd } = deps.prices.price({ model, usage, at: ingress.startedAt });
  const billed = deps.upstream.billing !== "subscription";
  return {
    inputTokens,
    outputTokens,
    costMicroUsd: billed ? costMicroUsd : nothing,
    accuracy: "estimated",
  };
};
