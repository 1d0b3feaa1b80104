/** A running exchange, as the sweep sees it. */
export interface Active {
  /** Called about once a second with the monotonic time: send pings, mark progress. */
  tick(nowMs: number): void;
  /** Ends the exchange now: the server is going down. */
  abandon(): void;
}

/**
 * All running exchanges: one shared timer instead of one each, and what a drain waits for.
 */
export class ActiveExchanges {
  readonly #running = new Set<Active>();
  #whenEmpty: (() => void)[] = [];

  get size(): number {
    return this.#running.size;
  }

  add(exchange: Active): void {
    this.#running.add(exchange);
  }

  delete(exchange: Active): void {
    this.#running.delete(exchange);
    if (this.#running.size === 0 && this.#whenEmpty.length > 0) {
      const waiting = this.#whenEmpty;
      this.#whenEmpty = [];
      for (const resolve of waiting) {
        resolve();
      }
    }
  }

  tick(nowMs: number): void {
    for (const exchange of this.#running) {
      exchange.tick(nowMs);
    }
  }

  abandonAll(): void {
    for (const exchange of [...this.#running]) {
      exchange.abandon();
    }
  }

  /** Resolves when none is running. */
  empty(): Promise<void> {
    if (this.#running.size === 0) {
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
