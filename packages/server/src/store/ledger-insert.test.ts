import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { openDatabase, type SqliteDatabase } from "./database.ts";
import { LedgerInsert } from "./ledger-insert.ts";
import { ledgerColumns } from "./ledger-row.ts";
import { tempDir } from "./testing/temp-dir.ts";

const newDatabase = async (context: TestContext): Promise<SqliteDatabase> => {
  const db = await openDatabase({ dataDir: tempDir(context), durable: false, busyTimeoutMs: 100 });
  context.after(() => db.close());
  return db;
};

const stored = (db: SqliteDatabase): unknown[] =>
  db.prepare(`SELECT ${ledgerColumns} FROM requests ORDER BY id`).raw().all();

/** One statement for all rows, every value a parameter. */
const insertPlainly = (db: SqliteDatabase, rows: readonly unknown[][]): void => {
  const parameters = ledgerColumns.map(() => "?");
  const insert = db.prepare(`INSERT INTO requests (${ledgerColumns}) VALUES (${parameters})`);
  for (const row of rows) {
    insert.run(...row);
  }
};

/** Values as the journal holds them; often those that most rows have, and their look-alikes. */
const value = fc.oneof(
  fc.constantFrom(0, 1, 200, -0, "0", "200", "", "messages", "device", "measured", "complete"),
  fc.constantFrom("standard", "not_available", "it's", "?", "NULL"),
  fc.nat(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string(),
);
const nullable: ReadonlySet<string> = new Set([
  ...["user_id", "organization_id", "session_id", "model", "response_model", "price_flag"],
  ...["error_type", "service_tier", "speed", "inference_geo", "iterations", "finished_at"],
  ...["duration_ms", "first_byte_ms", "status", "upstream_request_id"],
]);
const row = fc.tuple(
  ...ledgerColumns.slice(1).map((column) => (nullable.has(column) ? fc.option(value) : value)),
);

test("a row is stored as a plain statement stores it, however many kinds of rows there are", async (context) => {
  const [db, plain] = [await newDatabase(context), await newDatabase(context)];
  const insert = new LedgerInsert(db);
  let ids = 0;
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (samples) => {
      const rows = samples.map((sample) => [`req_${String(++ids).padStart(9, "0")}`, ...sample]);
      for (const one of rows) {
        insert.run(one);
      }
      insertPlainly(plain, rows);
      assert.deepEqual(stored(db), stored(plain));
      db.exec("DELETE FROM requests");
      plain.exec("DELETE FROM requests");
    }),
  );
});

test("a row that is there already stays as it is", async (context) => {
  const db = await newDatabase(context);
  const insert = new LedgerInsert(db);
  const [first, second] = fc.sample(row, 2).map((sample) => ["req_1", ...sample]);
  insert.run(first as unknown[]);
  const before = stored(db);
  insert.run(second as unknown[]);
  assert.deepEqual(stored(db), before);
});

test("a row of too few values is refused", async (context) => {
  const insert = new LedgerInsert(await newDatabase(context));
  assert.throws(() => insert.run(["req_1", 1]), RangeError);
});
