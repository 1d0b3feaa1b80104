import type {
  AppKeyId,
  BudgetId,
  DeviceId,
  EpochMs,
  OrganizationId,
  PolicyId,
  RouterId,
  UserId,
} from "@claude-relay/contract";
import type { ColumnType, Generated } from "kysely";
import type { BudgetRecord, PolicyRecord } from "../pipeline/owner-ports.ts";
import type { DeviceStatus, RequestRow } from "../pipeline/ports.ts";
import type { RouterRecord } from "../pipeline/router-ports.ts";
import type { DeviceGrantStatus, ManagedScope } from "../pipeline/sign-in-ports.ts";

/**
 * The tables, for Kysely. Times are epoch milliseconds, money whole micro-dollars, lists and objects JSON text,
 * truth values 0 or 1: types that SQLite and Postgres hold alike. migrations/ makes what is described here.
 */
export type Tables = {
  requests: RequestsTable;
  devices: DevicesTable;
  superseded_tokens: SupersededTokensTable;
  device_nonces: DeviceNoncesTable;
  enrollment_codes: EnrollmentCodesTable;
  app_keys: AppKeysTable;
  routers: RoutersTable;
  organizations: OrganizationsTable;
  users: UsersTable;
  policies: PoliciesTable;
  budgets: BudgetsTable;
  user_passwords: UserPasswordsTable;
  device_grants: DeviceGrantsTable;
  refresh_tokens: RefreshTokensTable;
  sign_in_links: SignInLinksTable;
  managed_settings: ManagedSettingsTable;
  audit: AuditTable;
  open_requests: OpenRequestsTable;
  journal_checkpoint: JournalCheckpointTable;
};

/** One row per ledger id. */
export type RequestsTable = Omit<RequestRow, "stream" | "iterations"> & {
  stream: 0 | 1;
  iterations: string | null;
};

export type DevicesTable = {
  id: DeviceId;
  status: DeviceStatus;
  label: string | null;
  app_version: string | null;
  public_key: string | null;
  waiting_key: string | null;
  user_id: UserId | null;
  organization_id: OrganizationId | null;
  models: string | null;
  requests_per_minute: number | null;
  created_at: EpochMs;
  approved_at: EpochMs | null;
  last_bootstrap_at: EpochMs | null;
  tokens_valid_after: EpochMs;
  replayed_at: EpochMs;
};

export type SupersededTokensTable = {
  jti: string;
  device_id: DeviceId;
  dead_after: EpochMs;
  expires_at: EpochMs;
};

export type DeviceNoncesTable = {
  device_id: DeviceId;
  nonce: string;
  forget_after: EpochMs;
};

export type EnrollmentCodesTable = {
  id: string;
  code_hash: string;
  label: string | null;
  uses_left: number;
  max_uses: number;
  expires_at: EpochMs;
  created_at: EpochMs;
  revoked_at: EpochMs | null;
  models: string | null;
  requests_per_minute: number | null;
  user_id: UserId | null;
  organization_id: OrganizationId | null;
};

export type AppKeysTable = {
  id: AppKeyId;
  secret_hash: string;
  previous_hash: string | null;
  previous_valid_until: EpochMs | null;
  created_at: EpochMs;
  rotated_at: EpochMs | null;
  expires_at: EpochMs | null;
  revoked_at: EpochMs | null;
  last_used_at: EpochMs | null;
  models: string | null;
  requests_per_minute: number | null;
  requests_per_day: number | null;
  concurrency: number | null;
  doors: string | null;
  user_id: UserId | null;
  organization_id: OrganizationId | null;
};

export type RoutersTable = {
  id: RouterId;
  enrolled_by: RouterRecord["enrolledBy"];
  generation: number;
  identity: string | null;
  created_at: EpochMs;
  rotated_at: EpochMs | null;
  revoked_at: EpochMs | null;
  last_seen_at: EpochMs | null;
  models: string | null;
  requests_per_minute: number | null;
  user_id: UserId | null;
  organization_id: OrganizationId | null;
};

export type OrganizationsTable = { id: OrganizationId; name: string | null; created_at: EpochMs };

export type UsersTable = {
  id: UserId;
  name: string | null;
  organization_id: OrganizationId | null;
  created_at: EpochMs;
};

/** The relay's own scope has the empty `scope_id`. */
export type PoliciesTable = {
  id: PolicyId;
  scope: PolicyRecord["scope"]["kind"];
  scope_id: string;
  models: string | null;
  requests_per_minute: number | null;
  input_tokens_per_minute: number | null;
  output_tokens_per_minute: number | null;
  concurrency: number | null;
  requests_per_day: number | null;
  on_disconnect: PolicyRecord["onDisconnect"];
  bootstrap: PolicyRecord["bootstrap"];
  created_at: EpochMs;
};

export type BudgetsTable = {
  id: BudgetId;
  scope: BudgetRecord["scope"]["kind"];
  scope_id: string;
  unit: BudgetRecord["unit"];
  amount: number;
  window_kind: BudgetRecord["window"]["kind"];
  window_hours: number | null;
  created_at: EpochMs;
};

export type UserPasswordsTable = { user_id: UserId; hash: string; changed_at: EpochMs };

export type DeviceGrantsTable = {
  device_code_hash: string;
  user_code_hash: string;
  status: DeviceGrantStatus;
  user_id: UserId | null;
  device_id: DeviceId | null;
  client_ip: string;
  user_agent: string;
  created_at: EpochMs;
  expires_at: EpochMs;
  last_polled_at: EpochMs | null;
  interval_seconds: number;
  link_id: string | null;
};

export type RefreshTokensTable = {
  hash: string;
  device_id: DeviceId;
  created_at: EpochMs;
  expires_at: EpochMs;
  used_at: EpochMs | null;
  successor_hash: string | null;
};

export type SignInLinksTable = {
  id: string;
  issuer: string;
  subject: string;
  user_id: UserId;
  linked_at: EpochMs;
};

/** The relay's own scope has the empty `scope_id`. */
export type ManagedSettingsTable = {
  scope: ManagedScope["kind"];
  scope_id: string;
  uuid: string;
  checksum: string;
  settings: string;
  updated_at: EpochMs;
};

export type AuditTable = {
  id: Generated<number>;
  at: ColumnType<EpochMs, EpochMs, never>;
  actor: string;
  action: string;
  subject: string | null;
  outcome: string;
  detail: string | null;
  client_ip: string | null;
};

/** Requests still open when the journal segment that holds their intent was released. Lines as in the journal. */
type OpenRequestsTable = {
  id: string;
  instance: number;
  intent: string;
  progress: string | null;
};

/** One row an instance (in SQLite number 1): everything in its journal before this place is folded. */
type JournalCheckpointTable = { instance: number; segment: number; offset_bytes: number };
