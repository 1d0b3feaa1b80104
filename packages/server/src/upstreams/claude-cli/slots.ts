/** A place among the running calls, or in the queue for one. */
export interface Ticket {
  /** Gives the place back, or leaves the queue. Once. */
  leave(): void;
}

/** One call's turn. `run` or `refuse` is called once, at once or later; neither after it has left. */
export type Turn = Readonly<{
  /** Whose call it is. */
  callerKey: string;
  run(): void;
  /** The queue is full, and this caller has no smaller share of it than the others. */
  refuse(): void;
}>;

/**
 * So many calls run at once, so many more wait, and the rest is refused. Callers share both fairly: a free place
 * goes to the caller that has the fewest running, in rotation; into a full queue comes who has less than another,
 * whose newest waiting call is refused for it.
 */
export class Slots {
  readonly #limit: number;
  readonly #queueLimit: number;
  /** Waiting turns by caller, in order; the caller served last comes last. */
  readonly #waiting = new Map<string, Turn[]>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;
  #queued = 0;

  constructor(limit: number, queueLimit: number) {
    this.#limit = limit;
    this.#queueLimit = queueLimit;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queued;
  }

  enter(turn: Turn): Ticket {
    let isRunning = false;
    let hasLeft = false;
    const own: Turn = {
      callerKey: turn.callerKey,
      run: () => {
        isRunning = true;
        turn.run();
      },
      refuse: turn.refuse,
    };
    this.#admit(own);
    return {
      leave: () => {
        if (!hasLeft) {
          hasLeft = true;
          if (isRunning) {
            this.#free(own.callerKey);
          } else {
            this.#unqueue(own);
          }
        }
      },
    };
  }

  #admit(turn: Turn): void {
    if (this.#running < this.#limit) {
      this.#start(turn);
      return;
    }
    const loser = this.#queued < this.#queueLimit ? null : this.#loserTo(turn);
    if (loser !== turn) {
      if (loser !== null) {
        this.#unqueue(loser);
      }
      this.#queued += 1;
      const own = this.#waiting.get(turn.callerKey);
      if (own === undefined) {
        this.#waiting.set(turn.callerKey, [turn]);
      } else {
        own.push(turn);
      }
    }
    loser?.refuse();
  }

  /** Who has no place when this one comes: the newest of the caller with the most places, or this one itself. */
  #loserTo(turn: Turn): Turn {
    let loser = turn;
    let most = this.#placesOf(turn.callerKey) + 1;
    for (const [callerKey, turns] of this.#waiting) {
      const places = this.#placesOf(callerKey);
      if (places > most) {
        most = places;
        loser = turns.at(-1) ?? loser;
      }
    }
    return loser;
  }

  #placesOf(callerKey: string): number {
    return (this.#runningOf.get(callerKey) ?? 0) + (this.#waiting.get(callerKey)?.length ?? 0);
  }

  #start(turn: Turn): void {
    this.#running += 1;
    this.#runningOf.set(turn.callerKey, (this.#runningOf.get(turn.callerKey) ?? 0) + 1);
    turn.run();
  }

  #free(callerKey: string): void {
    const left = (this.#runningOf.get(callerKey) ?? 1) - 1;
    this.#running -= 1;
    if (left === 0) {
      this.#runningOf.delete(callerKey);
    } else {
      this.#runningOf.set(callerKey, left);
    }
    this.#next();
  }

  #next(): void {
    let next: Turn | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [callerKey, turns] of this.#waiting) {
      const running = this.#runningOf.get(callerKey) ?? 0;
      if (running < fewest) {
        fewest = running;
        next = turns[0];
      }
    }
    if (next !== undefined) {
      this.#unqueue(next, "served");
      this.#start(next);
    }
  }

  #unqueue(turn: Turn, why: "gone" | "served" = "gone"): void {
    const { callerKey } = turn;
    const turns = this.#waiting.get(callerKey) ?? [];
    const at = turns.indexOf(turn);
    if (at < 0) {
      return;
    }
    turns.splice(at, 1);
    this.#queued -= 1;
    if (turns.length === 0) {
      this.#waiting.delete(callerKey);
    } else if (why === "served") {
      this.#waiting.delete(callerKey);
      this.#waiting.set(callerKey, turns);
    }
  }
}
