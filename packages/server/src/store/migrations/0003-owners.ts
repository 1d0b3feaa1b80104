import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const owners: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await createOwners(db);
    await createPolicies(db);
    await createBudgets(db);
    // Until now these ids were only written down: whoever owns something becomes a row, as old as what it owns.
    await adopt(db, "organizations", "organization_id");
    await adopt(db, "users", "user_id");
  },
};

const createOwners = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("organizations")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("name", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("users")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("name", "text")
    .addColumn("organization_id", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
};

const createPolicies = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("policies")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("scope", "text", (column) => column.notNull())
    .addColumn("scope_id", "text", (column) => column.notNull())
    .addColumn("models", "text")
    .addColumn("requests_per_minute", "integer")
    .addColumn("input_tokens_per_minute", "integer")
    .addColumn("output_tokens_per_minute", "integer")
    .addColumn("concurrency", "integer")
    .addColumn("requests_per_day", "integer")
    .addColumn("on_disconnect", "text")
    .addColumn("bootstrap", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addUniqueConstraint("policies_one_per_scope", ["scope", "scope_id"])
    .execute();
};

const createBudgets = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("budgets")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("scope", "text", (column) => column.notNull())
    .addColumn("scope_id", "text", (column) => column.notNull())
    .addColumn("unit", "text", (column) => column.notNull())
    .addColumn("amount", "bigint", (column) => column.notNull())
    .addColumn("window_kind", "text", (column) => column.notNull())
    .addColumn("window_hours", "integer")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
};

const adopt = async (
  db: Kysely<unknown>,
  table: "organizations" | "users",
  column: "organization_id" | "user_id",
): Promise<void> => {
  const id = sql.ref(column);
  await sql`
    insert into ${sql.table(table)} (id, created_at)
    select owner_id, min(created_at) from (
      select ${id} as owner_id, created_at from devices
      union all select ${id}, created_at from app_keys
      union all select ${id}, created_at from enrollment_codes
    ) as owned
    where owner_id is not null
    group by owner_id
  `.execute(db);
};
