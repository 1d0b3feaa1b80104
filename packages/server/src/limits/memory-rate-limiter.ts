import type { Rate, RateDecision, RateLimiter } from "../pipeline/rate-limiter.ts";

type Options = Readonly<{
  rate: Rate;
  /** Monotonic milliseconds: a changed wall clock must not open or close a limit. */
  now: () => number;
  /** Keys kept at most; beyond, whole limits and then the longest known keys are forgotten. */
  maxKeys?: number;
}>;

/**
 * A limit in memory by GCRA (the generic cell rate algorithm, ITU-T I.371): `max` requests at once,
 * refilled evenly over the window. One number a key: the theoretical arrival time, when the limit is whole again.
 */
export const createMemoryRateLimiter = (options: Options): RateLimiter => {
  const { now, maxKeys = 100_000 } = options;
  const arrivals = new Map<string, number>();

  const decide = (key: string, { max, windowMs }: Rate, take: boolean): RateDecision => {
    const at = now();
    const interval = windowMs / max;
    // A hair of tolerance: `max` times a rounded interval may exceed the window.
    const tolerance = windowMs + interval * 1e-6;
    const whole = Math.max(arrivals.get(key) ?? at, at);
    const next = whole + interval;
    const allowed = next - at <= tolerance;
    if (allowed && take) {
      arrivals.set(key, next);
      if (arrivals.size > maxKeys) {
        forget(arrivals, at, maxKeys / 2);
      }
    }
    const used = (allowed && take ? next : whole) - at;
    return {
      allowed,
      limit: max,
      windowMs,
      remaining: Math.max(0, Math.floor((tolerance - used) / interval)),
      resetMs: used,
      retryAfterMs: allowed ? 0 : next - at - windowMs,
    };
  };

  return {
    take: (key, rate = options.rate) => decide(key, rate, true),
    peek: (key, rate = options.rate) => decide(key, rate, false),
  };
};

/** Drops every whole limit, then the longest known ones until no more than `keep` are left. */
const forget = (arrivals: Map<string, number>, at: number, keep: number): void => {
  for (const [key, whole] of arrivals) {
    if (whole <= at) {
      arrivals.delete(key);
    }
  }
  for (const key of arrivals.keys()) {
    if (arrivals.size <= keep) {
      return;
    }
    arrivals.delete(key);
  }
};
