/**
 * What the store keeps besides the ledger, as http/ and credentials/ see it. Implemented by store/.
 *
 * Records that code reads (devices, codes, audit entries) are spelled in camel case; reports that go to the
 * wire as they are (`Page`, `UsageSummary`, `RequestRow`) are spelled as on the wire, in Anthropic's words.
 *
 * Every promise here rejects with Refusal `storage_unavailable` when the store cannot do its work now
 * (disk full, I/O error, closed). Filters accept `undefined` for "not given".
 */

import type {
  DeviceId,
  EpochMs,
  MicroUsd,
  ModelId,
  OrganizationId,
  RequestId,
  UserId,
} from "@claude-relay/contract";
import type { Accuracy, Caller, Ending, Operation, Tokens } from "./types.ts";

/** One page of a list. `next_cursor` is opaque; null on the last page. */
export type Page<Row> = Readonly<{ data: readonly Row[]; next_cursor: string | null }>;

/** `limit` is 1–1000. An unknown cursor is refused with `invalid_request`. */
export type PageQuery = Readonly<{ limit: number; cursor?: string | undefined }>;

export type DeviceStatus = "pending" | "active" | "disabled" | "revoked";

export type DeviceRecord = Readonly<{
  id: DeviceId;
  status: DeviceStatus;
  label: string | null;
  appVersion: string | null;
  /** As given at `/bootstrap`; signs refreshes when present. */
  publicKey: string | null;
  /** What the device that asks for an approval brings in its place; counts once it is approved and collected. */
  waitingKey: string | null;
  userId: UserId | null;
  organizationId: OrganizationId | null;
  /** Exact ids or patterns with one trailing `*`; null means every model. */
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  createdAt: EpochMs;
  approvedAt: EpochMs | null;
  lastBootstrapAt: EpochMs | null;
  /** Tokens issued before this are dead; 0 when none are. */
  tokensValidAfter: EpochMs;
  /** Those issued before this ended as if replaced, since a replaced one came back; 0 when none did. */
  replayedAt: EpochMs;
}>;

export type DeviceChanges = Partial<Omit<DeviceRecord, "id" | "createdAt">>;

/** A token replaced at `/refresh`: it works until `deadAfter`, and is forgotten after `expiresAt`. */
export type SupersededToken = Readonly<{
  jti: string;
  deviceId: DeviceId;
  deadAfter: EpochMs;
  expiresAt: EpochMs;
}>;

export interface DeviceStore {
  /** Every device, for the in-memory index built at start. */
  loadAll(): Promise<readonly DeviceRecord[]>;
  get(id: DeviceId): Promise<DeviceRecord | null>;
  /** Newest first. */
  list(
    query: PageQuery & Readonly<{ status?: DeviceStatus | undefined }>,
  ): Promise<Page<DeviceRecord>>;
  /** Adds a device unless its id is taken: `inserted` is false and `device` is the one already there. */
  insert(device: DeviceRecord): Promise<Readonly<{ inserted: boolean; device: DeviceRecord }>>;
  /** Adds a device or replaces every field but `createdAt`. Gives the row as it now stands. */
  upsert(device: DeviceRecord): Promise<DeviceRecord>;
  /** Changes the given fields only. Gives the row as it now stands, or null for an unknown id. */
  update(id: DeviceId, changes: DeviceChanges): Promise<DeviceRecord | null>;
  /** The first call for a `jti` decides: a replay never moves `deadAfter`. Gives the row as it stands. */
  supersedeToken(token: SupersededToken): Promise<SupersededToken>;
  /**
   * Takes a nonce for a device's signature, once. Gives false when it was used already, by whichever process;
   * `now` and `until` say when it may be forgotten.
   */
  takeNonce(device: DeviceId, nonce: string, now: EpochMs, until: EpochMs): Promise<boolean>;
  /** Those whose `expiresAt` is still ahead of `now`; of one device when it is named. */
  loadSuperseded(now: EpochMs, device?: DeviceId): Promise<readonly SupersededToken[]>;
  /** Forgets those that have expired. Gives how many. */
  pruneSuperseded(now: EpochMs): Promise<number>;
}

/** An enrolment code; the code itself is never stored. The policy fields are stamped on each device it lets in. */
export type EnrollmentCodeRecord = Readonly<{
  id: string;
  /** SHA-256 of the code, in lower-case hex. */
  codeHash: string;
  label: string | null;
  usesLeft: number;
  maxUses: number;
  expiresAt: EpochMs;
  createdAt: EpochMs;
  revokedAt: EpochMs | null;
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  userId: UserId | null;
  organizationId: OrganizationId | null;
}>;

export type Consumption =
  | { readonly kind: "consumed"; readonly code: EnrollmentCodeRecord }
  | {
      readonly kind: "refused";
      readonly reason: "unknown" | "expired" | "used_up" | "revoked";
    };

export interface EnrollmentCodeStore {
  /** @throws Refusal `conflict` when the id or the hash is taken. */
  create(code: EnrollmentCodeRecord): Promise<EnrollmentCodeRecord>;
  /** Newest first. */
  list(query: PageQuery): Promise<Page<EnrollmentCodeRecord>>;
  /** Gives the row as it now stands, or null for an unknown id. Revoking twice keeps the first time. */
  revoke(id: string, now: EpochMs): Promise<EnrollmentCodeRecord | null>;
  /** Takes one use, atomically: of two callers racing for the last use, one is refused. */
  consume(codeHash: string, now: EpochMs): Promise<Consumption>;
}

