/** A running exchange, as the sweep sees it. */
export interface Active {
  /** Where it stands in the list; the list's own. */
  slot: number;
  /** Called about once a second with the monotonic time: send pings, mark progress. */
  tick(nowMs: number): void;
  /** Ends the exchange now: the server is going down. */
  abandon(): void;
}

/**
 * All running exchanges: one shared timer instead of one each, and what a drain waits for.
 *
 * An array, not a Set: V8's hash tables, replaced every few additions, each point to the next one and keep
 * what they held. Once one was promoted, all later ones with every exchange in them outlived the young
 * collection, which cost more than the whole rest of a request (measured).
 */
export class ActiveExchanges {
  readonly #running: Active[] = [];
  #whenEmpty: (() => void)[] = [];

  get size(): number {
    return this.#running.length;
  }

  add(exchange: Active): void {
    exchange.slot = this.#running.length;
    this.#running.push(exchange);
  }

  delete(exchange: Active): void {
    const last = this.#running.pop();
    if (last !== undefined && last !== exchange) {
      last.slot = exchange.slot;
      this.#running[exchange.slot] = last;
    }
    if (this.#running.length === 0 && this.#whenEmpty.length > 0) {
      const waiting = this.#whenEmpty;
      this.#whenEmpty = [];
      for (const resolve of waiting) {
        resolve();
      }
    }
  }

  tick(nowMs: number): void {
    // From the end: an exchange that ends in its tick moves another into its place.
    for (let slot = this.#running.length - 1; slot >= 0; slot -= 1) {
      this.#running[slot]?.tick(nowMs);
    }
  }

  abandonAll(): void {
    for (const exchange of [...this.#running]) {
      exchange.abandon();
    }
  }

  /** Resolves when none is running. */
  empty(): Promise<void> {
    if (this.#running.length === 0) {
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
