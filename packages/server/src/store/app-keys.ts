import type { Kysely, Selectable } from "kysely";
import type { AppKeyRecord, AppKeyStore } from "../pipeline/app-key-ports.ts";
import { fromJson, toJson } from "./json-column.ts";
import { listRows } from "./row-list.ts";
import type { AppKeysTable, Tables } from "./schema.ts";

/** App keys, over any Kysely dialect. */
export const createAppKeyStore = (db: Kysely<Tables>): AppKeyStore => ({
  loadAll: async () => (await db.selectFrom("app_keys").selectAll().execute()).map(toAppKey),
  list: (query) => listRows(db, "app_keys", query, toAppKey),
  put: async (key) => {
    const row = toRow(key);
    const kept = await db
      .insertInto("app_keys")
      .values(row)
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet((is) => ({
          ...row,
          // The same key as before, used meanwhile perhaps; another time of minting is another key.
          last_used_at: is
            .case()
            .when("app_keys.created_at", "=", is.ref("excluded.created_at"))
            .then(is.ref("app_keys.last_used_at"))
            .else(is.ref("excluded.last_used_at"))
            .end(),
        })),
      )
      .returningAll()
      .executeTakeFirstOrThrow();
    return toAppKey(kept);
  },
  touch: async (uses) => {
    for (const { id, at } of uses) {
      await db
        .updateTable("app_keys")
        .set({ last_used_at: at })
        .where("id", "=", id)
        .where("created_at", "<=", at)
        .where((is) => is.or([is("last_used_at", "is", null), is("last_used_at", "<", at)]))
        .execute();
    }
  },
});

const toAppKey = (row: Selectable<AppKeysTable>): AppKeyRecord => ({
  id: row.id,
  secretHash: row.secret_hash,
  previousHash: row.previous_hash,
  previousValidUntil: row.previous_valid_until,
  createdAt: row.created_at,
  rotatedAt: row.rotated_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  lastUsedAt: row.last_used_at,
  models: fromJson<string[]>(row.models),
  requestsPerMinute: row.requests_per_minute,
  requestsPerDay: row.requests_per_day,
  concurrency: row.concurrency,
  doors: fromJson<NonNullable<AppKeyRecord["doors"]>>(row.doors),
  userId: row.user_id,
  organizationId: row.organization_id,
});

const toRow = (key: AppKeyRecord): AppKeysTable => ({
  id: key.id,
  secret_hash: key.secretHash,
  previous_hash: key.previousHash,
  previous_valid_until: key.previousValidUntil,
  created_at: key.createdAt,
  rotated_at: key.rotatedAt,
  expires_at: key.expiresAt,
  revoked_at: key.revokedAt,
  last_used_at: key.lastUsedAt,
  models: toJson(key.models),
  requests_per_minute: key.requestsPerMinute,
  requests_per_day: key.requestsPerDay,
  concurrency: key.concurrency,
  doors: toJson(key.doors),
  user_id: key.userId,
  organization_id: key.organizationId,
});
