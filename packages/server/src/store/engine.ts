import type { Backend } from "./backend.ts";
import { ensureDataDirectory, lockInstance } from "./database.ts";
import { databaseAway, databaseBusy, reportTooLong } from "./database-refusals.ts";
import { type OnFault, reason } from "./faults.ts";
import { Fold } from "./fold.ts";
import { createPorts, invoke } from "./ports.ts";
import { openPostgresBackend } from "./postgres/backend.ts";
import { ensureJournalDirectory, isBefore, type Position } from "./segments.ts";
import { openSqliteBackend } from "./sqlite-backend.ts";
import { inPart, startFault } from "./start-fault.ts";
import type { Ports, WorkerStart } from "./worker-messages.ts";

export type EngineEvents = Readonly<{ onFault: OnFault; onFolded: (position: Position) => void }>;

const retryMs = 1_000;
/** Between two chunks, so that on one core the thread that serves requests gets its turn. */
const breathMs = 2;

/**
 * Everything that happens in the store's worker, one task after another: folding, and the ports' calls.
 * A database that refuses writes pauses folding until it takes them again.
 */
export class Engine {
  readonly nextSegment: number;
  readonly recovered: number;
  readonly #backend: Backend;
  readonly #fold: Fold;
  readonly #ports: Ports;
  readonly #release: () => void;
  readonly #events: EngineEvents;
  #tail: Promise<unknown> = Promise.resolve();
  #target: Position;
  #folding = false;
  #stopping = false;
  /** Of what the database failed last; null while it is well. */
  #failure: Readonly<{ error: unknown }> | null = null;
  #retry: NodeJS.Timeout | undefined;

  /** Locks the data directory, opens and migrates the database, recovers. @throws Error with the remedy. */
  static async start(start: WorkerStart, events: EngineEvents): Promise<Engine> {
    const { dataDir } = start;
    const lock = inPart(dataDir, "instance.lock", () => {
      ensureDataDirectory(dataDir);
      return lockInstance(dataDir);
    });
    try {
      const directory = inPart(dataDir, "journal", () => ensureJournalDirectory(dataDir));
      const backend = await openBackend(start);
      try {
        const fold = await Fold.open(backend.folding, directory, events.onFault);
        const recovery = start.recover ? await fold.recover() : { nextSegment: 0, recovered: 0 };
        return new Engine(backend, fold, recovery, lock.release, events);
      } catch (error) {
        await backend.close();
        throw backend.remote && backend.isStorageFailure(error)
          ? new Error(`${reason(error)}: ${backend.remedy(error)}, and start again`)
          : startFault(error, { dataDir, part: "journal" });
      }
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(
    backend: Backend,
    fold: Fold,
    recovery: Readonly<{ nextSegment: number; recovered: number }>,
    release: () => void,
    events: EngineEvents,
  ) {
    this.nextSegment = recovery.nextSegment;
    this.recovered = recovery.recovered;
    this.#backend = backend;
    this.#fold = fold;
    this.#ports = createPorts(backend.db, backend.reports);
    this.#release = release;
    this.#events = events;
    this.#target = fold.checkpoint;
  }

  /** Starts folding up to `target`, chunk by chunk, so that calls get their turn in between. */
  foldTo(target: Position): void {
    this.#aim(target);
    if (this.#folding || this.#stopping || this.#failure !== null) {
      return;
    }
    this.#folding = true;
    void this.#enqueue(() => this.#foldChunk());
  }

  /**
   * Carries out one call of a port. A usage query folds everything before `target` first.
   * @throws Refusal: the port's own, or `storage_unavailable` when the database is at fault.
   */
  async call(
    port: keyof Ports,
    method: string,
    args: readonly unknown[],
    target: Position,
  ): Promise<unknown> {
    this.#refuseWhileAway();
    const run = (): Promise<unknown> => {
      this.#refuseWhileAway();
      return this.#invoke(port, method, args);
    };
    if (port !== "usage") {
      return this.#enqueue(run);
    }
    if (this.#backend.reportsApart) {
      await this.#enqueue(() => this.#catchUp(target));
      return run();
    }
    return this.#enqueue(async () => {
      await this.#catchUp(target);
      return run();
    });
  }

  /** Finishes what was asked before, folds what it can, closes the database and frees the directory. */
  stop(target: Position): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    return this.#enqueue(async () => {
      await this.#catchUp(target);
      try {
        await this.#backend.close();
      } catch (error) {
        this.#events.onFault({ kind: "database_unwritable", message: reason(error) });
      }
      this.#fold.close();
      this.#release();
    });
  }

  #enqueue<Value>(task: () => Value | Promise<Value>): Promise<Value> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #aim(target: Position): void {
    if (isBefore(this.#target, target)) {
      this.#target = target;
    }
  }

  /** Each call would wait for an answer that does not come. */
  #refuseWhileAway(): void {
    if (this.#failure !== null && this.#backend.remote) {
      const { error } = this.#failure;
      throw databaseAway(error, this.#backend.remedy(error));
    }
  }

  async #invoke(port: keyof Ports, method: string, args: readonly unknown[]): Promise<unknown> {
    try {
      return await invoke(this.#ports[port], method, args);
    } catch (error) {
      if (this.#backend.isSlowness(error)) {
        throw port === "usage" ? reportTooLong() : databaseBusy();
      }
      if (!this.#backend.isStorageFailure(error)) {
        throw error;
      }
      this.#failed(error);
      throw databaseAway(error, this.#backend.remedy(error));
    }
  }

  async #foldChunk(): Promise<void> {
    if (this.#stopping) {
      return;
    }
    try {
      const more = await this.#fold.foldSome(this.#target);
      this.#healed();
      if (more) {
        setTimeout(() => void this.#enqueue(() => this.#foldChunk()), breathMs);
        return;
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#folding = false;
    this.#events.onFolded(this.#fold.checkpoint);
  }

  /**
   * When it cannot, a query of an embedded database answers from what is in the tables: better old figures
   * than none. A remote one is asked even when there is nothing to fold, so that a query does not wait for it.
   */
  async #catchUp(target: Position): Promise<void> {
    this.#aim(target);
    try {
      await (this.#backend.remote ? this.#fold.probe() : null);
      await this.#fold.foldTo(this.#target);
      this.#healed();
    } catch (error) {
      this.#failed(error);
    }
    this.#events.onFolded(this.#fold.checkpoint);
  }

  #failed(error: unknown): void {
    if (this.#failure === null) {
      const message = `The database does not take rows, so they wait in the journal: ${reason(error)}`;
      this.#events.onFault({ kind: "database_unwritable", message });
    }
    this.#failure = { error };
    this.#backend.endReports();
    clearTimeout(this.#retry);
    if (this.#stopping) {
      return;
    }
    this.#retry = setTimeout(() => void this.#enqueue(() => this.#tryAgain()), retryMs);
  }

  async #tryAgain(): Promise<void> {
    try {
      await this.#fold.probe();
      this.#healed();
    } catch (error) {
      this.#failed(error);
    }
    this.foldTo(this.#target);
  }

  #healed(): void {
    if (this.#failure === null) {
      return;
    }
    this.#failure = null;
    clearTimeout(this.#retry);
    this.#events.onFault({ kind: "database_healed", message: "The database takes rows again" });
  }
}

const openBackend = (start: WorkerStart): Promise<Backend> =>
  start.postgres === null
    ? openSqliteBackend(start).catch((error: unknown) => {
        throw startFault(error, { dataDir: start.dataDir, part: "relay.db" });
      })
    : openPostgresBackend(start.postgres, start.dataDir);
