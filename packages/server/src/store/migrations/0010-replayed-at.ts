import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** When a device's tokens ended because a replaced one came back: its key alone then gets it new ones. And an index. */
export const replayedAt: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .alterTable("devices")
      .addColumn("replayed_at", "bigint", (column) => column.notNull().defaultTo(0))
      .execute();
    // They are remembered for weeks, and one device's are read at a time.
    await db.schema
      .createIndex("superseded_by_device")
      .on("superseded_tokens")
      .column("device_id")
      .execute();
  },
};
