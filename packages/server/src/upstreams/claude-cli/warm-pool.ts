import type { CliProcess } from "./cli-process.ts";

type Options = Readonly<{
  /** How many processes wait for a call. */
  size: number;
  maxIdleMs: number;
  /** @throws when no process can be started */
  start: () => CliProcess;
  monotonicMs: () => number;
  onFault: (why: string) => void;
}>;

const mostStarting = 2;
/** A start takes a processor for half a second: let the call that took a process get going first. */
const refillDelayMs = 150;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/**
 * Processes that have done their half second of starting before a call needs one. They are all alike:
 * system prompt, model and limit are told to a process with its call. Each serves one call.
 */
export class WarmPool {
  readonly #options: Options;
  /** Oldest first, with the time each was started. */
  readonly #idle = new Map<CliProcess, number>();
  /** The others refill the pool later, each a little after the last. */
  #pauseMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#refill();
  }

  get size(): number {
    return this.#idle.size;
  }

  /** A waiting process, to be used once; null when none waits. */
  take(): CliProcess | null {
    for (const process of this.#idle.keys()) {
      this.#drop(process);
      if (process.alive) {
        this.#schedule(refillDelayMs);
        return process;
      }
    }
    this.#schedule(refillDelayMs);
    return null;
  }

  /** Ends every process. Resolves when they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer ?? undefined);
    const idle = [...this.#idle.keys()];
    for (const process of idle) {
      this.#drop(process);
      process.kill("the relay stops");
    }
    await Promise.all(idle.map(({ gone }) => gone));
  }

  #drop(process: CliProcess): void {
    this.#idle.delete(process);
    process.listen(null);
  }

  #schedule(ms: number): void {
    if (this.#closed || this.#options.size === 0) {
      return;
    }
    clearTimeout(this.#timer ?? undefined);
    this.#timer = setTimeout(() => this.#refill(), Math.max(ms, this.#pauseMs));
    this.#timer.unref();
  }

  #refill(): void {
    const { size, maxIdleMs, monotonicMs } = this.#options;
    const nowMs = monotonicMs();
    for (const [process, startedMs] of this.#idle) {
      if (nowMs - startedMs >= maxIdleMs) {
        this.#drop(process);
        process.kill("it waited too long");
      }
    }
    for (let starts = 0; this.#idle.size < size && starts < mostStarting; starts++) {
      if (!this.#startOne(nowMs)) {
        break;
      }
    }
    const [oldestMs] = this.#idle.values();
    this.#schedule(this.#idle.size < size ? 200 : maxIdleMs - (nowMs - (oldestMs ?? nowMs)));
  }

  #startOne(nowMs: number): boolean {
    try {
      const process = this.#options.start();
      this.#idle.set(process, nowMs);
      process.listen({
        // It lives: the next fault is a new one.
        onLine: () => {
          this.#pauseMs = 0;
        },
        onExit: ({ reason, code, signal }) => {
          this.#idle.delete(process);
          const why = reason ?? `it ended (${signal ?? code})`;
          this.#fault(`${why} ${process.stderrTail}`.trim());
        },
      });
      return true;
    } catch (error) {
      this.#fault(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  /** Longer pauses between starts that lead nowhere. */
  #fault(why: string): void {
    this.#pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, this.#pauseMs * 2));
    this.#options.onFault(why);
    this.#schedule(this.#pauseMs);
  }
}
