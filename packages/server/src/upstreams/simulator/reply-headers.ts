const organizationId = "00000000-0000-4000-8000-000000000000";
const windowMs = 60_000;

/** Limits far above what any test sends: the simulator itself never runs out. */
const limits = {
  requests: 1_000_000,
  tokens: 2_000_000_000,
  "input-tokens": 1_000_000_000,
  "output-tokens": 1_000_000_000,
};

type Headers = Readonly<Record<string, string>>;

/** Headers every answer carries. */
export const commonHeaders = (requestId: string): Headers => ({
  "request-id": requestId,
  "anthropic-organization-id": organizationId,
  "cache-control": "no-cache",
});

/** Counts one more request, of so many tokens, and gives the headers that say what is left. */
export type RateLimitHeaders = (inputTokens: number, outputTokens: number) => Headers;

/**
 * Makes the `anthropic-ratelimit-*` headers, counting what was used in the current minute.
 * https://docs.anthropic.com/en/api/rate-limits
 * @param now milliseconds since the epoch
 */
export const createRateLimitHeaders = (now: () => number): RateLimitHeaders => {
  let window = 0;
  let used = { requests: 0, "input-tokens": 0, "output-tokens": 0, tokens: 0 };
  let reset = "";
  return (inputTokens, outputTokens) => {
    const current = Math.floor(now() / windowMs);
    if (current !== window) {
      window = current;
      used = { requests: 0, "input-tokens": 0, "output-tokens": 0, tokens: 0 };
      reset = `${new Date((window + 1) * windowMs).toISOString().slice(0, 19)}Z`;
    }
    used.requests += 1;
    used["input-tokens"] += inputTokens;
    used["output-tokens"] += outputTokens;
    used.tokens += inputTokens + outputTokens;
    return rateLimitHeaders(used, reset);
  };
};

const rateLimitHeaders = (used: typeof limits, reset: string): Headers => {
  const headers: Record<string, string> = {};
  for (const kind of ["requests", "tokens", "input-tokens", "output-tokens"] as const) {
    const name = `anthropic-ratelimit-${kind}`;
    headers[`${name}-limit`] = String(limits[kind]);
    headers[`${name}-remaining`] = String(Math.max(0, limits[kind] - used[kind]));
    headers[`${name}-reset`] = reset;
  }
  return headers;
};
