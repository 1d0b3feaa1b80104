import type { Limit, Scope } from "../pipeline/admission.ts";
import { allAppKeys, type PolicyRecord } from "../pipeline/owner-ports.ts";
import type { Rate } from "../pipeline/rate-limiter.ts";
import type { AppKeyCaller, Caller, DeviceCaller, RouterCaller } from "../pipeline/types.ts";

/** The relay's settings for whoever says nothing of its own. */
export type LimitDefaults = Readonly<{
  /** RATE_LIMIT_MAX and RATE_LIMIT_WINDOW_MS: a device's requests. */
  deviceRequests: Rate;
  /** PER_KEY_RPM */
  keyRequestsPerMinute: number;
  /** PER_KEY_DAILY; null for no limit. */
  keyRequestsPerDay: number | null;
  /** CLAUDE_RELAY_ROUTER_RPM */
  routerRequestsPerMinute: number;
  /** GLOBAL_CONCURRENCY: model calls of all app keys at once. */
  globalConcurrency: number;
  /** GLOBAL_DAILY: model calls of all app keys by UTC day; null for no limit. */
  globalDaily: number | null;
}>;

const minuteMs = 60_000;

/**
 * A caller's own limits and those of every policy that applies to it, tightest per scope.
 * @param policies from the caller's own outwards to the relay's
 */
export const callerLimits = (
  caller: Caller,
  policies: readonly PolicyRecord[],
  defaults: LimitDefaults,
): readonly Limit[] => {
  const all = tightest([...ownLimits(caller, defaults), ...policies.flatMap(policyLimits)]);
  // Sorting is stable: within a kind the order of the levels stays.
  return all.sort((a, b) => order[a.kind] - order[b.kind]);
};

const order: Readonly<Record<Limit["kind"], number>> = {
  requests: 0,
  input_tokens: 1,
  output_tokens: 2,
  requests_per_day: 3,
  concurrency: 4,
};

const ownLimits = (caller: Caller, defaults: LimitDefaults): Limit[] => {
  switch (caller.kind) {
    case "device":
      return deviceLimits(caller, defaults);
    case "app_key":
      return keyLimits(caller, defaults);
    case "router":
      return routerLimits(caller, defaults);
  }
};

const deviceLimits = ({ id, policy }: DeviceCaller, defaults: LimitDefaults): Limit[] => {
  const { requestsPerMinute } = policy;
  const rate =
    requestsPerMinute === null
      ? defaults.deviceRequests
      : { max: requestsPerMinute, windowMs: minuteMs };
  return [{ scope: { kind: "device", id }, kind: "requests", ...rate }];
};

const keyLimits = ({ id, policy }: AppKeyCaller, defaults: LimitDefaults): Limit[] => {
  const scope: Scope = { kind: "app_key", id };
  const every: Scope = { kind: "app_key", id: allAppKeys };
  return [
    perMinute(scope, "requests", policy.requestsPerMinute ?? defaults.keyRequestsPerMinute),
    plain(scope, "requests_per_day", policy.requestsPerDay ?? defaults.keyRequestsPerDay),
    plain(every, "requests_per_day", defaults.globalDaily),
    plain(scope, "concurrency", policy.concurrency),
    plain(every, "concurrency", defaults.globalConcurrency),
  ].flat();
};

const routerLimits = ({ id, policy }: RouterCaller, defaults: LimitDefaults): Limit[] =>
  perMinute(
    { kind: "router", id },
    "requests",
    policy.requestsPerMinute ?? defaults.routerRequestsPerMinute,
  );

const policyLimits = ({ scope, ...rules }: PolicyRecord): Limit[] =>
  [
    perMinute(scope, "requests", rules.requestsPerMinute),
    perMinute(scope, "input_tokens", rules.inputTokensPerMinute),
    perMinute(scope, "output_tokens", rules.outputTokensPerMinute),
    plain(scope, "requests_per_day", rules.requestsPerDay),
    plain(scope, "concurrency", rules.concurrency),
  ].flat();

const perMinute = (
  scope: Scope,
  kind: "requests" | "input_tokens" | "output_tokens",
  max: number | null,
): Limit[] => (max === null ? [] : [{ scope, kind, max, windowMs: minuteMs }]);

const plain = (
  scope: Scope,
  kind: "requests_per_day" | "concurrency",
  max: number | null,
): Limit[] => (max === null ? [] : [{ scope, kind, max }]);

/** Of two limits that count the same thing only the lower one can ever refuse. */
const tightest = (limits: readonly Limit[]): Limit[] => {
  const byCounter = new Map<string, Limit>();
  for (const limit of limits) {
    const window = "windowMs" in limit ? limit.windowMs : "";
    const counter = `${limit.kind}:${window}:${limit.scope.kind}:${limit.scope.id}`;
    const known = byCounter.get(counter);
    if (known === undefined || limit.max < known.max) {
      byCounter.set(counter, limit);
    }
  }
  return [...byCounter.values()];
};
