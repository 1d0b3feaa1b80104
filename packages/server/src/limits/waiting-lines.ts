/** Whoever waits, by whose request it is. */
export type Waiter = Readonly<{ callerKey: string }>;

/**
 * Who waits for a place: a line for each caller, first come first served, and the callers in rotation. So many
 * wait at most; into full lines comes who has fewer waiting than another, whose newest must go.
 */
export class WaitingLines<W extends Waiter> {
  readonly #max: number;
  /** In rotation: the caller served last comes last. No line is empty. */
  readonly #lines = new Map<string, W[]>();
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether one more of this caller would be let in. */
  hasRoomFor(callerKey: string): boolean {
    return this.#size < this.#max || this.#longestBeyond(callerKey) !== null;
  }

  /** Lets it in, at its caller's end. Gives who has no place now: null, another one, or the newcomer itself. */
  join(waiter: W): W | null {
    let loser: W | null = null;
    if (this.#size >= this.#max) {
      loser = this.#longestBeyond(waiter.callerKey)?.at(-1) ?? null;
      if (loser === null) {
        return waiter;
      }
      this.leave(loser);
    }
    const line = this.#lines.get(waiter.callerKey);
    if (line === undefined) {
      this.#lines.set(waiter.callerKey, [waiter]);
    } else {
      line.push(waiter);
    }
    this.#size += 1;
    return loser;
  }

  /** Gives whether it was there. */
  leave(waiter: W): boolean {
    const line = this.#lines.get(waiter.callerKey) ?? [];
    const at = line.indexOf(waiter);
    if (at < 0) {
      return false;
    }
    line.splice(at, 1);
    this.#size -= 1;
    if (line.length === 0) {
      this.#lines.delete(waiter.callerKey);
    }
    return true;
  }

  /** Leaves because it has its place: its caller's turn is over. */
  served(waiter: W): void {
    const line = this.#lines.get(waiter.callerKey);
    if (this.leave(waiter) && line !== undefined && line.length > 0) {
      this.#lines.delete(waiter.callerKey);
      this.#lines.set(waiter.callerKey, line);
    }
  }

  /** The first of the callers, in rotation, whose first in line fits; null when none does. */
  first(fits: (waiter: W) => boolean): W | null {
    for (const [head] of this.#lines.values()) {
      if (head !== undefined && fits(head)) {
        return head;
      }
    }
    return null;
  }

  /** Everyone who waits. */
  all(): W[] {
    return [...this.#lines.values()].flat();
  }

  /** The longest line, if it stays longer than this caller's with one more. */
  #longestBeyond(callerKey: string): W[] | null {
    let longest: W[] | null = null;
    let most = (this.#lines.get(callerKey)?.length ?? 0) + 1;
    for (const line of this.#lines.values()) {
      if (line.length > most) {
        most = line.length;
        longest = line;
      }
    }
    return longest;
  }
}
