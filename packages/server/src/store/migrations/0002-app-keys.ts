import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const appKeys: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    // A caller is now a device or an app: `caller_kind` says which.
    await db.schema.alterTable("requests").renameColumn("device_id", "caller_id").execute();
    await db.schema
      .createTable("app_keys")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("secret_hash", "text", (column) => column.notNull().unique())
      .addColumn("previous_hash", "text")
      .addColumn("previous_valid_until", "bigint")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("rotated_at", "bigint")
      .addColumn("expires_at", "bigint")
      .addColumn("revoked_at", "bigint")
      .addColumn("last_used_at", "bigint")
      .addColumn("models", "text")
      .addColumn("requests_per_minute", "integer")
      .addColumn("requests_per_day", "integer")
      .addColumn("concurrency", "integer")
      .addColumn("doors", "text")
      .addColumn("user_id", "text")
      .addColumn("organization_id", "text")
      .execute();
  },
};
