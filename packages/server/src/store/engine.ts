import type { Kysely } from "kysely";
import type { UsageQueries } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { createAppKeyStore } from "./app-keys.ts";
import { createAuditLog } from "./audit.ts";
import {
  ensureDataDirectory,
  isDamage,
  isStorageFailure,
  kyselyOver,
  lockInstance,
  openDatabase,
  type SqliteDatabase,
} from "./database.ts";
import { createDeviceStore } from "./devices.ts";
import { createEnrollmentCodeStore } from "./enrollment-codes.ts";
import { type OnFault, reason } from "./faults.ts";
import { Fold } from "./fold.ts";
import type { Tables } from "./schema.ts";
import { ensureJournalDirectory, isBefore, type Position } from "./segments.ts";
import { inPart, startFault } from "./start-fault.ts";
import { listRequestRows } from "./usage-rows.ts";
import { summarizeUsage } from "./usage-summary.ts";
import type { Ports, WorkerStart } from "./worker-messages.ts";

export type EngineEvents = Readonly<{ onFault: OnFault; onFolded: (position: Position) => void }>;

const retryMs = 1_000;
/** Between two chunks, so that on one core the thread that serves requests gets its turn. */
const breathMs = 2;

/**
 * Everything that happens in the store's worker, one task after another: folding, and the ports' calls.
 * A disk that refuses writes pauses folding until it takes them again.
 */
export class Engine {
  readonly nextSegment: number;
  readonly recovered: number;
  readonly #db: SqliteDatabase;
  readonly #fold: Fold;
  readonly #ports: Ports;
  readonly #release: () => void;
  readonly #events: EngineEvents;
  #tail: Promise<unknown> = Promise.resolve();
  #target: Position;
  #folding = false;
  #failing = false;
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
      const db = await openDatabase(start).catch((error: unknown) => {
        throw startFault(error, { dataDir, part: "relay.db" });
      });
      return inPart(dataDir, "journal", () => {
        const fold = new Fold(db, directory, events.onFault);
        const recovery = start.recover ? fold.recover() : { nextSegment: 0, recovered: 0 };
        return new Engine(db, fold, recovery, lock.release, events);
      });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(
    db: SqliteDatabase,
    fold: Fold,
    recovery: Readonly<{ nextSegment: number; recovered: number }>,
    release: () => void,
    events: EngineEvents,
  ) {
    this.nextSegment = recovery.nextSegment;
    this.recovered = recovery.recovered;
    this.#db = db;
    this.#fold = fold;
    this.#ports = createPorts(kyselyOver(db));
    this.#release = release;
    this.#events = events;
    this.#target = fold.checkpoint;
  }

  /** The open database, for a test's pragmas. */
  get database(): SqliteDatabase {
    return this.#db;
  }

  /** Starts folding up to `target`, chunk by chunk, so that calls get their turn in between. */
  foldTo(target: Position): void {
    this.#aim(target);
    if (this.#folding || this.#failing) {
      return;
    }
    this.#folding = true;
    void this.#enqueue(() => this.#foldChunk());
  }

  /**
   * Carries out one call of a port. A usage query folds everything before `target` first.
   * @throws Refusal: the port's own, or `storage_unavailable` when the disk is at fault.
   */
  call(
    port: keyof Ports,
    method: string,
    args: readonly unknown[],
    target: Position,
  ): Promise<unknown> {
    return this.#enqueue(async () => {
      if (port === "usage") {
        this.#catchUp(target);
      }
      try {
        return await invoke(this.#ports[port], method, args);
      } catch (error) {
        if (!isStorageFailure(error)) {
          throw error;
        }
        this.#failed(error);
        throw unavailable(error);
      }
    });
  }

  /** Finishes what was asked before, folds what it can, closes the database and frees the directory. */
  stop(target: Position): Promise<void> {
    return this.#enqueue(() => {
      clearTimeout(this.#retry);
      this.#catchUp(target);
      clearTimeout(this.#retry);
      try {
        this.#db.pragma("wal_checkpoint(TRUNCATE)");
      } catch (error) {
        this.#events.onFault({ kind: "database_unwritable", message: reason(error) });
      }
      this.#fold.close();
      this.#db.close();
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

  #foldChunk(): void {
    try {
      const more = this.#fold.foldSome(this.#target);
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

  /** When it cannot, the query answers from what is in the tables: better old figures than none. */
  #catchUp(target: Position): void {
    this.#aim(target);
    try {
      this.#fold.foldTo(this.#target);
      this.#healed();
    } catch (error) {
      this.#failed(error);
    }
    this.#events.onFolded(this.#fold.checkpoint);
  }

  #failed(error: unknown): void {
    if (!this.#failing) {
      this.#failing = true;
      const message = `The database does not take rows, so they wait in the journal: ${reason(error)}`;
      this.#events.onFault({ kind: "database_unwritable", message });
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#enqueue(() => this.#tryAgain()), retryMs);
  }

  #tryAgain(): void {
    try {
      this.#fold.probe();
      this.#healed();
    } catch (error) {
      this.#failed(error);
    }
    this.foldTo(this.#target);
  }

  #healed(): void {
    if (!this.#failing) {
      return;
    }
    this.#failing = false;
    clearTimeout(this.#retry);
    this.#events.onFault({ kind: "database_healed", message: "The database takes rows again" });
  }
}

const createPorts = (db: Kysely<Tables>): Ports => ({
  devices: createDeviceStore(db),
  enrollmentCodes: createEnrollmentCodeStore(db),
  appKeys: createAppKeyStore(db),
  audit: createAuditLog(db),
  usage: createUsageQueries(db),
});

const createUsageQueries = (db: Kysely<Tables>): UsageQueries => ({
  summary: (query) => summarizeUsage(db, query),
  rows: (query) => listRequestRows(db, query),
});

const invoke = (target: object, method: string, args: readonly unknown[]): unknown => {
  const found: unknown = Object.hasOwn(target, method) ? Reflect.get(target, method) : undefined;
  if (typeof found !== "function") {
    throw new Error(`the store has no ${method}`);
  }
  return Reflect.apply(found, target, args);
};

const unavailable = (error: unknown): Refusal =>
  new Refusal(
    "storage_unavailable",
    `The relay's database is not available (${reason(error)}). Try again shortly; the operator should ${
      isDamage(error)
        ? "restore relay.db in DATA_DIR from a backup."
        : "check the disk that holds DATA_DIR."
    }`,
    { retryAfterSeconds: 5 },
  );
