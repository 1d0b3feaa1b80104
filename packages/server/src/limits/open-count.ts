import type { LimitCounter, Moment } from "./limit-counter.ts";

/** Nobody knows when a running request ends: a guess. */
const guessMs = 1000;

/** Requests that are open now. */
export class OpenCount implements LimitCounter {
  seenAt: number;
  #open = 0;

  constructor(now: Moment) {
    this.seenAt = now.monotonic;
  }

  waitFor(amount: number, max: number): number {
    return this.#open + amount <= max ? 0 : guessMs;
  }

  take(amount: number): void {
    this.#open += amount;
  }

  settle(held: number): void {
    this.#open -= held;
  }

  remaining(max: number): number {
    return Math.max(0, max - this.#open);
  }

  resetMs(): number {
    return this.#open === 0 ? 0 : guessMs;
  }

  isIdle(): boolean {
    return this.#open === 0;
  }

  isPinned(): boolean {
    return this.#open > 0;
  }
}
