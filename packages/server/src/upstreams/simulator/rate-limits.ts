import { ApiError } from "./api-error.ts";

/** What an organization may use a minute, of each model. Left out: without limit. */
export type OrganizationLimits = Readonly<{
  requests?: number;
  inputTokens?: number;
  outputTokens?: number;
}>;

type Headers = Readonly<Record<string, string>>;

/** Takes a request of so many tokens, and gives the headers that say what is left. @throws ApiError 429 */
export type RateLimits = (model: string, inputTokens: number, outputTokens: number) => Headers;

const minuteMs = 60_000;

/** A token bucket, as Anthropic's are: it refills evenly, up to a minute's amount. */
class Bucket {
  readonly #perMinute: number;
  #level: number;
  #at = 0;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#level = perMinute;
  }

  /** Until so much is there; 0 when it is now. More than a minute's amount waits for a whole one. */
  msUntil(amount: number, now: number): number {
    this.#refill(now);
    const missing = Math.min(amount, this.#perMinute) - this.#level;
    return Math.max(0, (missing * minuteMs) / this.#perMinute);
  }

  take(amount: number): void {
    this.#level -= amount;
  }

  headers(kind: string, now: number): Headers {
    this.#refill(now);
    const wholeAt = now + ((this.#perMinute - this.#level) * minuteMs) / this.#perMinute;
    const name = `anthropic-ratelimit-${kind}`;
    return {
      [`${name}-limit`]: String(this.#perMinute),
      [`${name}-remaining`]: String(Math.max(0, Math.floor(this.#level))),
      [`${name}-reset`]: `${new Date(Math.ceil(wholeAt / 1000) * 1000).toISOString().slice(0, 19)}Z`,
    };
  }

  #refill(now: number): void {
    const passed = Math.max(0, now - this.#at);
    this.#level = Math.min(this.#perMinute, this.#level + (passed * this.#perMinute) / minuteMs);
    this.#at = now;
  }
}

const kinds = [
  { name: "requests", words: "requests", of: "requests" },
  { name: "input-tokens", words: "input tokens", of: "inputTokens" },
  { name: "output-tokens", words: "output tokens", of: "outputTokens" },
] as const;

/**
 * Limits of the whole organization, whichever of its keys asks, for each model by itself.
 * https://docs.anthropic.com/en/api/rate-limits
 * @param now milliseconds since the epoch
 */
export const createRateLimits = (limits: OrganizationLimits, now: () => number): RateLimits => {
  const models = new Map<string, Map<string, Bucket>>();
  const bucketsOf = (model: string): Map<string, Bucket> => {
    const known = models.get(model);
    if (known !== undefined) {
      return known;
    }
    const buckets = new Map<string, Bucket>();
    for (const { name, of } of kinds) {
      const perMinute = limits[of];
      if (perMinute !== undefined) {
        buckets.set(name, new Bucket(perMinute));
      }
    }
    models.set(model, buckets);
    return buckets;
  };
  return (model, inputTokens, outputTokens) => {
    const at = now();
    const buckets = bucketsOf(model);
    // Output is not known before it is said: whoever finds any left may begin.
    const wanted = { requests: 1, "input-tokens": inputTokens, "output-tokens": 1 };
    for (const { name, words, of } of kinds) {
      const waitMs = buckets.get(name)?.msUntil(wanted[name], at) ?? 0;
      if (waitMs > 0) {
        throw new ApiError(
          429,
          `This request would exceed your organization's rate limit of ${limits[of]} ${words} per minute.`,
          { ...headersOf(buckets, at), "retry-after": String(Math.ceil(waitMs / 1000)) },
        );
      }
    }
    buckets.get("requests")?.take(1);
    buckets.get("input-tokens")?.take(inputTokens);
    buckets.get("output-tokens")?.take(outputTokens);
    return headersOf(buckets, at);
  };
};

const headersOf = (buckets: ReadonlyMap<string, Bucket>, now: number): Headers =>
  Object.assign({}, ...[...buckets].map(([kind, bucket]) => bucket.headers(kind, now)));
