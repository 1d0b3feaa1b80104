import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Accounts at an OpenID provider and the users they are, and which of them an approval was given with. */
export const signInLinks: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable("sign_in_links")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("issuer", "text", (column) => column.notNull())
      .addColumn("subject", "text", (column) => column.notNull())
      .addColumn("user_id", "text", (column) => column.notNull())
      .addColumn("linked_at", "bigint", (column) => column.notNull())
      // One account is one user, and one user is one account: whoever comes second is somebody else.
      .addUniqueConstraint("sign_in_links_one_user", ["issuer", "subject"])
      .addUniqueConstraint("sign_in_links_one_account", ["issuer", "user_id"])
      .execute();
    await db.schema.alterTable("device_grants").addColumn("link_id", "text").execute();
  },
};
