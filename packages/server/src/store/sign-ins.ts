import type { Kysely, Selectable } from "kysely";
import type {
  DeviceGrant,
  DeviceGrantStore,
  PasswordStore,
  RefreshTokenRecord,
  RefreshTokenStore,
} from "../pipeline/sign-in-ports.ts";
import type { DeviceGrantsTable, RefreshTokensTable, Tables } from "./schema.ts";

/** People's passwords, over any Kysely dialect. */
export const createPasswordStore = (db: Kysely<Tables>): PasswordStore => ({
  get: async (userId) => {
    const row = await db
      .selectFrom("user_passwords")
      .selectAll()
      .where("user_id", "=", userId)
      .executeTakeFirst();
    return row === undefined
      ? null
      : { userId: row.user_id, hash: row.hash, changedAt: row.changed_at };
  },
  put: async ({ userId, hash, changedAt }) => {
    await db
      .insertInto("user_passwords")
      .values({ user_id: userId, hash, changed_at: changedAt })
      .onConflict((conflict) =>
        conflict.column("user_id").doUpdateSet({ hash, changed_at: changedAt }),
      )
      .execute();
  },
  remove: async (userId) => {
    const { numDeletedRows } = await db
      .deleteFrom("user_passwords")
      .where("user_id", "=", userId)
      .executeTakeFirst();
    return Number(numDeletedRows) > 0;
  },
});

/** Approvals that people are asked for, over any Kysely dialect. */
export const createDeviceGrantStore = (db: Kysely<Tables>): DeviceGrantStore => ({
  insert: async (grant, most) => {
    await db.deleteFrom("device_grants").where("expires_at", "<=", grant.createdAt).execute();
    const { count } = await db
      .selectFrom("device_grants")
      .select((is) => is.fn.countAll().as("count"))
      .executeTakeFirstOrThrow();
    if (Number(count) >= most) {
      return false;
    }
    const inserted = await db
      .insertInto("device_grants")
      .values(toGrantRow(grant))
      .onConflict((conflict) => conflict.doNothing())
      .returning("device_code_hash")
      .executeTakeFirst();
    return inserted !== undefined;
  },
  get: async (deviceCodeHash) => {
    const row = await db
      .selectFrom("device_grants")
      .selectAll()
      .where("device_code_hash", "=", deviceCodeHash)
      .executeTakeFirst();
    return row === undefined ? null : toGrant(row);
  },
  waiting: async (userCodeHash, now) => {
    const row = await db
      .selectFrom("device_grants")
      .selectAll()
      .where("user_code_hash", "=", userCodeHash)
      .where("status", "=", "pending")
      .where("expires_at", ">", now)
      .executeTakeFirst();
    return row === undefined ? null : toGrant(row);
  },
  decide: async (userCodeHash, decision, now) => {
    const isApproved = decision.kind === "approved";
    const by = isApproved
      ? { user_id: decision.userId, link_id: decision.linkId }
      : { user_id: null, link_id: null };
    const row = await db
      .updateTable("device_grants")
      .set({ status: decision.kind, ...by })
      .where("user_code_hash", "=", userCodeHash)
      .where("status", "=", "pending")
      .where("expires_at", ">", now)
      .returning("device_code_hash")
      .executeTakeFirst();
    return row !== undefined;
  },
  poll: async ({ deviceCodeHash, lastPolledAt }, at) => {
    const row = await db
      .updateTable("device_grants")
      .set({ last_polled_at: at })
      .where("device_code_hash", "=", deviceCodeHash)
      .where("last_polled_at", lastPolledAt === null ? "is" : "=", lastPolledAt)
      .returning("device_code_hash")
      .executeTakeFirst();
    return row !== undefined;
  },
  slowDown: async (deviceCodeHash, at, intervalSeconds) => {
    await db
      .updateTable("device_grants")
      .set({ last_polled_at: at, interval_seconds: intervalSeconds })
      .where("device_code_hash", "=", deviceCodeHash)
      .execute();
  },
  consume: async (deviceCodeHash, deviceId) => {
    const row = await db
      .updateTable("device_grants")
      .set({ status: "consumed", device_id: deviceId })
      .where("device_code_hash", "=", deviceCodeHash)
      .where("status", "=", "approved")
      .returning("device_code_hash")
      .executeTakeFirst();
    return row !== undefined;
  },
});

/** Refresh tokens, over any Kysely dialect. */
export const createRefreshTokenStore = (db: Kysely<Tables>): RefreshTokenStore => ({
  insert: async (token) => {
    await db.insertInto("refresh_tokens").values(toTokenRow(token)).execute();
  },
  get: async (hash) => {
    const row = await db
      .selectFrom("refresh_tokens")
      .selectAll()
      .where("hash", "=", hash)
      .executeTakeFirst();
    return row === undefined ? null : toToken(row);
  },
  rotate: (hash, successor) =>
    db.transaction().execute(async (inside) => {
      const marked = await inside
        .updateTable("refresh_tokens")
        .set({ used_at: successor.createdAt, successor_hash: successor.hash })
        .where("hash", "=", hash)
        .where("used_at", "is", null)
        .returning("hash")
        .executeTakeFirst();
      if (marked === undefined) {
        return false;
      }
      await inside.insertInto("refresh_tokens").values(toTokenRow(successor)).execute();
      return true;
    }),
  prune: async (now) => {
    await db.deleteFrom("refresh_tokens").where("expires_at", "<=", now).execute();
  },
});

const toGrant = (row: Selectable<DeviceGrantsTable>): DeviceGrant => ({
  deviceCodeHash: row.device_code_hash,
  userCodeHash: row.user_code_hash,
  status: row.status,
  userId: row.user_id,
  deviceId: row.device_id,
  clientIp: row.client_ip,
  userAgent: row.user_agent,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastPolledAt: row.last_polled_at,
  intervalSeconds: row.interval_seconds,
  linkId: row.link_id,
});

const toGrantRow = (grant: DeviceGrant): DeviceGrantsTable => ({
  device_code_hash: grant.deviceCodeHash,
  user_code_hash: grant.userCodeHash,
  status: grant.status,
  user_id: grant.userId,
  device_id: grant.deviceId,
  client_ip: grant.clientIp,
  user_agent: grant.userAgent,
  created_at: grant.createdAt,
  expires_at: grant.expiresAt,
  last_polled_at: grant.lastPolledAt,
  interval_seconds: grant.intervalSeconds,
  link_id: grant.linkId,
});

const toToken = (row: Selectable<RefreshTokensTable>): RefreshTokenRecord => ({
  hash: row.hash,
  deviceId: row.device_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  usedAt: row.used_at,
  successorHash: row.successor_hash,
});

const toTokenRow = (token: RefreshTokenRecord): RefreshTokensTable => ({
  hash: token.hash,
  device_id: token.deviceId,
  created_at: token.createdAt,
  expires_at: token.expiresAt,
  used_at: token.usedAt,
  successor_hash: token.successorHash,
});
