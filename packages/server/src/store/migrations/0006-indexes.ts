import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** For what was found by reading the whole table: a session's spending, and what became of one thing. */
export const indexes: Migration = {
  up: async (db: Kysely<never>): Promise<void> => {
    const sessions = db as unknown as Kysely<{ requests: { session_id: string | null } }>;
    // Few requests name a session: the others cost this index nothing.
    await sessions.schema
      .createIndex("requests_by_session")
      .on("requests")
      .columns(["session_id", "started_at"])
      .where("session_id", "is not", null)
      .execute();
    await db.schema
      .createIndex("audit_by_subject")
      .on("audit")
      .columns(["action", "subject", "id"])
      .execute();
  },
};
