import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { Kysely, SqliteAdapter, SqliteDialect } from "kysely";
import { migrate } from "./migrations/migrate.ts";
import type { Tables } from "./schema.ts";

export type SqliteDatabase = Sqlite.Database;

/** The WAL-reset corruption bug was fixed in this version. */
const oldestSafeVersion = [3, 51, 3] as const;

export type DatabaseOptions = Readonly<{
  dataDir: string;
  durable: boolean;
  /** How long a statement waits for another program that holds the database. */
  busyTimeoutMs: number;
}>;

/** Makes the data directory if need be, readable by its owner only. An existing one keeps its mode. */
export const ensureDataDirectory = (dataDir: string): void => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
};

/**
 * Opens `relay.db` in the data directory (0600, WAL) and migrates it.
 * @throws Error when SQLite is too old, or when the file cannot be opened, written or migrated.
 */
export const openDatabase = async (options: DatabaseOptions): Promise<SqliteDatabase> => {
  const file = join(options.dataDir, "relay.db");
  makePrivate(file);
  const sqlite = new Sqlite(file, { timeout: options.busyTimeoutMs });
  try {
    assertSafeVersion(sqlite);
    sqlite.pragma("journal_mode = WAL");
    // NORMAL: a killed process loses nothing, a power loss may undo the last commits, never corrupts; the
    // journal still holds them, for a segment goes only after a checkpoint has been synced.
    sqlite.pragma(`synchronous = ${options.durable ? "FULL" : "NORMAL"}`);
    sqlite.pragma("foreign_keys = ON");
    sqlite.pragma("temp_store = MEMORY");
    sqlite.pragma("cache_size = -16384");
    sqlite.pragma("journal_size_limit = 16777216");
    assertSound(sqlite, file);
    await migrate(kyselyOver(sqlite));
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
};

/** Kysely over an open database. It does not own it: close the database, not the Kysely. */
export const kyselyOver = (sqlite: SqliteDatabase): Kysely<Tables> =>
  new Kysely<Tables>({ dialect: new TransactionalSqliteDialect({ database: sqlite }) });

/** SQLite can undo schema changes; told so, Kysely runs all migrations in one transaction, whole or not at all. */
class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/**
 * Makes this the only process on the data directory until `release` or the process's end, however it ends:
 * the lock is the operating system's, held through SQLite on a file of its own.
 * @throws Error naming the directory and the remedy when another process has it.
 */
export const lockInstance = (dataDir: string): Readonly<{ release: () => void }> => {
  const file = join(dataDir, "instance.lock");
  makePrivate(file);
  const lock = new Sqlite(file, { timeout: 0 });
  try {
    lock.pragma("locking_mode = EXCLUSIVE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (error instanceof Sqlite.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
      throw new Error(
        `Another claude-relay is running on DATA_DIR ${dataDir}. Stop it, or give this one a DATA_DIR of its own.`,
      );
    }
    throw error;
  }
  return { release: () => lock.close() };
};

/** True for "the disk, not the statement": worth pausing for and trying again. */
export const isStorageFailure = (error: unknown): boolean =>
  error instanceof Sqlite.SqliteError &&
  /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED|NOMEM|CORRUPT|NOTADB|PERM|PROTOCOL)/.test(
    error.code,
  );

/** True when no waiting helps: the file itself is broken. */
export const isDamage = (error: unknown): boolean =>
  error instanceof Sqlite.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);

export const isConstraintFailure = (error: unknown): boolean =>
  error instanceof Sqlite.SqliteError && error.code.startsWith("SQLITE_CONSTRAINT");

/** Never opens a file that exists: closing any descriptor of it would drop this process's POSIX locks on it. */
const makePrivate = (file: string): void => {
  try {
    closeSync(openSync(file, "ax", 0o600));
  } catch (error) {
    if (!existsSync(file)) {
      throw error;
    }
  }
  chmodSync(file, 0o600);
};

/** Reading it all takes a third of a second at this size. Damage in a larger file shows when its page is read. */
const checkedBytes = 256 * 1024 * 1024;

/** Finds damage before anything is served or written. @throws SqliteError */
const assertSound = (sqlite: SqliteDatabase, file: string): void => {
  if (statSync(file).size > checkedBytes) {
    return;
  }
  const found = String(sqlite.pragma("quick_check(1)", { simple: true }));
  if (found !== "ok") {
    throw new Sqlite.SqliteError(found.trim().replaceAll("\n", "; "), "SQLITE_CORRUPT");
  }
};

const assertSafeVersion = (sqlite: SqliteDatabase): void => {
  const version = String(sqlite.prepare("SELECT sqlite_version()").pluck().get());
  const parts = version.split(".").map(Number);
  for (const [index, least] of oldestSafeVersion.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) {
      return;
    }
    if (part < least) {
      throw new Error(
        `SQLite ${version} can corrupt a WAL database; claude-relay needs ${oldestSafeVersion.join(".")} or newer: update better-sqlite3`,
      );
    }
  }
};
