/** What a limit says of one more request. Times are milliseconds from now. */
export type RateDecision = Readonly<{
  allowed: boolean;
  limit: number;
  windowMs: number;
  /** Requests that would still pass at this moment. */
  remaining: number;
  /** Until the limit is whole again. */
  resetMs: number;
  /** Until one more request would pass; 0 when allowed. */
  retryAfterMs: number;
}>;

export type Rate = Readonly<{ max: number; windowMs: number }>;

/** The limits port: so many requests per window, counted by key. Implemented by limits/. */
export interface RateLimiter {
  /** Takes one request; `rate` overrides the limiter's own for this key. */
  take(key: string, rate?: Rate): RateDecision;
  /** Looks without taking. */
  peek(key: string, rate?: Rate): RateDecision;
}
