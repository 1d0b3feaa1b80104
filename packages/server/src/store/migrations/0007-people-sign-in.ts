import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** People who sign in: their passwords, the approvals they are asked for, refresh tokens, managed settings. */
export const peopleSignIn: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable("user_passwords")
      .addColumn("user_id", "text", (column) => column.primaryKey().notNull())
      .addColumn("hash", "text", (column) => column.notNull())
      .addColumn("changed_at", "bigint", (column) => column.notNull())
      .execute();
    await createDeviceGrants(db);
    await db.schema
      .createTable("refresh_tokens")
      .addColumn("hash", "text", (column) => column.primaryKey().notNull())
      .addColumn("device_id", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull())
      .addColumn("used_at", "bigint")
      .addColumn("successor_hash", "text")
      .execute();
    await db.schema
      .createIndex("refresh_tokens_by_expiry")
      .on("refresh_tokens")
      .column("expires_at")
      .execute();
    await db.schema
      .createTable("managed_settings")
      .addColumn("scope", "text", (column) => column.notNull())
      .addColumn("scope_id", "text", (column) => column.notNull())
      .addColumn("uuid", "text", (column) => column.notNull())
      .addColumn("checksum", "text", (column) => column.notNull())
      .addColumn("settings", "text", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("managed_settings_one_per_scope", ["scope", "scope_id"])
      .execute();
  },
};

const createDeviceGrants = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("device_grants")
    .addColumn("device_code_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("user_code_hash", "text", (column) => column.notNull().unique())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("user_id", "text")
    .addColumn("device_id", "text")
    .addColumn("client_ip", "text", (column) => column.notNull())
    .addColumn("user_agent", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("last_polled_at", "bigint")
    .addColumn("interval_seconds", "integer", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("device_grants_by_expiry")
    .on("device_grants")
    .column("expires_at")
    .execute();
};
