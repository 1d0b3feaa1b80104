/** Upstream's limits are by the minute. */
const minuteMs = 60_000;

/** One of upstream's limits as it was last told, and as it refills since. All times are monotonic milliseconds. */
export class Window {
  limit = 0;
  #remaining = 0;
  #toldAt = 0;
  #wholeAt = 0;

  tell(limit: number, remaining: number, toldAt: number, wholeAt: number): void {
    this.limit = limit;
    this.#remaining = remaining;
    this.#toldAt = toldAt;
    this.#wholeAt = wholeAt;
  }

  /** Takes what upstream has not told of yet. */
  spend(amount: number, now: number): void {
    const wholeAt = Math.max(this.#wholeAt, now) + (amount / this.limit) * minuteMs;
    this.tell(this.limit, this.levelAt(now) - amount, now, wholeAt);
  }

  levelAt(now: number): number {
    return now >= this.#wholeAt
      ? this.limit
      : Math.min(this.limit, this.#remaining + (now - this.#toldAt) * this.#perMs());
  }

  /** Until it holds so much; at most until it is whole. */
  msUntil(amount: number, now: number): number {
    const missing = amount - this.levelAt(now);
    return missing <= 0 ? 0 : Math.min(missing / this.#perMs(), Math.max(0, this.#wholeAt - now));
  }

  /** Evenly; no faster than a minute's limit in a minute, for `reset` comes in whole seconds. */
  #perMs(): number {
    const even = (this.limit - this.#remaining) / (this.#wholeAt - this.#toldAt);
    return Math.min(even, this.limit / minuteMs);
  }
}