export type AuditEntry = Readonly<{
  at: EpochMs;
  /** Who did it, e.g. `admin` or `device:mac-1`. */
  actor: string;
  /** What was done, e.g. `device.revoke`. */
  action: string;
  /** To what, e.g. a device id; null when to nothing in particular. */
  subject: string | null;
  /** `ok`, or why it was refused. */
  outcome: string;
  /** Anything JSON can say, free of secrets. */
  detail: Readonly<Record<string, unknown>> | null;
  clientIp: string | null;
}>;

export type AuditRow = AuditEntry & Readonly<{ id: number }>;

export type AuditQuery = PageQuery &
  Readonly<{ action?: string | undefined; subject?: string | undefined }>;

export interface AuditLog {
  /**
   * Resolves when the entry is in the database. May be left unawaited: order is kept, a clean shutdown loses
   * nothing, and a failure is reported as a store fault rather than as an unhandled rejection.
   */
  append(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<Page<AuditRow>>;
}

/** Which ledger rows are meant: `from` inclusive, `to` exclusive, both by `started_at`. */
export type UsageFilter = Readonly<{
  from?: EpochMs | undefined;
  to?: EpochMs | undefined;
  /** Only with the caller's kind is its id one caller's: an app key may be called what a device is called. */
  callerKind?: Caller["kind"] | undefined;
  callerId?: Caller["id"] | undefined;
  user?: UserId | undefined;
  organization?: OrganizationId | undefined;
  /** As in `x-claude-code-session-id`. */
  session?: string | undefined;
  model?: ModelId | undefined;
  operation?: Operation["kind"] | undefined;
  upstream?: string | undefined;
  status?: number | undefined;
  /** Rows that do not count. */
  except?: readonly RequestId[] | undefined;
}>;

export type UsageDimension =
  | "device"
  | "app_key"
  | "router"
  | "user"
  | "organization"
  | "model"
  /** The model that answered; the one asked for where no answer says. */
  | "answering_model"
  | "operation"
  | "upstream"
  | "day"
  | "hour"
  | "status"
  | "accuracy";

export type UsageTotals = Readonly<{
  requests: number;
  /**
   * Those whose caller got no whole answer for another reason than leaving: a status of 400 or more (499 too),
   * an error in the answer, an answer that broke off, a process that died.
   */
  errors: number;
  /** Those whose accuracy is `estimated`. */
  estimated: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_5m_input_tokens: number;
  cache_creation_1h_input_tokens: number;
  web_search_requests: number;
  web_fetch_requests: number;
  /** What is billed. */
  cost_micro_usd: MicroUsd;
  /** The same and what a subscription covers, at list prices. */
  list_price_micro_usd: MicroUsd;
  /** Percentiles by nearest rank, over rows that have a duration; null when none has. */
  duration_ms: Readonly<{ p50: number; p95: number; p99: number }> | null;
}>;

/** Days and hours are UTC: `2026-11-21`, `2026-11-21T13:00:00Z`. Null stands for rows without that value. */
export type UsageGroup = UsageTotals &
  Readonly<{ group: Readonly<Partial<Record<UsageDimension, string | number | null>>> }>;

export type UsageSummary = Readonly<{
  totals: UsageTotals;
  /** In the order of the grouping's values; empty without `groupBy`; at most 10,000. */
  groups: readonly UsageGroup[];
  /** True when there were more groups than are listed. `totals` always counts every row. */
  truncated: boolean;
}>;

/** One ledger row, as stored. Fields of an outcome are null only where upstream never said. */
export type RequestRow = Readonly<{
  id: RequestId;
  started_at: EpochMs;
  /** Null when the process died before the request ended. */
  finished_at: EpochMs | null;
  duration_ms: number | null;
  first_byte_ms: number | null;
  operation: Operation["kind"];
  caller_kind: Caller["kind"];
  caller_id: Caller["id"];
  user_id: UserId | null;
  organization_id: OrganizationId | null;
  session_id: string | null;
  model: ModelId | null;
  response_model: ModelId | null;
  stream: boolean;
  /** Null when the process died before the caller saw one. */
  status: number | null;
  accuracy: Accuracy;
  ending: Ending;
  error_type: string | null;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_5m_input_tokens: number;
  cache_creation_1h_input_tokens: number;
  web_search_requests: number;
  web_fetch_requests: number;
  service_tier: string | null;
  speed: string | null;
  inference_geo: string | null;
  iterations: readonly (Tokens & Readonly<{ model: ModelId | null }>)[] | null;
  /** At list prices; with the price flag `subscription` none of it is billed. */
  cost_micro_usd: MicroUsd;
  price_flag: string | null;
  hold_micro_usd: MicroUsd;
  body_bytes: number;
  upstream: string;
  upstream_request_id: string | null;
}>;

export interface UsageQueries {
  /** Sums over the matching rows, and the same by each combination of `groupBy`. */
  summary(
    query: UsageFilter & Readonly<{ groupBy?: readonly UsageDimension[] | undefined }>,
  ): Promise<UsageSummary>;
  /** The rows themselves, newest first. The cursor is stable while new rows arrive. */
  rows(query: UsageFilter & PageQuery): Promise<Page<RequestRow>>;
}
