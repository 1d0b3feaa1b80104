import type { OrganizationId, UserId } from "@claude-relay/contract";
import type { Kysely } from "kysely";
import type {
  OrganizationRecord,
  OrganizationStore,
  UserRecord,
  UserStore,
} from "../pipeline/owner-ports.ts";
import { removeOwner } from "./owner-removal.ts";
import { createRowStore } from "./row-store.ts";
import type { OrganizationsTable, Tables, UsersTable } from "./schema.ts";

/** Organizations, over any Kysely dialect. */
export const createOrganizationStore = (db: Kysely<Tables>): OrganizationStore => ({
  ...createRowStore<OrganizationId, OrganizationRecord, OrganizationsTable>(db, {
    table: "organizations",
    toRow: ({ id, name, createdAt }) => ({ id, name, created_at: createdAt }),
    toShown: toOrganization,
    taken: ({ id }) => `There is an organization "${id}" already.`,
  }),
  remove: (id, now) => removeOwner(db, "organization", id, now),
});

/** Users, over any Kysely dialect. */
export const createUserStore = (db: Kysely<Tables>): UserStore => ({
  ...createRowStore<UserId, UserRecord, UsersTable>(db, {
    table: "users",
    toRow: ({ id, name, organizationId, createdAt }) => ({
      id,
      name,
      organization_id: organizationId,
      created_at: createdAt,
    }),
    toShown: toUser,
    taken: ({ id }) => `There is a user "${id}" already.`,
  }),
  remove: (id, now) => removeOwner(db, "user", id, now),
});

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
