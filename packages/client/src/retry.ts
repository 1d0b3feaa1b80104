import type { RelayError } from "./errors.ts";

/** One attempt that failed, and what decides whether another may follow. */
export type Failure = Readonly<{
  error: RelayError;
  /** Whether the relay can have begun to work (and to pay) for it. */
  reached: "no" | "perhaps";
  /** The answer's `x-should-retry`, which wins over everything else. */
  shouldRetry?: boolean | undefined;
}>;

type RetryRule = Readonly<{
  maxRetries: number;
  /** Whether doing it twice costs nothing: then also what perhaps reached the relay is repeated. */
  repeatable: boolean;
  random: () => number;
}>;

/** A longer Retry-After is for the caller to plan with, not to sleep through. */
const longestRetryAfterSeconds = 60;

/**
 * How many milliseconds to wait before the next attempt; undefined when there is to be none.
 * Full jitter over 0.5 s doubling up to 8 s, on top of what Retry-After asks for.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const waitBeforeRetry = (
  failure: Failure,
  attempt: number,
  rule: RetryRule,
): number | undefined => {
  const retryAfter = failure.error.retryAfterSeconds ?? 0;
  if (attempt >= rule.maxRetries || retryAfter > longestRetryAfterSeconds) {
    return undefined;
  }
  if (!(failure.shouldRetry ?? isSafe(failure, rule.repeatable))) {
    return undefined;
  }
  return retryAfter * 1000 + rule.random() * Math.min(8000, 500 * 2 ** attempt);
};

/**
 * A completion costs money, so it is repeated only when the relay surely did not pay for the first: no
 * connection was made, or it turned the request away (429, 503, overloaded). After 500, 502, 504 or a
 * broken connection the model may have answered, and only what is repeatable is tried again.
 */
const isSafe = ({ error, reached }: Failure, repeatable: boolean): boolean => {
  if (error.type === "billing_error") {
    return false;
  }
  if (error.status === undefined) {
    return error.type === "connection_error" && (reached === "no" || repeatable);
  }
  if (error.type === "overloaded_error" || [429, 503, 529].includes(error.status)) {
    return true;
  }
  return repeatable && [500, 502, 504].includes(error.status);
};

/**
 * Seconds in a Retry-After header, which holds a number or a date (RFC 9110 §10.2.3). A date is read
 * against the answer's own Date, so that a wrong clock here does not matter. Undefined for anything else.
 */
export const retryAfterSeconds = (headers: Headers): number | undefined => {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) {
    return Number(value);
  }
  const date = httpDate(value);
  if (date === undefined) {
    return undefined;
  }
  const now = httpDate(headers.get("date") ?? "") ?? Date.now();
  return Math.max(0, (date - now) / 1000);
};

// Only the one form that servers send; Date.parse alone would take "-1" for a year.
const httpDate = (text: string): number | undefined => {
  const time = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} /.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};
