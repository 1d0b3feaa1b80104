/** How long one probe keeps all others waiting. */
const probePatienceMs = 10_000;

/** Closed: all pass. Open: none pass until the rest is over. Half-open: one probe at a time passes. */
export type BreakerState = "closed" | "open" | "half_open";

export type BreakerSnapshot = Readonly<{
  state: BreakerState;
  consecutiveFailures: number;
  consecutiveSuccesses: number;
  /** Until the next probe may pass; 0 unless open. */
  retryAfterMs: number;
}>;

export type BreakerChange = Readonly<{ from: BreakerState; to: BreakerState; reason: string }>;

type Options = Readonly<{
  failureThreshold?: number;
  successThreshold?: number;
  openMs?: number;
  /** Monotonic milliseconds. */
  now: () => number;
  onChange?: (change: BreakerChange) => void;
}>;

/** A call the breaker let through. Report exactly one result; further ones are ignored. */
export type Passage = Readonly<{
  succeeded(): void;
  failed(reason: string): void;
  /** Neither: the caller left before upstream answered. */
  withdrawn(): void;
}>;

/**
 * Keeps a failing upstream from being hammered: after `failureThreshold` consecutive failures every call
 * fails at once for `openMs`; then single probes pass, and `successThreshold` successes close it again.
 */
export class CircuitBreaker {
  readonly #failureThreshold: number;
  readonly #successThreshold: number;
  readonly #openMs: number;
  readonly #now: () => number;
  readonly #onChange: (change: BreakerChange) => void;
  #state: BreakerState = "closed";
  #failures = 0;
  #successes = 0;
  #openedAt = 0;
  #probing = false;
  #probeStartedAt = 0;
  /** Results of calls let through before the last change of state count no more. */
  #era = 0;

  constructor(options: Options) {
    this.#failureThreshold = options.failureThreshold ?? 5;
    this.#successThreshold = options.successThreshold ?? 2;
    this.#openMs = options.openMs ?? 30_000;
    this.#now = options.now;
    this.#onChange = options.onChange ?? (() => {});
  }

  /** Asks to pass; null when the call must fail now, for `snapshot().retryAfterMs`. */
  enter(): Passage | null {
    if (this.#state === "open" && this.#restLeft() === 0) {
      this.#become("half_open", "the rest is over");
    }
    if (this.#state === "open" || (this.#state === "half_open" && this.#probeIsOut())) {
      return null;
    }
    this.#probing = this.#state === "half_open";
    this.#probeStartedAt = this.#now();
    return this.#passage();
  }

  snapshot(): BreakerSnapshot {
    return {
      state: this.#state,
      consecutiveFailures: this.#failures,
      consecutiveSuccesses: this.#successes,
      retryAfterMs: this.#state === "open" ? this.#restLeft() : 0,
    };
  }

  /** Closes it by hand. */
  reset(reason: string): void {
    this.#failures = 0;
    if (this.#state !== "closed") {
      this.#become("closed", reason);
    }
  }

  #passage(): Passage {
    const era = this.#era;
    let reported = false;
    const once = (report: () => void) => () => {
      if (!reported) {
        reported = true;
        if (era === this.#era) {
          this.#probing = false;
          report();
        }
      }
    };
    let why = "";
    const fail = once(() => this.#fail(why));
    return {
      succeeded: once(() => this.#succeed()),
      failed: (reason) => {
        why = reason;
        fail();
      },
      withdrawn: once(() => {}),
    };
  }

  #succeed(): void {
    this.#failures = 0;
    if (this.#state === "half_open") {
      this.#successes += 1;
      if (this.#successes >= this.#successThreshold) {
        this.#become("closed", `${this.#successes} probes succeeded`);
      }
    }
  }

  #fail(reason: string): void {
    this.#failures += 1;
    if (this.#state === "half_open" || this.#failures >= this.#failureThreshold) {
      this.#become("open", reason);
    }
  }

  #become(to: BreakerState, reason: string): void {
    const from = this.#state;
    this.#state = to;
    this.#era += 1;
    this.#probing = false;
    this.#successes = 0;
    if (to === "open") {
      this.#openedAt = this.#now();
    }
    if (to === "closed") {
      this.#failures = 0;
    }
    this.#onChange({ from, to, reason });
  }

  /** A probe may be a long answer, or never come back: after a while another may pass. */
  #probeIsOut(): boolean {
    return this.#probing && this.#now() - this.#probeStartedAt < probePatienceMs;
  }

  #restLeft(): number {
    return Math.max(0, this.#openedAt + this.#openMs - this.#now());
  }
}
