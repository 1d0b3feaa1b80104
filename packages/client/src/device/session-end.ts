import { RelayConfigurationError } from "../errors.ts";
import type { SessionTimers } from "./ports.ts";

/** How long a session that stops waits for a token that may be on its way. */
const patienceMs = 3_000;

/** How a session ends: nothing more is begun, and what is under way is broken off a while later. */
export class SessionEnd {
  readonly #stopping = new AbortController();
  readonly #cutting = new AbortController();

  /** Aborts when nothing more is to be begun. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Aborts when nothing more is waited for. */
  get cut(): AbortSignal {
    return this.#cutting.signal;
  }

  /** Ends it; resolves when `settled` does, which gives what is under way. */
  async come(timers: SessionTimers, settled: () => Promise<unknown>): Promise<void> {
    const reason = new RelayConfigurationError("The session was stopped.");
    this.#stopping.abort(reason);
    const cancel = timers.after(patienceMs, () => this.#cutting.abort(reason), true);
    try {
      await settled();
    } finally {
      cancel();
    }
  }
}
