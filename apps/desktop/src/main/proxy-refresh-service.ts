/** Keeps the token fresh in the background, and looks after the relay while it is away. */
import type {
  DeviceSession,
  DeviceSessionEvent,
  SessionClock,
  SessionRandom,
  SessionTimers,
} from "@claude-relay/client/device";
import { printable } from "./printable.ts";
import type { Outage } from "./relay/connection.ts";

type Parts = Readonly<{
  session: Pick<DeviceSession, "state" | "on" | "start" | "check" | "stop">;
  clock: Pick<SessionClock, "now">;
  timers: SessionTimers;
  random: SessionRandom;
  /** Told when `outage` may have changed. */
  onChange: () => void;
}>;

/** Looking more often at a relay that is well helps nobody. */
const glanceMs = 15_000;
/** While the relay is away it is asked again after so long, doubling up to a minute. */
const shortestRetryMs = 2_000;
const longestRetryMs = 60_000;

/** A session tells of a change of health every half an hour at best: who waits for an answer asks more often. */
export class ProxyRefreshService {
  readonly #parts: Parts;
  #outage: Outage | null = null;
  #retries = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #cancel = (): void => undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.session.on((event) => this.#hear(event));
  }

  /** Null while the relay is well, as far as is known. */
  get outage(): Outage | null {
    return this.#outage;
  }

  /** Resolves when health and token were looked at once. */
  async start(): Promise<void> {
    this.#lookedAt = this.#parts.clock.now();
    await this.#parts.session.start();
  }

  /** Looks at both now. Resolves when that was done. */
  async look(): Promise<void> {
    this.#cancel();
    this.#lookedAt = this.#parts.clock.now();
    const before = this.#outage;
    await this.#parts.session.check();
    // A session tells of a change only.
    if (before !== null && before === this.#outage) {
      this.#wait(before.message);
    }
  }

  /** Looks, unless that was done a moment ago. */
  async glance(): Promise<void> {
    // Both ways: the clock may have been set.
    const passed = Math.abs(this.#parts.clock.now() - this.#lookedAt);
    if (passed > glanceMs || this.#outage !== null) {
      await this.look();
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#parts.session.stop();
  }

  #hear(event: DeviceSessionEvent): void {
    if (event.type === "unhealthy") {
      this.#wait(event.message);
    } else if (isGoodNews(event) && this.#outage !== null) {
      this.#cancel();
      this.#retries = 0;
      this.#outage = null;
      this.#parts.onChange();
    }
  }

  #wait(message: string): void {
    const { clock, timers, random, onChange } = this.#parts;
    this.#cancel();
    if (this.#isStopped) {
      return;
    }
    const longest = Math.min(longestRetryMs, shortestRetryMs * 2 ** this.#retries);
    const delay = longest * (1 - random.fraction() / 4);
    this.#retries += 1;
    this.#outage = { message: printable(message), retryAt: Math.ceil(clock.now() + delay) };
    this.#cancel = timers.after(delay, () => this.#lookAgain(message));
    onChange();
  }

  #lookAgain(message: string): void {
    if (this.#parts.session.state.kind === "offline") {
      // It asks again by itself, less and less often.
      this.#wait(message);
    } else {
      this.look().catch(() => undefined);
    }
  }
}

/** A relay that gives tokens is well, too. */
const isGoodNews = ({ type }: DeviceSessionEvent): boolean =>
  type === "healthy" || type === "bootstrapped" || type === "refreshed";
