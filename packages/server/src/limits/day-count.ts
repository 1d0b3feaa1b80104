import type { EpochMs } from "@claude-relay/contract";
import type { LimitCounter, Moment } from "./limit-counter.ts";

const dayMs = 24 * 3_600_000;

/** Requests of one UTC day. The day before is kept, for a wall clock that is set back over midnight. */
export class DayCount implements LimitCounter {
  seenAt: number;
  #day: number;
  #count: number;
  #otherDay = -1;
  #otherCount = 0;

  constructor(now: Moment, count = 0) {
    this.seenAt = now.monotonic;
    this.#day = dayOf(now);
    this.#count = count;
  }

  waitFor(amount: number, max: number, now: Moment): number {
    return this.#of(now) + amount <= max ? 0 : untilMidnight(now);
  }

  take(amount: number, now: Moment): void {
    const day = dayOf(now);
    if (day !== this.#day) {
      const count = this.#of(now);
      this.#otherDay = this.#day;
      this.#otherCount = this.#count;
      this.#day = day;
      this.#count = count;
    }
    this.#count += amount;
  }

  /** A request that was made stays counted; what is given back is so to the day it was asked on. */
  settle(held: number, kept: number, _now: Moment, askedAt: EpochMs): void {
    const day = dayAt(askedAt);
    if (day === this.#day) {
      this.#count = Math.max(0, this.#count - (held - kept));
    } else if (day === this.#otherDay) {
      this.#otherCount = Math.max(0, this.#otherCount - (held - kept));
    }
  }

  remaining(max: number, now: Moment): number {
    return Math.max(0, max - this.#of(now));
  }

  resetMs(now: Moment): number {
    return this.#of(now) === 0 ? 0 : untilMidnight(now);
  }

  isIdle(now: Moment): boolean {
    return this.#day < dayOf(now);
  }

  isPinned(): boolean {
    return false;
  }

  #of(now: Moment): number {
    const day = dayOf(now);
    return day === this.#day ? this.#count : day === this.#otherDay ? this.#otherCount : 0;
  }
}

const dayAt = (time: EpochMs): number => Math.floor(time / dayMs);

const dayOf = ({ wall }: Moment): number => dayAt(wall);

const untilMidnight = (now: Moment): number => Math.ceil((dayOf(now) + 1) * dayMs - now.wall);
