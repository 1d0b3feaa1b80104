import type { IncomingHttpHeaders } from "node:http";

/** What upstream limits, by the minute. https://docs.anthropic.com/en/api/rate-limits#response-headers */
const limitKinds = ["requests", "input-tokens", "output-tokens", "tokens"] as const;

/** An amount of each of `limitKinds`, in that order. */
export type Amounts = readonly [requests: number, input: number, output: number, tokens: number];

export const noAmounts: Amounts = [0, 0, 0, 0];

export const add = (a: Amounts, b: Amounts): Amounts => [
  a[0] + b[0],
  a[1] + b[1],
  a[2] + b[2],
  a[3] + b[3],
];

export type Told = Readonly<{ limit: number; remaining: number }>;

const names = limitKinds.map((kind) => ({
  limit: `anthropic-ratelimit-${kind}-limit`,
  remaining: `anthropic-ratelimit-${kind}-remaining`,
  reset: `anthropic-ratelimit-${kind}-reset`,
}));

/**
 * What an answer says of one of `limitKinds`; null when it says nothing of use. /!\ Hot path.
 * @param kind an index into `limitKinds`
 */
export const toldOf = (headers: IncomingHttpHeaders, kind: number): Told | null => {
  const name = names[kind];
  if (name === undefined) {
    return null;
  }
  const limit = Number(headers[name.limit]);
  const remaining = Number(headers[name.remaining]);
  return limit > 0 && remaining >= 0 && Number.isFinite(limit)
    ? { limit, remaining: Math.min(limit, remaining) }
    : null;
};

const longestResetMs = 3_600_000;

/**
 * Milliseconds until a limit is whole again, by upstream's own clock where the answer tells it (`date`): ours may
 * differ. 0 when the answer does not say.
 * @param now this host's wall clock
 */
export const resetInMs = (headers: IncomingHttpHeaders, kind: number, now: number): number => {
  const reset = Date.parse(String(headers[names[kind]?.reset ?? ""]));
  const date = Date.parse(String(headers.date));
  const ms = reset - (Number.isNaN(date) ? now : date);
  return ms > 0 ? Math.min(ms, longestResetMs) : 0;
};

/** Milliseconds from a `retry-after` in seconds or as an HTTP date; null without one. */
export const retryAfterMs = (headers: IncomingHttpHeaders, now: number): number | null => {
  const text = headers["retry-after"];
  if (text === undefined) {
    return null;
  }
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1000;
  return ms >= 0 ? Math.min(ms, longestResetMs) : null;
};
