import type { SessionTimers } from "@claude-relay/client/device";

type Lane = { running: Promise<void>; next: Promise<void> | undefined };

/** A burst of changes is written once a second. */
const soonMs = 1000;
/** After a write that failed: a full disk is not emptied in a second. */
const againMs = 10_000;

/** Writes things by their ids, one write at a time each, and again when a write failed. */
export class Saver {
  readonly #write: (id: string) => Promise<void>;
  readonly #onFault: (error: unknown) => void;
  readonly #timers: SessionTimers;
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting = new Map<string, () => void>();

  /** @param write the newest state of an id; `onFault` is told when it failed */
  constructor(
    write: (id: string) => Promise<void>,
    onFault: (error: unknown) => void,
    timers: SessionTimers,
  ) {
    this.#write = write;
    this.#onFault = onFault;
    this.#timers = timers;
  }

  /** Resolves when the state of now was written, or could not be. */
  save(id: string): Promise<void> {
    this.#forgetTimer(id);
    const lane = this.#lanes.get(id);
    if (lane === undefined) {
      return this.#start(id);
    }
    // The write that runs may have begun before the change.
    lane.next ??= lane.running.then(() => this.#start(id));
    return lane.next;
  }

  /** At latest in a second. */
  saveSoon(id: string): void {
    this.#saveIn(id, soonMs);
  }

  /** Waits for what is being written of an id, and writes no more of it by itself. */
  async settle(id: string): Promise<void> {
    this.#forgetTimer(id);
    for (let lane = this.#lanes.get(id); lane !== undefined; lane = this.#lanes.get(id)) {
      await (lane.next ?? lane.running);
    }
    this.#forgetTimer(id);
  }

  /** Writes at once what would be written soon, and waits for everything. */
  async flush(): Promise<void> {
    const ids = new Set([...this.#waiting.keys(), ...this.#lanes.keys()]);
    await Promise.all([...ids].map((id) => this.save(id)));
    for (const id of [...this.#waiting.keys()]) {
      this.#forgetTimer(id);
    }
  }

  #start(id: string): Promise<void> {
    const lane: Lane = { running: Promise.resolve(), next: undefined };
    this.#lanes.set(id, lane);
    lane.running = this.#run(id).then(() => {
      if (lane.next === undefined) {
        this.#lanes.delete(id);
      }
    });
    return lane.running;
  }

  async #run(id: string): Promise<void> {
    try {
      await this.#write(id);
    } catch (error) {
      this.#onFault(error);
      this.#saveIn(id, againMs);
    }
  }

  #saveIn(id: string, milliseconds: number): void {
    if (!this.#waiting.has(id)) {
      const forget = this.#timers.after(milliseconds, () => void this.save(id));
      this.#waiting.set(id, forget);
    }
  }

  #forgetTimer(id: string): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
