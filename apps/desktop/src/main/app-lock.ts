/** One app at a time for each user: two would write over each other's conversations. */
import { createFileLock } from "@claude-relay/client/device";

export interface AppLock {
  /** Resolves when no other app of this user runs; that may be never. */
  readonly acquired: Promise<void>;
  release(): Promise<void>;
}

/** A lock whose holder died is broken at once; `createFileLock` knows how. */
export const acquireAppLock = (path: string): AppLock => {
  const got = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const waiting = new AbortController();
  const held = createFileLock(path, { pollMs: 500 })
    .hold(async () => {
      got.resolve();
      await done.promise;
    }, waiting.signal)
    .catch(() => undefined);
  return {
    acquired: got.promise,
    release: async () => {
      done.resolve();
      waiting.abort(new Error("No longer wanted."));
      await held;
    },
  };
};
