import { randomBytes } from "node:crypto";
import type { SessionClock, SessionRandom, SessionTimers } from "./ports.ts";

export const systemClock: SessionClock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const systemTimers: SessionTimers = {
  after: (milliseconds, work, keepAlive = false) => {
    const timer = setTimeout(work, Math.min(milliseconds, 2_147_483_647));
    if (!keepAlive) {
      timer.unref();
    }
    return () => clearTimeout(timer);
  },
};

export const systemRandom: SessionRandom = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};
