type Waiting = Readonly<{ callerKey: string; go(): void }>;

/** So many lookups run at once, of one caller one: its slow names hold up its own pages. Others wait in order. */
export class LookupPlaces {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #running = new Set<string>();
  readonly #waiting = new Set<Waiting>();

  constructor(atOnce: number, maxWaiting: number) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
  }

  /** Resolves when it is this one's turn; `leave` must follow. Rejects when the signal aborts, or too many wait. */
  enter(callerKey: string, signal: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>();
    if (signal.aborted) {
      turn.reject(signal.reason);
    } else if (this.#isFree(callerKey)) {
      this.#running.add(callerKey);
      turn.resolve();
    } else if (this.#waiting.size >= this.#maxWaiting) {
      turn.reject(new Error("too many lookups wait"));
    } else {
      this.#wait(callerKey, signal, turn);
    }
    return turn.promise;
  }

  leave(callerKey: string): void {
    this.#running.delete(callerKey);
    for (const waiting of this.#waiting) {
      if (this.#isFree(waiting.callerKey)) {
        this.#waiting.delete(waiting);
        this.#running.add(waiting.callerKey);
        waiting.go();
      }
    }
  }

  #isFree(callerKey: string): boolean {
    return this.#running.size < this.#atOnce && !this.#running.has(callerKey);
  }

  #wait(callerKey: string, signal: AbortSignal, turn: PromiseWithResolvers<void>): void {
    const onAbort = (): void => {
      this.#waiting.delete(waiting);
      turn.reject(signal.reason);
    };
    const waiting: Waiting = {
      callerKey,
      go: () => {
        signal.removeEventListener("abort", onAbort);
        turn.resolve();
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(waiting);
  }
}
