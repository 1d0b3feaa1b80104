/** A place among the running calls, or in the queue for one. */
export interface Ticket {
  /** Gives the place back, or leaves the queue. Once. */
  leave(): void;
}

type Waiting = () => void;

/** So many calls run at once, so many more wait their turn in order, and the rest is refused. */
export class Slots {
  readonly #limit: number;
  readonly #queueLimit: number;
  readonly #queue = new Set<Waiting>();
  #running = 0;

  constructor(limit: number, queueLimit: number) {
    this.#limit = limit;
    this.#queueLimit = queueLimit;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /**
   * @param run called once, at once or when it is this one's turn
   * @returns null when the queue is full
   */
  enter(run: () => void): Ticket | null {
    if (this.#running >= this.#limit && this.#queue.size >= this.#queueLimit) {
      return null;
    }
    let left = false;
    const start: Waiting = () => {
      this.#running += 1;
      run();
    };
    const ticket = {
      leave: (): void => {
        if (left) {
          return;
        }
        left = true;
        if (!this.#queue.delete(start)) {
          this.#running -= 1;
          this.#next();
        }
      },
    };
    if (this.#running < this.#limit) {
      start();
    } else {
      this.#queue.add(start);
    }
    return ticket;
  }

  #next(): void {
    const [first] = this.#queue;
    if (first !== undefined && this.#running < this.#limit) {
      this.#queue.delete(first);
      first();
    }
  }
}
