import type { Caller } from "./types.ts";

/** How many model calls apps may make: by key and day, all together by day, and at once. Implemented by limits/. */
export interface AppLimits {
  /**
   * Counts one call and takes its place; null for a caller these limits are not for.
   * @returns what to call when the call is over
   * @throws Refusal `rate_limited` saying which limit, and when it is whole again
   */
  enter(caller: Caller): (() => void) | null;
}
