import type { Clock } from "../pipeline/types.ts";

/** Lets each text be used once in its lifetime. */
export interface UsedOnce {
  /** Gives false the second time. */
  take(text: string): boolean;
}

/** In this process: what must hold over all of them needs the store. A text is never kept longer than it counts. */
export const createUsedOnce = (
  clock: Pick<Clock, "monotonicMs">,
  lifetimeMs: number,
  most = 10_000,
): UsedOnce => {
  // In the order of use, so that the oldest come first.
  const used = new Map<string, number>();
  return {
    take: (text) => {
      const nowMs = clock.monotonicMs();
      for (const [old, sinceMs] of used) {
        if (nowMs - sinceMs < lifetimeMs && used.size < most) {
          break;
        }
        used.delete(old);
      }
      if (used.has(text)) {
        return false;
      }
      used.set(text, nowMs);
      return true;
    },
  };
};
