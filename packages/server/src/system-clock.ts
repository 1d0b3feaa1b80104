import { epochMs } from "@claude-relay/contract";
import type { Clock } from "./pipeline/types.ts";

/** The real clock; everything else is handed one. */
export const systemClock: Clock = {
  now: () => epochMs(Date.now()),
  monotonicMs: () => performance.now(),
};
