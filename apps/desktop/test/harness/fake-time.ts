/** A clock and timers that stand still until the test moves them. */
import { setImmediate as turn } from "node:timers/promises";
import type { SessionClock, SessionTimers } from "@claude-relay/client/device";

type Timer = { at: number; work: () => void };

export class FakeTime {
  #now = 1_000_000;
  #timers: Timer[] = [];
  /** How many timers were set so far. */
  resets = 0;

  readonly clock: SessionClock = { now: () => this.#now, monotonicMs: () => this.#now };

  readonly timers: SessionTimers = {
    after: (milliseconds, work) => {
      const timer = { at: this.#now + milliseconds, work };
      this.#timers.push(timer);
      this.resets += 1;
      return () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      };
    },
  };

  /** Time passes; what was to be done meanwhile is done, and what follows from it. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    for (;;) {
      await turn();
      this.#timers.sort((one, other) => one.at - other.at);
      const next = this.#timers[0];
      if (next === undefined || next.at > until) {
        this.#now = until;
        await turn();
        return;
      }
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.work();
    }
  }
}
