import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const initial: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await createRequests(db);
    await createDevices(db);
    await createEnrollmentCodes(db);
    await createAudit(db);
    await createFoldTables(db);
  },
};

const createRequests = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("requests")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("started_at", "bigint", (column) => column.notNull())
    .addColumn("finished_at", "bigint")
    .addColumn("duration_ms", "bigint")
    .addColumn("first_byte_ms", "bigint")
    .addColumn("operation", "text", (column) => column.notNull())
    .addColumn("caller_kind", "text", (column) => column.notNull())
    .addColumn("device_id", "text", (column) => column.notNull())
    .addColumn("user_id", "text")
    .addColumn("organization_id", "text")
    .addColumn("session_id", "text")
    .addColumn("model", "text")
    .addColumn("response_model", "text")
    .addColumn("stream", "integer", (column) => column.notNull())
    .addColumn("status", "integer")
    .addColumn("accuracy", "text", (column) => column.notNull())
    .addColumn("ending", "text", (column) => column.notNull())
    .addColumn("error_type", "text")
    .addColumn("input_tokens", "bigint", (column) => column.notNull())
    .addColumn("output_tokens", "bigint", (column) => column.notNull())
    .addColumn("cache_read_input_tokens", "bigint", (column) => column.notNull())
    .addColumn("cache_creation_5m_input_tokens", "bigint", (column) => column.notNull())
    .addColumn("cache_creation_1h_input_tokens", "bigint", (column) => column.notNull())
    .addColumn("web_search_requests", "bigint", (column) => column.notNull())
    .addColumn("web_fetch_requests", "bigint", (column) => column.notNull())
    .addColumn("service_tier", "text")
    .addColumn("speed", "text")
    .addColumn("inference_geo", "text")
    .addColumn("iterations", "text")
    .addColumn("cost_micro_usd", "bigint", (column) => column.notNull())
    .addColumn("price_flag", "text")
    .addColumn("hold_micro_usd", "bigint", (column) => column.notNull())
    .addColumn("body_bytes", "bigint", (column) => column.notNull())
    .addColumn("upstream", "text", (column) => column.notNull())
    .addColumn("upstream_request_id", "text")
    .execute();
  // Each index costs every request; these two serve "newest first", a span of time, and one device's rows.
  await db.schema
    .createIndex("requests_by_start")
    .on("requests")
    .columns(["started_at", "id"])
    .execute();
  await db.schema
    .createIndex("requests_by_device")
    .on("requests")
    .columns(["device_id", "started_at"])
    .execute();
};

const createDevices = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("devices")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("label", "text")
    .addColumn("app_version", "text")
    .addColumn("public_key", "text")
    .addColumn("user_id", "text")
    .addColumn("organization_id", "text")
    .addColumn("models", "text")
    .addColumn("requests_per_minute", "integer")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("approved_at", "bigint")
    .addColumn("last_bootstrap_at", "bigint")
    .addColumn("tokens_valid_after", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("superseded_tokens")
    .addColumn("jti", "text", (column) => column.primaryKey().notNull())
    .addColumn("device_id", "text", (column) => column.notNull())
    .addColumn("dead_after", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .execute();
};

const createEnrollmentCodes = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("enrollment_codes")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("code_hash", "text", (column) => column.notNull().unique())
    .addColumn("label", "text")
    .addColumn("uses_left", "integer", (column) => column.notNull())
    .addColumn("max_uses", "integer", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("revoked_at", "bigint")
    .addColumn("models", "text")
    .addColumn("requests_per_minute", "integer")
    .addColumn("user_id", "text")
    .addColumn("organization_id", "text")
    .execute();
};

const createAudit = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("audit")
    // The one definition Postgres spells differently: there, `generatedAlwaysAsIdentity()`.
    .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("subject", "text")
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("detail", "text")
    .addColumn("client_ip", "text")
    .execute();
};

const createFoldTables = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("open_requests")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("intent", "text", (column) => column.notNull())
    .addColumn("progress", "text")
    .execute();
  await db.schema
    .createTable("journal_checkpoint")
    .addColumn("id", "integer", (column) => column.primaryKey().notNull())
    .addColumn("segment", "bigint", (column) => column.notNull())
    .addColumn("offset_bytes", "bigint", (column) => column.notNull())
    .execute();
};
