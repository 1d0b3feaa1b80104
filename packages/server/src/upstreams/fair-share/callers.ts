import type { Amounts } from "./told-limits.ts";

/** Whoever waits for upstream. */
export type Waiting = Readonly<{ callerKey: string }>;

/** A caller as fair sharing sees it. */
export type Sharer<W> = {
  readonly key: string;
  /** How far it has been served, in parts of upstream's limits: who is least far is next. */
  served: number;
  lastAt: number;
  /** What its calls use on average; null before the first is counted. */
  average: Amounts | null;
  readonly waiting: W[];
};

/** A caller counts as active for so long after its last call. */
const activeMs = 60_000;
const sweepMs = 10_000;

/**
 * The callers of the last minute and what each was served: start-time fair queueing (Goyal, Vin, Cheng 1996). A
 * caller that comes back begins where the others stand, so that neither its absence nor its past is a privilege.
 */
export class Callers<W extends Waiting> {
  readonly #sharers = new Map<string, Sharer<W>>();
  /** Where the one served last began. */
  #line = 0;
  #waiting = 0;
  #sweptAt = 0;

  get waiting(): number {
    return this.#waiting;
  }

  /** /!\ Hot path. */
  touch(key: string, now: number): Sharer<W> {
    let sharer = this.#sharers.get(key);
    if (sharer === undefined) {
      sharer = { key, served: this.#line, lastAt: now, average: null, waiting: [] };
      this.#sharers.set(key, sharer);
      this.#sweep(now);
    }
    sharer.lastAt = now;
    return sharer;
  }

  get(key: string): Sharer<W> | undefined {
    return this.#sharers.get(key);
  }

  /** The others that were here in the last minute. */
  *othersOf(sharer: Sharer<W>, now: number): Iterable<Sharer<W>> {
    for (const other of this.#sharers.values()) {
      if (other !== sharer && isActive(other, now)) {
        yield other;
      }
    }
  }

  isAlone(sharer: Sharer<W>, now: number): boolean {
    for (const _ of this.othersOf(sharer, now)) {
      return false;
    }
    return true;
  }

  /** Where it would begin now. */
  startOf({ served }: Sharer<W>): number {
    return Math.max(served, this.#line);
  }

  /** Who is next of those that wait. */
  next(): Sharer<W> | null {
    let next: Sharer<W> | null = null;
    if (this.#waiting > 0) {
      for (const sharer of this.#sharers.values()) {
        const isEarlier = next === null || this.startOf(sharer) < this.startOf(next);
        if (sharer.waiting.length > 0 && isEarlier) {
          next = sharer;
        }
      }
    }
    return next;
  }

  /** It is served so much. */
  charge(sharer: Sharer<W>, cost: number): void {
    this.#line = this.startOf(sharer);
    sharer.served = this.#line + cost;
  }

  /** It was served more, or less, than was thought. */
  correct(sharer: Sharer<W>, by: number): void {
    sharer.served += by;
  }

  join(sharer: Sharer<W>, waiting: W): void {
    sharer.waiting.push(waiting);
    this.#waiting += 1;
  }

  leave(waiting: W): boolean {
    const line = this.#sharers.get(waiting.callerKey)?.waiting ?? [];
    const at = line.indexOf(waiting);
    if (at >= 0) {
      line.splice(at, 1);
      this.#waiting -= 1;
    }
    return at >= 0;
  }

  /** The newest of the longest line, if that stays longer than this caller's. */
  newestBeyond(sharer: Sharer<W>): W | null {
    let longest: W[] | null = null;
    let most = sharer.waiting.length;
    for (const { waiting } of this.#sharers.values()) {
      if (waiting.length > most) {
        most = waiting.length;
        longest = waiting;
      }
    }
    return longest?.at(-1) ?? null;
  }

  isIdle(now: number): boolean {
    return [...this.#sharers.values()].every((sharer) => !isActive(sharer, now));
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < sweepMs) {
      return;
    }
    this.#sweptAt = now;
    for (const [key, sharer] of this.#sharers) {
      if (!isActive(sharer, now)) {
        this.#sharers.delete(key);
      }
    }
  }
}

const isActive = ({ lastAt, waiting }: Sharer<unknown>, now: number): boolean =>
  waiting.length > 0 || now - lastAt < activeMs;
