import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Several instances may share one database; each folds its own journal. In SQLite there is one, number 1. */
export const instances: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema.alterTable("journal_checkpoint").renameColumn("id", "instance").execute();
    await db.schema
      .alterTable("open_requests")
      .addColumn("instance", "integer", (column) => column.notNull().defaultTo(1))
      .execute();
  },
};
