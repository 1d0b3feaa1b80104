import assert from "node:assert/strict";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { kyselyOver } from "../database.ts";
import { migrate, migrations } from "./migrate.ts";

const insert = (sqlite: Sqlite.Database, table: string, row: Readonly<Record<string, unknown>>) => {
  const marks = Object.keys(row).map(() => "?");
  sqlite
    .prepare(`INSERT INTO ${table} (${Object.keys(row)}) VALUES (${marks})`)
    .run(Object.values(row));
};

test("whoever owned something becomes a row, as old as the oldest thing it owns", async (context) => {
  const sqlite = new Sqlite(":memory:");
  context.after(() => sqlite.close());
  const db = kyselyOver(sqlite);
  const older = Object.entries(migrations).filter(([name]) => name < "0003");
  await migrate(db, Object.fromEntries(older));
  const device = { status: "active", tokens_valid_after: 0 };
  insert(sqlite, "devices", { ...device, id: "d1", user_id: "ann", created_at: 30 });
  insert(sqlite, "devices", { ...device, id: "d2", organization_id: "Old Lab!", created_at: 40 });
  insert(sqlite, "devices", { ...device, id: "d3", created_at: 1 });
  const key = { secret_hash: "h", user_id: "ann", organization_id: "org" };
  insert(sqlite, "app_keys", { ...key, id: "k", created_at: 20 });
  const code = { code_hash: "c", uses_left: 1, max_uses: 1, expires_at: 99 };
  insert(sqlite, "enrollment_codes", { ...code, id: "e", user_id: "bob", created_at: 50 });
  await migrate(db);
  const rows = (table: string) => sqlite.prepare(`SELECT * FROM ${table} ORDER BY id`).all();
  assert.deepEqual(rows("users"), [
    { id: "ann", name: null, organization_id: null, created_at: 20 },
    { id: "bob", name: null, organization_id: null, created_at: 50 },
  ]);
  assert.deepEqual(rows("organizations"), [
    { id: "Old Lab!", name: null, created_at: 40 },
    { id: "org", name: null, created_at: 20 },
  ]);
  const kept = sqlite.prepare("SELECT user_id, organization_id FROM app_keys").get();
  assert.deepEqual(kept, { user_id: "ann", organization_id: "org" });
});
