/** What a DeviceSession needs from the world. Each has an implementation beside this file. */

/**
 * Where secrets are kept: the system's keychain, or memory. Names and values are text; a value is at
 * most 2,560 bytes long, which is what Windows takes.
 */
export interface SecretStore {
  readonly kind: "keychain" | "memory" | "passphrase" | "file";
  /** Null when there is no such entry. @throws when the store cannot be read */
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** `now`: epoch milliseconds, which the user may change. `monotonicMs`: never goes back, may stop in sleep. */
export interface SessionClock {
  now(): number;
  monotonicMs(): number;
}

/** One-shot timers. The function given back takes the timer away. */
export interface SessionTimers {
  /** `keepAlive`: somebody waits for it, so the process must not end before. */
  after(milliseconds: number, work: () => void, keepAlive?: boolean): () => void;
}

/** Runs one piece of work at a time, over all processes that use the same lock. */
export interface SessionLock {
  /** @throws the signal's reason when it aborts before the lock is free */
  hold<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/** Random bytes, cryptographically strong; and a number in [0, 1) for jitter. */
export interface SessionRandom {
  bytes(count: number): Uint8Array;
  fraction(): number;
}
