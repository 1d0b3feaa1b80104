import { createHash } from "node:crypto";

/** One of our API keys, and until when it rests. `name` is a hash: what other instances call it. */
export type PooledKey = {
  readonly key: string;
  readonly label: string;
  readonly name: string;
  restsUntilMs: number;
};

/** Told of each rest that upstream asked for; never of one that another instance told of. */
export type OnRest = (rest: Readonly<{ name: string; forMs: number }>) => void;

/** A rejected key is tried again after this long; an operator may have mended it. */
const rejectedRestMs = 5 * 60_000;
/** Rest after a 429 that does not say how long. */
const limitedRestMs = 10_000;

/**
 * Our API keys, taken in turn. A key answered 429 or 401 rests; when all rest, the one that is
 * free soonest is used, so that upstream's own answer and not ours reaches the caller.
 */
export class KeyPool {
  readonly #keys: readonly PooledKey[];
  readonly #now: () => number;
  readonly #onRest: OnRest;
  #turn = 0;

  /** @param now Monotonic milliseconds. */
  constructor(keys: readonly string[], now: () => number, onRest: OnRest = () => {}) {
    this.#keys = keys.map((key, index) => ({
      key,
      label: `key ${index + 1}`,
      name: keyName(key),
      restsUntilMs: 0,
    }));
    this.#now = now;
    this.#onRest = onRest;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** The next rested key, or the one free soonest. */
  take(): PooledKey {
    const rested = this.#rested();
    if (rested !== null) {
      return rested;
    }
    return this.#keys.reduce((soonest, key) =>
      key.restsUntilMs < soonest.restsUntilMs ? key : soonest,
    );
  }

  /** A further rested key, or null: then upstream's refusal is passed on. */
  takeAnother(): PooledKey | null {
    return this.#rested();
  }

  /** Lays a key to rest as upstream's answer says. Gives for how long. */
  rest(key: PooledKey, status: number, retryAfter: string | undefined): number {
    const stated = Number(retryAfter) * 1000;
    const forMs =
      status === 401
        ? rejectedRestMs
        : Number.isFinite(stated) && stated > 0
          ? stated
          : limitedRestMs;
    key.restsUntilMs = Math.max(key.restsUntilMs, this.#now() + forMs);
    this.#onRest({ name: key.name, forMs });
    return forMs;
  }

  /** Another instance was told to leave this key alone. Gives its label when it was not resting so long already. */
  hear({ name, forMs }: Readonly<{ name: string; forMs: number }>): string | null {
    const until = this.#now() + forMs;
    const key = this.#keys.find((one) => one.name === name);
    if (key === undefined || forMs <= 0 || until <= key.restsUntilMs) {
      return null;
    }
    key.restsUntilMs = until;
    return key.label;
  }

  #rested(): PooledKey | null {
    const now = this.#now();
    for (let step = 0; step < this.#keys.length; step += 1) {
      const key = this.#keys[(this.#turn + step) % this.#keys.length];
      if (key !== undefined && key.restsUntilMs <= now) {
        this.#turn = (this.#turn + step + 1) % this.#keys.length;
        return key;
      }
    }
    return null;
  }
}

/** What a key is called where others can read it: nobody finds the key by it. */
export const keyName = (key: string): string =>
  createHash("sha256").update(key).digest("hex").slice(0, 32);
