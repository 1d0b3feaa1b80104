import type { Backend } from "./backend.ts";
import {
  type DatabaseOptions,
  isDamage,
  isStorageFailure,
  kyselyOver,
  openDatabase,
  type SqliteDatabase,
} from "./database.ts";
import { sqliteFoldTables } from "./sqlite-fold-tables.ts";

/** The embedded database: `relay.db` in the data directory. @throws as `openDatabase` */
export const openSqliteBackend = async (options: DatabaseOptions): Promise<Backend> =>
  sqliteBackend(await openDatabase(options));

/** Over an open, migrated database, which `close` closes. */
export const sqliteBackend = (sqlite: SqliteDatabase): Backend => {
  const db = kyselyOver(sqlite);
  return {
    db,
    reports: db,
    reportsApart: false,
    remote: false,
    folding: sqliteFoldTables(sqlite),
    isStorageFailure,
    isSlowness: () => false,
    remedy: (error) =>
      isDamage(error)
        ? "restore relay.db in DATA_DIR from a backup"
        : "check the disk that holds DATA_DIR",
    endReports: () => undefined,
    close: () => {
      try {
        sqlite.pragma("wal_checkpoint(TRUNCATE)");
      } finally {
        sqlite.close();
      }
    },
  };
};
