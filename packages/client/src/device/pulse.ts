import type { SessionClock, SessionTimers } from "./ports.ts";

/** At least so often, in milliseconds: a sleep or a changed clock is noticed this soon. */
const longestPulseMs = 30_000;
const shortestPulseMs = 200;

/** Something odd about the time that passed since the last pulse. */
export type TimeJump =
  /** The wall clock went on by so much more than time did: this machine slept, or its clock was set. */
  | { readonly kind: "ahead"; readonly milliseconds: number }
  /** The clock was set back by so much. */
  | { readonly kind: "back"; readonly milliseconds: number };

type Options = Readonly<{
  clock: SessionClock;
  timers: SessionTimers;
  /** When the next pulse is wanted, by the monotonic clock. */
  next: () => number;
  onPulse: (jump: TimeJump | null) => void;
}>;

/**
 * Calls again and again, watching both clocks. No timer runs while a machine sleeps, and the monotonic clock
 * may stand still, so the wall clock is what tells. Gives what ends it.
 */
export const startPulse = ({ clock, timers, next, onPulse }: Options): (() => void) => {
  let wall = clock.now();
  let monotonic = clock.monotonicMs();
  let cancel = (): void => undefined;
  let ended = false;

  const schedule = (): void => {
    const wait = Math.min(longestPulseMs, Math.max(shortestPulseMs, next() - clock.monotonicMs()));
    cancel = timers.after(wait, () => pulse(wait));
  };
  const pulse = (waited: number): void => {
    const wallPassed = clock.now() - wall;
    const monotonicPassed = clock.monotonicMs() - monotonic;
    wall += wallPassed;
    monotonic += monotonicPassed;
    onPulse(jumpOf(wallPassed, monotonicPassed, waited));
    if (!ended) {
      schedule();
    }
  };
  schedule();
  return () => {
    ended = true;
    cancel();
  };
};

/** What a busy machine may be late by. */
const toleranceMs = 2_000;

const jumpOf = (wallPassed: number, monotonicPassed: number, waited: number): TimeJump | null => {
  const drift = wallPassed - monotonicPassed;
  if (drift < -toleranceMs) {
    return { kind: "back", milliseconds: -drift };
  }
  const late = Math.max(drift, monotonicPassed - waited - longestPulseMs);
  return late > toleranceMs ? { kind: "ahead", milliseconds: late } : null;
};
