import type { EpochMs } from "@claude-relay/contract";

/** One moment by both clocks: days are counted by the wall's, waits by the one that never jumps. */
export type Moment = Readonly<{ wall: EpochMs; monotonic: number }>;

/** What has been taken of one limit. All times are whole milliseconds from now, rounded up. */
export interface LimitCounter {
  /** When it was last moved to the end of its table; the table's own. */
  seenAt: number;
  /** Until so much would pass; 0 when it passes now. */
  waitFor(amount: number, max: number, now: Moment): number;
  take(amount: number, now: Moment): void;
  /** The request that took `held` when it asked is over, and used up `kept`. */
  settle(held: number, kept: number, now: Moment, askedAt: EpochMs): void;
  remaining(max: number, now: Moment): number;
  /** Until it is whole again. */
  resetMs(now: Moment): number;
  /** True when a new counter would say the same. */
  isIdle(now: Moment): boolean;
  /** True while it must not be forgotten. */
  isPinned(): boolean;
}
