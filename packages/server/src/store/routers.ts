import { epochMs } from "@claude-relay/contract";
import type { Kysely, Selectable } from "kysely";
import { Refusal } from "../pipeline/refusal.ts";
import type { RouterRecord, RouterStore } from "../pipeline/router-ports.ts";
import { fromJson, toJson } from "./json-column.ts";
import { listRows } from "./row-list.ts";
import type { RoutersTable, Tables } from "./schema.ts";

/** Routers, over any Kysely dialect. */
export const createRouterStore = (db: Kysely<Tables>): RouterStore => ({
  loadAll: async () => (await db.selectFrom("routers").selectAll().execute()).map(toRouter),
  list: (query) => listRows(db, "routers", query, toRouter),
  insert: async (router) => {
    const row = await db
      .insertInto("routers")
      .values(toRow(router))
      .onConflict((conflict) => conflict.column("id").doNothing())
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toRouter(row);
  },
  replace: (router) => replaceRouter(db, router),
  touch: async (sightings) => {
    for (const { id, at, identity } of sightings) {
      await db
        .updateTable("routers")
        .set({ last_seen_at: at, identity })
        .where("id", "=", id)
        .where("created_at", "<=", at)
        .where((is) => is.or([is("last_seen_at", "is", null), is("last_seen_at", "<", at)]))
        .execute();
    }
  },
});

const replaceRouter = async (db: Kysely<Tables>, router: RouterRecord): Promise<RouterRecord> => {
  const { identity, last_seen_at: seen, ...changes } = toRow(router);
  const isSame = epochMs(router.createdAt);
  const row = await db
    .updateTable("routers")
    .set((is) => ({
      ...changes,
      // The same router as before, seen meanwhile perhaps; another time of making is another router.
      identity: is
        .case()
        .when("created_at", "=", isSame)
        .then(is.ref("identity"))
        .else(identity)
        .end(),
      last_seen_at: is
        .case()
        .when("created_at", "=", isSame)
        .then(is.ref("last_seen_at"))
        .else(seen)
        .end(),
    }))
    .where("id", "=", router.id)
    // A newer secret, or the same one: then nothing turns a revocation back.
    .where((is) =>
      is.or([
        is("generation", "<", router.generation),
        is.and([
          is("generation", "=", router.generation),
          router.revokedAt === null ? is("revoked_at", "is", null) : is.lit(true),
        ]),
      ]),
    )
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    throw new Refusal(
      "conflict",
      `The router "${router.id}" was changed elsewhere meanwhile: look at it again (GET /admin/routers/${router.id}).`,
    );
  }
  return toRouter(row);
};

const toRouter = (row: Selectable<RoutersTable>): RouterRecord => ({
  id: row.id,
  enrolledBy: row.enrolled_by,
  generation: row.generation,
  identity: row.identity,
  createdAt: row.created_at,
  rotatedAt: row.rotated_at,
  revokedAt: row.revoked_at,
  lastSeenAt: row.last_seen_at,
  models: fromJson<string[]>(row.models),
  requestsPerMinute: row.requests_per_minute,
  userId: row.user_id,
  organizationId: row.organization_id,
});

const toRow = (router: RouterRecord): RoutersTable => ({
  id: router.id,
  enrolled_by: router.enrolledBy,
  generation: router.generation,
  identity: router.identity,
  created_at: router.createdAt,
  rotated_at: router.rotatedAt,
  revoked_at: router.revokedAt,
  last_seen_at: router.lastSeenAt,
  models: toJson(router.models),
  requests_per_minute: router.requestsPerMinute,
  user_id: router.userId,
  organization_id: router.organizationId,
});
