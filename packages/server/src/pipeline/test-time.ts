import type { Later } from "./later.ts";

type Alarm = Readonly<{ at: number; run: () => void }>;

/** A clock that moves when told, and what is to happen later by it. */
export class TestTime {
  ms = 0;
  readonly #alarms = new Set<Alarm>();

  readonly now = (): number => this.ms;

  readonly later: Later = (ms, run) => {
    const alarm = { at: this.ms + ms, run };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  };

  /** How much is still to happen. */
  get pending(): number {
    return this.#alarms.size;
  }

  advance(ms: number): void {
    const until = this.ms + ms;
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#alarms.delete(next);
      this.ms = Math.max(this.ms, next.at);
      next.run();
    }
    this.ms = until;
  }

  /** Moves on step by step, letting promises run in between. */
  async pass(ms: number, step = 10): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      this.advance(step);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #next(until: number): Alarm | null {
    let next: Alarm | null = null;
    for (const alarm of this.#alarms) {
      if (alarm.at <= until && (next === null || alarm.at < next.at)) {
        next = alarm;
      }
    }
    return next;
  }
}
