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

export type BreakerChange = Readonly<{
  from: BreakerState;
  to: BreakerState;
  reason: string;
  /** Another instance found it out; this one was told. */
  told: boolean;
}>;

/** How a breaker stands, for those of other instances. */
export type BreakerNews =
  | { readonly kind: "open"; readonly forMs: number }
  /** A probe is out; for so long at most it keeps others waiting. */
  | { readonly kind: "probing"; readonly successes: number; readonly forMs: number }
  | { readonly kind: "half_open"; readonly successes: number }
  | { readonly kind: "closed" };

type Options = Readonly<{
  failureThreshold?: number;
  successThreshold?: number;
  openMs?: number;
  /** Monotonic milliseconds. */
  now: () => number;
  onChange?: (change: BreakerChange) => void;
  /** Told of all that others must know; never of what was heard from them. */
  onNews?: (news: BreakerNews) => void;
  /**
   * How much longer than the one that opened it an instance rests that was told so, in ms: that one probes first,
   * and the others do not all probe at once.
   */
  standBackMs?: () => number;
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
  readonly #onNews: (news: BreakerNews) => void;
  readonly #standBackMs: () => number;
  #state: BreakerState = "closed";
  #failures = 0;
  #successes = 0;
  #restsUntil = 0;
  #probe: "none" | "here" | "elsewhere" = "none";
  #probeIsOverAt = 0;
  /** Results of calls let through before the last change of state count no more. */
  #era = 0;

  constructor(options: Options) {
    this.#failureThreshold = options.failureThreshold ?? 5;
    this.#successThreshold = options.successThreshold ?? 2;
    this.#openMs = options.openMs ?? 30_000;
    this.#now = options.now;
    this.#onChange = options.onChange ?? (() => {});
    this.#onNews = options.onNews ?? (() => {});
    this.#standBackMs = options.standBackMs ?? (() => 0);
  }

  /** Asks to pass; null when the call must fail now, for `snapshot().retryAfterMs`. */
  enter(): Passage | null {
    if (this.#state === "open" && this.#restLeft() === 0) {
      this.#become("half_open", "the rest is over");
    }
    if (this.#state === "open" || (this.#state === "half_open" && this.#probeIsOut())) {
      return null;
    }
    if (this.#state === "half_open") {
      this.#probe = "here";
      this.#probeIsOverAt = this.#now() + probePatienceMs;
      this.#onNews({ kind: "probing", successes: this.#successes, forMs: probePatienceMs });
    }
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

  /** Closes it by hand, here and elsewhere. */
  reset(reason: string): void {
    this.#failures = 0;
    if (this.#state !== "closed") {
      this.#become("closed", reason);
    }
    this.#onNews({ kind: "closed" });
  }

  /** Goes by what another instance found out. Calls that are on their way then decide nothing any more. */
  hear(news: BreakerNews): void {
    switch (news.kind) {
      case "open":
        this.#turn("open", "another instance opened it");
        this.#restsUntil = this.#now() + news.forMs + this.#standBackMs();
        return;
      case "probing":
        this.#turn("half_open", "another instance probes");
        this.#successes = news.successes;
        if (this.#probe !== "here") {
          this.#probe = "elsewhere";
          this.#probeIsOverAt = this.#now() + news.forMs;
        }
        return;
      case "half_open":
        this.#turn("half_open", "another instance probed");
        this.#successes = news.successes;
        if (this.#probe === "elsewhere") {
          this.#probe = "none";
        }
        return;
      case "closed":
        this.#turn("closed", "another instance closed it");
        this.#failures = 0;
    }
  }

  #passage(): Passage {
    const era = this.#era;
    let reported = false;
    const once = (report: () => void) => () => {
      if (!reported) {
        reported = true;
        if (era === this.#era) {
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
      withdrawn: once(() => this.#endProbe()),
    };
  }

  #succeed(): void {
    this.#failures = 0;
    if (this.#state === "half_open") {
      this.#successes += 1;
      if (this.#successes >= this.#successThreshold) {
        this.#become("closed", `${this.#successes} probes succeeded`);
        this.#onNews({ kind: "closed" });
      } else {
        this.#endProbe();
      }
    }
  }

  #endProbe(): void {
    if (this.#state === "half_open") {
      this.#probe = "none";
      this.#onNews({ kind: "half_open", successes: this.#successes });
    }
  }

  #fail(reason: string): void {
    this.#failures += 1;
    if (this.#state === "half_open" || this.#failures >= this.#failureThreshold) {
      this.#restsUntil = this.#now() + this.#openMs;
      this.#become("open", reason);
      this.#onNews({ kind: "open", forMs: this.#openMs });
    }
  }

  /** As told; nothing when it stands so already. */
  #turn(to: BreakerState, reason: string): void {
    if (this.#state !== to) {
      this.#become(to, reason, true);
    }
  }

  #become(to: BreakerState, reason: string, told = false): void {
    const from = this.#state;
    this.#state = to;
    this.#era += 1;
    this.#probe = "none";
    this.#successes = 0;
    if (to === "closed") {
      this.#failures = 0;
    }
    this.#onChange({ from, to, reason, told });
  }

  /** A probe may be a long answer, or never come back: after a while another may pass. */
  #probeIsOut(): boolean {
    return this.#probe !== "none" && this.#now() < this.#probeIsOverAt;
  }

  #restLeft(): number {
    return Math.max(0, this.#restsUntil - this.#now());
  }
}
