import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What signed renewals need: nonces used once, over all processes, and the key of a device that waits. */
export const deviceKeys: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema.alterTable("devices").addColumn("waiting_key", "text").execute();
    await db.schema
      .createTable("device_nonces")
      .addColumn("device_id", "text", (column) => column.notNull())
      .addColumn("nonce", "text", (column) => column.notNull())
      .addColumn("forget_after", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("device_nonces_once", ["device_id", "nonce"])
      .execute();
    await db.schema
      .createIndex("device_nonces_by_time")
      .on("device_nonces")
      .column("forget_after")
      .execute();
  },
};
