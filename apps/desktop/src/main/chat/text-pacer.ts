import type { SessionTimers } from "@claude-relay/client/device";

/** About thirty pieces a second: what an eye can follow, and a window can draw. */
const betweenMs = 33;

/**
 * Gathers the pieces of a text and passes them on in a turn of their own, the first at once. So no piece comes
 * between another call's result and its way to the window.
 */
export class TextPacer {
  readonly #timers: SessionTimers;
  readonly #monotonicMs: () => number;
  readonly #onText: (text: string) => void;
  #pending = "";
  #isSet = false;
  #nextAt = 0;

  constructor(timers: SessionTimers, monotonicMs: () => number, onText: (text: string) => void) {
    this.#timers = timers;
    this.#monotonicMs = monotonicMs;
    this.#onText = onText;
  }

  push(text: string): void {
    this.#pending += text;
    if (!this.#isSet) {
      this.#isSet = true;
      const wait = Math.max(0, this.#nextAt - this.#monotonicMs());
      this.#timers.after(wait, () => this.flush(), true);
    }
  }

  /** Passes on what there is; to be called from a turn of its own. */
  flush(): void {
    const text = this.#pending;
    this.#pending = "";
    this.#isSet = false;
    if (text !== "") {
      this.#nextAt = this.#monotonicMs() + betweenMs;
      this.#onText(text);
    }
  }
}
