import type { RelayError } from "../errors.ts";
import type { SessionClock } from "./ports.ts";

type Kind = "away" | "signed_out" | "pending";

/** A device that was turned away asks again by itself this seldom. */
export const signedOutRetryMs = 1_800_000;

/** Whoever asks without pause gets the last failure again for so long, instead of asking the relay. */
const sameAnswerMs: Readonly<Record<Kind, number>> = {
  away: 2_000,
  signed_out: 10_000,
  pending: 2_000,
};

/** What came of the last tries to get a token, and when the next one is due. Times are monotonic. */
export class Attempts {
  readonly #clock: SessionClock;
  #last: Readonly<{ kind: Kind; error: RelayError; until: number }> | undefined;
  #retryAt = 0;
  #inRow = 0;
  #succeededAt = Number.NEGATIVE_INFINITY;

  constructor(clock: SessionClock) {
    this.#clock = clock;
  }

  fail(kind: Kind, error: RelayError, retryMs: number): void {
    const now = this.#clock.monotonicMs();
    this.#inRow = this.#last?.kind === kind ? this.#inRow + 1 : 1;
    this.#last = { kind, error, until: now + sameAnswerMs[kind] };
    this.#retryAt = now + retryMs;
  }

  succeed(): void {
    this.forget();
    this.#succeededAt = this.#clock.monotonicMs();
  }

  /** What failed before says nothing about the next try. */
  forget(): void {
    this.#last = undefined;
    this.#inRow = 0;
  }

  /** The same, and the next try is due now: the relay may have done what it did not answer. */
  retryNow(): void {
    this.#inRow = 0;
    if (this.#last !== undefined) {
      this.#retryAt = this.#clock.monotonicMs();
      this.#last = { ...this.#last, until: this.#retryAt };
    }
  }

  /** What to answer without asking the relay again so soon. */
  get error(): RelayError | undefined {
    return this.#last !== undefined && this.#clock.monotonicMs() < this.#last.until
      ? this.#last.error
      : undefined;
  }

  /** Whether the last try failed because the relay is away. */
  get isAway(): boolean {
    return this.#last?.kind === "away";
  }

  /** How many tries in a row came to the same kind of failure. */
  inRow(kind: Kind): number {
    return this.#last?.kind === kind ? this.#inRow : 0;
  }

  /** When to try again in the background; undefined when the last try did not fail. */
  get retryAt(): number | undefined {
    return this.#last === undefined ? undefined : this.#retryAt;
  }

  get sinceSuccess(): number {
    return this.#clock.monotonicMs() - this.#succeededAt;
  }
}
