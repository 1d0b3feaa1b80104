import type { LimitCounter, Moment } from "./limit-counter.ts";

/** Sums of rounded intervals may exceed the window by a hair: a millionth of one unit, a microsecond at least. */
const toleranceOf = (emission: number): number => Math.max(emission * 1e-6, 1e-3);

/**
 * So much per window, refilled evenly: the generic cell rate algorithm (ITU-T I.371). One number is kept, the
 * theoretical arrival time: when the limit is whole again.
 */
export class Gcra implements LimitCounter {
  seenAt: number;
  readonly #windowMs: number;
  /** Milliseconds in which one unit refills. */
  readonly #emission: number;
  readonly #tolerance: number;
  #wholeAt: number;

  constructor(max: number, windowMs: number, now: number) {
    this.seenAt = now;
    this.#windowMs = windowMs;
    this.#emission = windowMs / max;
    this.#tolerance = toleranceOf(this.#emission);
    this.#wholeAt = now;
  }

  waitFor(amount: number, max: number, now: Moment): number {
    if (max < 1) {
      return this.#windowMs;
    }
    const behind = this.#behind(now);
    // What is bigger than the whole limit would never pass: it passes on a whole one, into debt.
    const over = amount > max ? behind : behind + amount * this.#emission - this.#windowMs;
    return Math.max(0, Math.ceil(over - this.#tolerance));
  }

  take(amount: number, now: Moment): void {
    this.#wholeAt = now.monotonic + this.#behind(now) + amount * this.#emission;
  }

  settle(held: number, kept: number, now: Moment): void {
    if (kept !== held) {
      this.#wholeAt = now.monotonic + this.#behind(now) + (kept - held) * this.#emission;
    }
  }

  remaining(max: number, now: Moment): number {
    const freeMs = this.#windowMs - this.#behind(now) + this.#tolerance;
    return max < 1 ? 0 : Math.max(0, Math.floor(freeMs / this.#emission));
  }

  resetMs(now: Moment): number {
    return Math.max(0, Math.ceil(this.#behind(now) - this.#tolerance));
  }

  isIdle(now: Moment): boolean {
    return this.#wholeAt <= now.monotonic;
  }

  isPinned(): boolean {
    return false;
  }

  /** Never less than nothing: what is given back late gains nothing. */
  #behind(now: Moment): number {
    return Math.max(0, this.#wholeAt - now.monotonic);
  }
}
