import type { Door } from "@claude-relay/contract";
import type { ScopeKind } from "./admission.ts";
import { callerKey } from "./caller-key.ts";
import type { Rate, RateDecision, RateLimiter } from "./rate-limiter.ts";
import { Refusal } from "./refusal.ts";
import type { BodyFacts, Caller, Clock, Policy } from "./types.ts";

/** SDKs and Claude Code give up rather than wait longer than this. */
const longestWaitSeconds = 60;

export type AllowsModel = (model: string) => boolean;

/** Who asks for a model, and what all levels above it say together. */
export type ModelAsker = Readonly<{
  kind: Caller["kind"];
  allows: AllowsModel;
  /** Of a model that `allows` leaves out: the level that does. */
  deniedBy: (model: string) => ScopeKind;
}>;

/** @throws Refusal `forbidden` when the caller's key is for other doors */
export const admitDoor = (caller: Caller, door: Door | null): void => {
  if (door !== null && caller.kind === "app_key" && caller.policy.doors?.includes(door) === false) {
    throw new Refusal(
      "forbidden",
      `This app key is not for ${doorNames[door]}. Ask the operator of this relay to allow it there.`,
    );
  }
};

const doorNames: Readonly<Record<Door, string>> = {
  messages: "the Messages API (/v1/messages)",
  complete: "/v1/complete",
  fetch: "/v1/fetch",
};

/**
 * Counts one request against the caller's limit.
 * @throws Refusal `rate_limited` with Anthropic's `anthropic-ratelimit-requests-*` headers
 */
export const admitRate = (
  limiter: RateLimiter,
  caller: Caller,
  clock: Clock,
  rate: Rate | undefined = ownRate(caller.policy),
): void => {
  // A changed limit starts afresh: what was used of the old one says nothing of the new.
  const decision = limiter.take(`${callerKey(caller)}:${rate?.max ?? ""}`, rate);
  if (!decision.allowed) {
    throw rateRefusal(decision, caller, clock);
  }
};

const ownRate = ({ requestsPerMinute }: Policy): Rate | undefined =>
  requestsPerMinute === null ? undefined : { max: requestsPerMinute, windowMs: 60_000 };

const callerWords = { device: "device", app_key: "app key", router: "router" } as const;

const rateRefusal = (decision: RateDecision, caller: Caller, clock: Clock): Refusal => {
  const wait = Math.max(1, Math.ceil(decision.retryAfterMs / 1000));
  return new Refusal(
    "rate_limited",
    `This ${callerWords[caller.kind]}'s limit (${decision.limit} per ${decision.windowMs / 1000} s) is used up. Retry in ${wait} s.`,
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
 * Checks every place a body can name a model against the relay's list and those of the caller and its owners.
 * @throws Refusal `model_denied` naming the field; a 400, which clients do not retry
 */
export const admitModels = (
  facts: BodyFacts,
  relayAllows: AllowsModel,
  asker: ModelAsker,
): void => {
  for (const { field, model } of facts.models) {
    admitModel(field, model, relayAllows, asker);
  }
};

export const admitModel = (
  field: string,
  model: string,
  relayAllows: AllowsModel,
  asker: ModelAsker,
): void => {
  const byRelay = !relayAllows(model);
  if (byRelay || !asker.allows(model)) {
    const level = byRelay ? null : asker.deniedBy(model);
    throw new Refusal("model_denied", deniedWords(field, model, level, asker.kind));
  }
};

/**
 * A router names no model itself, and cannot list any.
 * @param level whose policy denies it; null for ALLOWED_MODELS
 */
const deniedWords = (
  field: string,
  model: string,
  level: ScopeKind | null,
  kind: Caller["kind"],
): string => {
  if (kind === "router") {
    const whose = level === null ? "ALLOWED_MODELS" : policyOf(level);
    return `The relay asks ${model} for routers (CLAUDE_RELAY_ROUTER_MODEL), which ${whose} does not allow: its operator can change either.`;
  }
  return `${field}: "${model}" is not allowed ${placeOf(level, kind)}. GET /v1/models lists what is; the operator of this relay can change it.`;
};

const policyOf = (level: ScopeKind): string => {
  switch (level) {
    case "user":
    case "organization":
      return `the policy of this router's ${level}`;
    case "relay":
      return "the relay's policy";
    default:
      return "this router's policy";
  }
};

const placeOf = (level: ScopeKind | null, kind: Caller["kind"]): string => {
  switch (level) {
    case "user":
    case "organization":
      return `by the policy of this ${callerWords[kind]}'s ${level}`;
    case "relay":
    case null:
      return "on this relay";
    default:
      return `on this ${callerWords[kind]}`;
  }
};
