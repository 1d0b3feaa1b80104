import type { OrganizationId, UserId } from "@claude-relay/contract";
import type { Kysely } from "kysely";
import type {
  OrganizationRecord,
  OrganizationStore,
  UserRecord,
  UserStore,
} from "../pipeline/owner-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { pageLimit, toPage } from "./cursor.ts";
import { removeOwner } from "./owner-removal.ts";
import { after } from "./row-list.ts";
import type { OrganizationsTable, Tables, UsersTable } from "./schema.ts";

/** Organizations, over any Kysely dialect. */
export const createOrganizationStore = (db: Kysely<Tables>): OrganizationStore => ({
  loadAll: async () =>
    (await db.selectFrom("organizations").selectAll().execute()).map(toOrganization),
  list: async ({ limit, cursor }) => {
    const rows = await db
      .selectFrom("organizations")
      .selectAll()
      .where(after(cursor))
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(pageLimit(limit) + 1)
      .execute();
    return toPage(rows, limit, toOrganization, (row) => [row.created_at, row.id]);
  },
  insert: async ({ id, name, createdAt }) => {
    const row = await db
      .insertInto("organizations")
      .values({ id, name, created_at: createdAt })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? taken("organization", id) : toOrganization(row);
  },
  replace: async ({ id, name }) => {
    const row = await db
      .updateTable("organizations")
      .set({ name })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toOrganization(row);
  },
  remove: (id, now) => removeOwner(db, "organization", id, now),
});

/** Users, over any Kysely dialect. */
export const createUserStore = (db: Kysely<Tables>): UserStore => ({
  loadAll: async () => (await db.selectFrom("users").selectAll().execute()).map(toUser),
  list: async ({ limit, cursor }) => {
    const rows = await db
      .selectFrom("users")
      .selectAll()
      .where(after(cursor))
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(pageLimit(limit) + 1)
      .execute();
    return toPage(rows, limit, toUser, (row) => [row.created_at, row.id]);
  },
  insert: async ({ id, name, organizationId, createdAt }) => {
    const row = await db
      .insertInto("users")
      .values({ id, name, organization_id: organizationId, created_at: createdAt })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? taken("user", id) : toUser(row);
  },
  replace: async ({ id, name, organizationId }) => {
    const row = await db
      .updateTable("users")
      .set({ name, organization_id: organizationId })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toUser(row);
  },
  remove: (id, now) => removeOwner(db, "user", id, now),
});

const taken = (kind: string, id: OrganizationId | UserId): never => {
  throw new Refusal(
    "conflict",
    `There is ${kind === "user" ? "a" : "an"} ${kind} "${id}" already.`,
  );
};

const toOrganization = (row: OrganizationsTable): OrganizationRecord => ({
  id: row.id,
  name: row.name,
  createdAt: row.created_at,
});

const toUser = (row: UsersTable): UserRecord => ({
  id: row.id,
  name: row.name,
  organizationId: row.organization_id,
  createdAt: row.created_at,
});
