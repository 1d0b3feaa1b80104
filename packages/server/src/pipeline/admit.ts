import type { RateDecision, RateLimiter } from "./rate-limiter.ts";
import { Refusal } from "./refusal.ts";
import type { BodyFacts, Caller, Clock } from "./types.ts";

/** SDKs and Claude Code give up rather than wait longer than this. */
const longestWaitSeconds = 60;

export type AllowsModel = (model: string) => boolean;

/**
 * Counts one request against the caller's limit.
 * @throws Refusal `rate_limited` with Anthropic's `anthropic-ratelimit-requests-*` headers
 */
export const admitRate = (limiter: RateLimiter, caller: Caller, clock: Clock): void => {
  const { requestsPerMinute } = caller.policy;
  const own = requestsPerMinute === null ? undefined : { max: requestsPerMinute, windowMs: 60_000 };
  // A changed limit starts afresh: what was used of the old one says nothing of the new.
  const key = `${caller.kind}:${caller.id}:${requestsPerMinute ?? ""}`;
  const decision = limiter.take(key, own);
  if (!decision.allowed) {
    throw rateRefusal(decision, clock);
  }
};

const rateRefusal = (decision: RateDecision, clock: Clock): Refusal => {
  const wait = Math.max(1, Math.ceil(decision.retryAfterMs / 1000));
  return new Refusal(
    "rate_limited",
    `This device's limit (${decision.limit} per ${decision.windowMs / 1000} s) is used up. Retry in ${wait} s.`,
    {
      retryAfterSeconds: Math.min(wait, longestWaitSeconds),
      headers: {
        "anthropic-ratelimit-requests-limit": String(decision.limit),
        "anthropic-ratelimit-requests-remaining": String(decision.remaining),
        "anthropic-ratelimit-requests-reset": new Date(
          clock.now() + decision.resetMs,
        ).toISOString(),
      },
    },
  );
};

/**
 * Checks every place a body can name a model against the relay's list and the caller's own.
 * @throws Refusal `model_denied` naming the field; a 400, which clients do not retry
 */
export const admitModels = (
  facts: BodyFacts,
  relayAllows: AllowsModel,
  callerAllows: AllowsModel,
): void => {
  for (const { field, model } of facts.models) {
    admitModel(field, model, relayAllows, callerAllows);
  }
};

export const admitModel = (
  field: string,
  model: string,
  relayAllows: AllowsModel,
  callerAllows: AllowsModel,
): void => {
  if (!relayAllows(model) || !callerAllows(model)) {
    const who = relayAllows(model) ? "this device" : "this relay";
    throw new Refusal(
      "model_denied",
      `${field}: "${model}" is not allowed on ${who}. GET /v1/models lists what is.`,
    );
  }
};
