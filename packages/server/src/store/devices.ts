import type { DeviceId, EpochMs } from "@claude-relay/contract";
import type { Kysely, Selectable, Updateable } from "kysely";
import type {
  DeviceChanges,
  DeviceRecord,
  DeviceStore,
  SupersededToken,
} from "../pipeline/ports.ts";
import { pageLimit, toPage } from "./cursor.ts";
import { fromJson, toJson } from "./json-column.ts";
import { after } from "./row-list.ts";
import type { DevicesTable, SupersededTokensTable, Tables } from "./schema.ts";

/** Devices and their superseded tokens, over any Kysely dialect. */
export const createDeviceStore = (db: Kysely<Tables>): DeviceStore => ({
  loadAll: async () => (await db.selectFrom("devices").selectAll().execute()).map(toDevice),
  get: (id) => getDevice(db, id),
  list: async ({ limit, cursor, status }) => {
    let query = db.selectFrom("devices").selectAll().orderBy("created_at", "desc");
    query = query
      .orderBy("id", "desc")
      .where(after(cursor))
      .limit(pageLimit(limit) + 1);
    if (status !== undefined) {
      query = query.where("status", "=", status);
    }
    return toPage(await query.execute(), limit, toDevice, (row) => [row.created_at, row.id]);
  },
  insert: async (device) => {
    const inserted = await db
      .insertInto("devices")
      .values(toDeviceRow(device))
      .onConflict((conflict) => conflict.column("id").doNothing())
      .returningAll()
      .executeTakeFirst();
    if (inserted !== undefined) {
      return { inserted: true, device: toDevice(inserted) };
    }
    return { inserted: false, device: (await getDevice(db, device.id)) ?? device };
  },
  upsert: async (device) => {
    const { id: _id, created_at: _createdAt, ...changes } = toDeviceRow(device);
    const row = await db
      .insertInto("devices")
      .values(toDeviceRow(device))
      .onConflict((conflict) => conflict.column("id").doUpdateSet(changes))
      .returningAll()
      .executeTakeFirstOrThrow();
    return toDevice(row);
  },
  update: (id, changes) => updateDevice(db, id, changes),
  supersedeToken: (token) => supersedeToken(db, token),
  takeNonce: async (device, nonce, now, until) => {
    await db.deleteFrom("device_nonces").where("forget_after", "<", now).execute();
    const taken = await db
      .insertInto("device_nonces")
      .values({ device_id: device, nonce, forget_after: until })
      .onConflict((conflict) => conflict.columns(["device_id", "nonce"]).doNothing())
      .returning("nonce")
      .executeTakeFirst();
    return taken !== undefined;
  },
  loadSuperseded: async (now, device) => {
    const all = db.selectFrom("superseded_tokens").selectAll().where("expires_at", ">", now);
    const wanted = device === undefined ? all : all.where("device_id", "=", device);
    return (await wanted.execute()).map(toSuperseded);
  },
  pruneSuperseded: (now) => pruneSuperseded(db, now),
});

const getDevice = async (db: Kysely<Tables>, id: DeviceId): Promise<DeviceRecord | null> => {
  const row = await db.selectFrom("devices").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toDevice(row);
};

const updateDevice = async (
  db: Kysely<Tables>,
  id: DeviceId,
  changes: DeviceChanges,
): Promise<DeviceRecord | null> => {
  const columns = toChangedColumns(changes);
  if (Object.keys(columns).length === 0) {
    return getDevice(db, id);
  }
  const row = await db
    .updateTable("devices")
    .set(columns)
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toDevice(row);
};

const supersedeToken = async (
  db: Kysely<Tables>,
  token: SupersededToken,
): Promise<SupersededToken> => {
  await db
    .insertInto("superseded_tokens")
    .values({
      jti: token.jti,
      device_id: token.deviceId,
      dead_after: token.deadAfter,
      expires_at: token.expiresAt,
    })
    .onConflict((conflict) => conflict.column("jti").doNothing())
    .execute();
  const row = await db
    .selectFrom("superseded_tokens")
    .selectAll()
    .where("jti", "=", token.jti)
    .executeTakeFirstOrThrow();
  return toSuperseded(row);
};

const pruneSuperseded = async (db: Kysely<Tables>, now: EpochMs): Promise<number> => {
  const result = await db
    .deleteFrom("superseded_tokens")
    .where("expires_at", "<=", now)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
};

const toDevice = (row: Selectable<DevicesTable>): DeviceRecord => ({
  id: row.id,
  status: row.status,
  label: row.label,
  appVersion: row.app_version,
  publicKey: row.public_key,
  waitingKey: row.waiting_key,
  userId: row.user_id,
  organizationId: row.organization_id,
  models: fromJson<string[]>(row.models),
  requestsPerMinute: row.requests_per_minute,
  createdAt: row.created_at,
  approvedAt: row.approved_at,
  lastBootstrapAt: row.last_bootstrap_at,
  tokensValidAfter: row.tokens_valid_after,
  replayedAt: row.replayed_at,
});

const toDeviceRow = (device: DeviceRecord): DevicesTable => ({
  id: device.id,
  status: device.status,
  label: device.label,
  app_version: device.appVersion,
  public_key: device.publicKey,
  waiting_key: device.waitingKey,
  user_id: device.userId,
  organization_id: device.organizationId,
  models: toJson(device.models),
  requests_per_minute: device.requestsPerMinute,
  created_at: device.createdAt,
  approved_at: device.approvedAt,
  last_bootstrap_at: device.lastBootstrapAt,
  tokens_valid_after: device.tokensValidAfter,
  replayed_at: device.replayedAt,
});

/** Only what was given: `undefined` leaves a column alone, `null` empties it. */
const toChangedColumns = (changes: DeviceChanges): Updateable<DevicesTable> => ({
  ...(changes.status !== undefined && { status: changes.status }),
  ...(changes.label !== undefined && { label: changes.label }),
  ...(changes.appVersion !== undefined && { app_version: changes.appVersion }),
  ...(changes.publicKey !== undefined && { public_key: changes.publicKey }),
  ...(changes.waitingKey !== undefined && { waiting_key: changes.waitingKey }),
  ...(changes.userId !== undefined && { user_id: changes.userId }),
  ...(changes.organizationId !== undefined && { organization_id: changes.organizationId }),
  ...(changes.models !== undefined && { models: toJson(changes.models) }),
  ...(changes.requestsPerMinute !== undefined && {
    requests_per_minute: changes.requestsPerMinute,
  }),
  ...(changes.approvedAt !== undefined && { approved_at: changes.approvedAt }),
  ...(changes.lastBootstrapAt !== undefined && { last_bootstrap_at: changes.lastBootstrapAt }),
  ...(changes.tokensValidAfter !== undefined && { tokens_valid_after: changes.tokensValidAfter }),
  ...(changes.replayedAt !== undefined && { replayed_at: changes.replayedAt }),
});

const toSuperseded = (row: Selectable<SupersededTokensTable>): SupersededToken => ({
  jti: row.jti,
  deviceId: row.device_id,
  deadAfter: row.dead_after,
  expiresAt: row.expires_at,
});
