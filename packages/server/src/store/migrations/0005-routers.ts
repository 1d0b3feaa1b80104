import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const routers: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable("routers")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("enrolled_by", "text", (column) => column.notNull())
      .addColumn("generation", "integer", (column) => column.notNull())
      .addColumn("identity", "text")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("rotated_at", "bigint")
      .addColumn("revoked_at", "bigint")
      .addColumn("last_seen_at", "bigint")
      .addColumn("models", "text")
      .addColumn("requests_per_minute", "integer")
      .addColumn("user_id", "text")
      .addColumn("organization_id", "text")
      .execute();
  },
};
