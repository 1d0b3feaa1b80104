import type { SessionClock } from "./ports.ts";

/**
 * The relay's clock, as well as this machine can tell: its own may be wrong, or be set while the session runs.
 * Epoch milliseconds.
 */
export class RelayTime {
  readonly #clock: SessionClock;
  #offset = 0;
  #isKnown = false;

  constructor(clock: SessionClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.#offset;
  }

  /** How far this machine is behind the relay. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether the relay has told the time. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The relay's time, as an answer just said it. Gives whether that was news. */
  learn(serverTime: number | undefined): boolean {
    if (serverTime === undefined) {
      return false;
    }
    this.#isKnown = true;
    const before = this.#offset;
    const offset = serverTime - this.#clock.now();
    // Answers tell whole seconds and take a while.
    this.#offset = Math.abs(offset) < 5_000 ? 0 : offset;
    return Math.abs(this.#offset - before) > 5_000;
  }

  /** This machine's clock was set by so much, and the relay's was not. */
  clockWasSet(milliseconds: number): void {
    this.#offset -= milliseconds;
  }
}
