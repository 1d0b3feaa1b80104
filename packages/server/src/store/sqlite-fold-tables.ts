import type { Statement } from "better-sqlite3";
import type { FoldBatch, FoldTables } from "./backend.ts";
import { isConstraintFailure, type SqliteDatabase } from "./database.ts";
import { auditColumns } from "./journal-line.ts";
import { LedgerInsert } from "./ledger-insert.ts";
import type { CarriedRequest, OpenRequest } from "./open-requests.ts";
import type { Position } from "./segments.ts";

/** One instance a file, so the instance's number is always this one. */
const instance = 1;

/** What folding needs, over an open `relay.db`. Everything happens before a call returns. */
export const sqliteFoldTables = (db: SqliteDatabase): FoldTables => {
  const commit = createCommit(db);
  const position = db.prepare<[number], Position>(
    'SELECT segment, offset_bytes AS "offset" FROM journal_checkpoint WHERE instance = ?',
  );
  const carried = db.prepare<[number], CarriedRequest>(
    "SELECT intent, progress FROM open_requests WHERE instance = ?",
  );
  return {
    checkpoint: () => position.get(instance) ?? null,
    openRequests: () => carried.all(instance),
    commit: (batch) => commit(batch),
    sync: () => {
      const [result] = db.pragma("wal_checkpoint(FULL)") as { busy: number }[];
      if (result?.busy !== 0) {
        throw new Error("Another program is reading the database just now");
      }
    },
  };
};

const createCommit = (db: SqliteDatabase): ((batch: FoldBatch) => number) => {
  const insert = new LedgerInsert(db);
  const exists = db.prepare<[string]>("SELECT 1 FROM requests WHERE id = ?").pluck();
  const moveCheckpoint = db.prepare<[number, number, number]>(
    "INSERT INTO journal_checkpoint (instance, segment, offset_bytes) VALUES (?, ?, ?) " +
      "ON CONFLICT (instance) DO UPDATE SET segment = excluded.segment, offset_bytes = excluded.offset_bytes",
  );
  const auditRow = db.prepare<unknown[]>(
    `INSERT INTO audit (${auditColumns}) VALUES (${auditColumns.map(() => "?")})`,
  );
  const open = createOpenRequests(db);
  return db.transaction(({ rows, audit, orphans, carry, forget, to }: FoldBatch): number => {
    let unfit = 0;
    for (const row of rows) {
      unfit += insertRow(insert, row) ? 0 : 1;
    }
    for (const entry of audit) {
      auditRow.run(...entry);
    }
    for (const id of orphans) {
      unfit += exists.get(id) === undefined ? 1 : 0;
    }
    open.carry(carry);
    open.forget(forget);
    moveCheckpoint.run(instance, to.segment, to.offset);
    return unfit;
  });
};

/** One bad row must not hold up all others; a full disk must. */
const insertRow = (insert: LedgerInsert, row: readonly unknown[]): boolean => {
  try {
    insert.run(row);
    return true;
  } catch (error) {
    if (isConstraintFailure(error) || error instanceof TypeError || error instanceof RangeError) {
      return false;
    }
    throw error;
  }
};

const createOpenRequests = (db: SqliteDatabase) => {
  const upsert: Statement<[number, string, string, string | null]> = db.prepare(
    "INSERT INTO open_requests (instance, id, intent, progress) VALUES (?, ?, ?, ?) " +
      "ON CONFLICT (id) DO UPDATE SET progress = excluded.progress",
  );
  const forgetOne = db.prepare<[string]>("DELETE FROM open_requests WHERE id = ?");
  const forgetAll = db.prepare<[number]>("DELETE FROM open_requests WHERE instance = ?");
  return {
    carry: (requests: readonly OpenRequest[]): void => {
      for (const { intent, progress } of requests) {
        const mark = progress === null ? null : JSON.stringify(progress);
        upsert.run(instance, intent[1], JSON.stringify(intent), mark);
      }
    },
    forget: (ids: FoldBatch["forget"]): void => {
      if (ids === "all") {
        forgetAll.run(instance);
        return;
      }
      for (const id of ids) {
        forgetOne.run(id);
      }
    },
  };
};
