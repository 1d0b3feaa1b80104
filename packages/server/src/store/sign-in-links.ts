import type { Kysely, Selectable } from "kysely";
import type { SignInLink, SignInLinkStore } from "../pipeline/sign-in-ports.ts";
import type { SignInLinksTable, Tables } from "./schema.ts";

/** Which account at which provider is which user, over any Kysely dialect. */
export const createSignInLinkStore = (db: Kysely<Tables>): SignInLinkStore => ({
  get: async (id) => {
    const row = await db
      .selectFrom("sign_in_links")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : toLink(row);
  },
  ofAccount: async (issuer, subject) => {
    const row = await db
      .selectFrom("sign_in_links")
      .selectAll()
      .where("issuer", "=", issuer)
      .where("subject", "=", subject)
      .executeTakeFirst();
    return row === undefined ? null : toLink(row);
  },
  ofUser: async (userId) => {
    const rows = await db
      .selectFrom("sign_in_links")
      .selectAll()
      .where("user_id", "=", userId)
      .orderBy("linked_at")
      .execute();
    return rows.map(toLink);
  },
  insert: async ({ id, issuer, subject, userId, linkedAt }) => {
    const row = await db
      .insertInto("sign_in_links")
      .values({ id, issuer, subject, user_id: userId, linked_at: linkedAt })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
    return row !== undefined;
  },
  removeOf: async (userId) => {
    const { numDeletedRows } = await db
      .deleteFrom("sign_in_links")
      .where("user_id", "=", userId)
      .executeTakeFirst();
    return Number(numDeletedRows);
  },
});

const toLink = (row: Selectable<SignInLinksTable>): SignInLink => ({
  id: row.id,
  issuer: row.issuer,
  subject: row.subject,
  userId: row.user_id,
  linkedAt: row.linked_at,
});
