/** Time and chance as the system has them. */
import { randomBytes } from "node:crypto";
import type { SessionClock, SessionRandom, SessionTimers } from "@claude-relay/client/device";

export const systemClock: SessionClock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** The process lives as long as its standard input: no timer needs to keep it. */
export const systemTimers: SessionTimers = {
  after: (milliseconds, work) => {
    const timer = setTimeout(work, Math.min(milliseconds, 2_147_483_647));
    return () => clearTimeout(timer);
  },
};

export const systemRandom: SessionRandom = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};
