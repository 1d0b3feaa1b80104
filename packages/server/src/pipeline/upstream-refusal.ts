import { Refusal } from "./refusal.ts";
import type { UpstreamFailure } from "./types.ts";

/** How an upstream that gave no answer looks to the caller. */
export const refusalFor = (failure: UpstreamFailure): Refusal => {
  switch (failure.kind) {
    case "breaker_open":
      return new Refusal(
        "breaker_open",
        `Circuit breaker is open: upstream failed repeatedly. Retry in ${failure.retryAfterSeconds} s.`,
        { retryAfterSeconds: failure.retryAfterSeconds },
      );
    case "limited":
      return new Refusal(
        "rate_limited",
        `Upstream's rate limit is used up. What it gives is shared fairly among this relay's callers, and yours has had its share. Retry in ${failure.retryAfterSeconds} s.`,
        { retryAfterSeconds: failure.retryAfterSeconds },
      );
    case "unreachable":
      return new Refusal("upstream_unreachable", `Upstream gave no answer: ${failure.message}`);
    case "timeout":
      return new Refusal("upstream_timeout", `Upstream took too long: ${failure.message}`);
  }
};
