import type { DeviceId, EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Removal } from "../pipeline/owner-ports.ts";
import { signInPrefix } from "../pipeline/sign-in-ports.ts";
import type { Tables } from "./schema.ts";

type OwnerKind = "organization" | "user";

/** So many are named. */
const mostNamed = 10;

/**
 * Removes an organization or a user, and the policy set on it: both or neither. Whoever still belongs to it
 * keeps it: users, devices, app keys and routers that are not revoked, enrollment codes that still open, budgets.
 */
export const removeOwner = (
  db: Kysely<Tables>,
  kind: OwnerKind,
  id: OrganizationId | UserId,
  now: EpochMs,
): Promise<Removal> =>
  db.transaction().execute(async (inside) => {
    const members = await membersOf(inside, kind, id, now);
    if (members.length > 0) {
      const named = members.slice(0, mostNamed);
      return { kind: "in_use", members: named, more: members.length - named.length };
    }
    await inside
      .deleteFrom("policies")
      .where("scope", "=", kind)
      .where("scope_id", "=", id)
      .execute();
    await inside
      .deleteFrom("managed_settings")
      .where("scope", "=", kind)
      .where("scope_id", "=", id)
      .execute();
    if (kind === "user") {
      // Whoever gets this id next must not inherit the password, nor the account at a provider.
      await inside
        .deleteFrom("user_passwords")
        .where("user_id", "=", id as UserId)
        .execute();
      await inside
        .deleteFrom("sign_in_links")
        .where("user_id", "=", id as UserId)
        .execute();
    }
    const { numDeletedRows } = await inside
      .deleteFrom(kind === "user" ? "users" : "organizations")
      .where("id", "=", id)
      .executeTakeFirst();
    return { kind: Number(numDeletedRows) > 0 ? "removed" : "unknown" };
  });

const membersOf = async (
  db: Kysely<Tables>,
  kind: OwnerKind,
  id: OrganizationId | UserId,
  now: EpochMs,
): Promise<string[]> => {
  const owner = sql.ref(kind === "user" ? "user_id" : "organization_id");
  const belongs = sql<boolean>`${owner} = ${id}`;
  const users =
    kind === "user"
      ? []
      : await db.selectFrom("users").select("id").where(belongs).orderBy("id").execute();
  const devices = await db
    .selectFrom("devices")
    .select("id")
    .where(belongs)
    // A sign-in ends with its person.
    .where("id", "not like", `${signInPrefix}%` as DeviceId)
    .orderBy("id")
    .execute();
  const keys = await db
    .selectFrom("app_keys")
    .select("id")
    .where(belongs)
    .where("revoked_at", "is", null)
    .orderBy("id")
    .execute();
  const routers = await db
    .selectFrom("routers")
    .select("id")
    .where(belongs)
    .where("revoked_at", "is", null)
    .orderBy("id")
    .execute();
  const codes = await db
    .selectFrom("enrollment_codes")
    .select("id")
    .where(belongs)
    .where("revoked_at", "is", null)
    .where("uses_left", ">", 0)
    .where("expires_at", ">", now)
    .orderBy("id")
    .execute();
  const budgets = await db
    .selectFrom("budgets")
    .select("id")
    .where("scope", "=", kind)
    .where("scope_id", "=", id)
    .orderBy("id")
    .execute();
  const named = (what: string, rows: readonly Readonly<{ id: string }>[]): string[] =>
    rows.map((row) => `${what} "${row.id}"`);
  return [
    ...named("user", users),
    ...named("device", devices),
    ...named("app key", keys),
    ...named("router", routers),
    ...named("enrollment code", codes),
    ...named("budget", budgets),
  ];
};
