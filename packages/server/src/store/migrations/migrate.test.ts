import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import Sqlite from "better-sqlite3";
import type { Kysely } from "kysely";
import { kyselyOver } from "../database.ts";
import { ledgerColumns } from "../ledger-row.ts";
import { migrate, migrations } from "./migrate.ts";

const emptyDatabase = (context: TestContext) => {
  const sqlite = new Sqlite(":memory:");
  context.after(() => sqlite.close());
  const schema = () =>
    sqlite.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").all();
  return { sqlite, db: kyselyOver(sqlite), schema };
};

/** One row in every table, by the columns the table has. */
const fill = (sqlite: Sqlite.Database): Map<string, unknown[]> => {
  const tables = sqlite
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'kysely_%'",
    )
    .pluck()
    .all() as string[];
  for (const table of tables) {
    const columns = sqlite.pragma(`table_info(${table})`) as { name: string }[];
    const marks = columns.map(() => "?").join(", ");
    sqlite
      .prepare(`INSERT INTO ${table} VALUES (${marks})`)
      .run(columns.map((_, index) => index + 1));
  }
  return new Map(tables.map((table) => [table, sqlite.prepare(`SELECT * FROM ${table}`).all()]));
};

test("an empty database comes to the newest schema, and stays as it is when migrated again", async (context) => {
  const { sqlite, db, schema } = emptyDatabase(context);
  await migrate(db);
  const first = schema();
  const columns = sqlite.pragma("table_info(requests)") as { name: string }[];
  assert.deepEqual(columns.map(({ name }) => name).sort(), [...ledgerColumns].sort());
  await migrate(db);
  assert.deepEqual(schema(), first);
});

type Row = Readonly<Record<string, unknown>>;

const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  requests: { device_id: "caller_id" },
  journal_checkpoint: { id: "instance" },
};

const asNamedNow = (table: string, row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [renamed[table]?.[column] ?? column, value]),
  );

test("every migration keeps the rows that were there", async (context) => {
  const names = Object.keys(migrations).sort();
  for (let upTo = 1; upTo <= names.length; upTo++) {
    const { sqlite, db } = emptyDatabase(context);
    const older = Object.fromEntries(names.slice(0, upTo).map((name) => [name, migrations[name]!]));
    await migrate(db, older);
    const before = fill(sqlite);
    await migrate(db);
    for (const [table, [row]] of before) {
      const [after] = sqlite.prepare(`SELECT * FROM ${table}`).all();
      // Columns may be added or renamed, never lost.
      assert.deepEqual({ ...(after as object), ...asNamedNow(table, row as Row) }, after, table);
    }
  }
});

test("a migration that fails is named and undone", async (context) => {
  const { db, schema } = emptyDatabase(context);
  await migrate(db);
  const before = schema();
  const broken = {
    up: async (inside: Kysely<unknown>): Promise<void> => {
      await inside.schema.createTable("half").addColumn("id", "text").execute();
      throw new Error("planted");
    },
  };
  await assert.rejects(migrate(db, { ...migrations, "9999-broken": broken }), /9999-broken/);
  assert.deepEqual(schema(), before);
});

test("a database of a newer claude-relay is refused with the remedy", async (context) => {
  const { db } = emptyDatabase(context);
  const newer = { up: () => Promise.resolve() };
  await migrate(db, { ...migrations, "9999-newer": newer });
  await assert.rejects(migrate(db), /newer claude-relay/);
});
