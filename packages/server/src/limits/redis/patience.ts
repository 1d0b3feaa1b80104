/** How long a decision may wait. `over` resolves when it has run out. */
export class Patience {
  readonly over: Promise<void>;
  #resolve: () => void = () => {};
  #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = this.#start(ms);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits so long from now instead. */
  extend(ms: number): void {
    if (!this.#isOver) {
      clearTimeout(this.#timer);
      this.#timer = this.#start(ms);
    }
  }

  /** No longer needed. */
  end(): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
  }

  #start(ms: number): NodeJS.Timeout {
    // Once round the loop more: an answer that waits unread because this process was busy is in time.
    return setTimeout(() => setImmediate(() => this.#run()), ms);
  }

  #run(): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#resolve();
    }
  }
}
