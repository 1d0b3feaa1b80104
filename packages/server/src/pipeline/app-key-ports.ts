/** App keys as http/, credentials/ and store/ share them. */
import type { AppKeyId, Door, EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import type { Page, PageQuery } from "./ports.ts";

/** One app's key; the secrets themselves are never stored. A policy field of null means the relay's default. */
export type AppKeyRecord = Readonly<{
  id: AppKeyId;
  /** SHA-256 in lower-case hex. */
  secretHash: string;
  /** Of the secret before a rotation, which works until `previousValidUntil`. */
  previousHash: string | null;
  previousValidUntil: EpochMs | null;
  createdAt: EpochMs;
  rotatedAt: EpochMs | null;
  expiresAt: EpochMs | null;
  revokedAt: EpochMs | null;
  lastUsedAt: EpochMs | null;
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  requestsPerDay: number | null;
  concurrency: number | null;
  doors: readonly Door[] | null;
  userId: UserId | null;
  organizationId: OrganizationId | null;
}>;

/** What an admin sets; the rest of a record is ours. */
export type AppKeySettings = Pick<
  AppKeyRecord,
  | "expiresAt"
  | "models"
  | "requestsPerMinute"
  | "requestsPerDay"
  | "concurrency"
  | "doors"
  | "userId"
  | "organizationId"
>;

export interface AppKeyStore {
  /** Every key, revoked ones too. */
  loadAll(): Promise<readonly AppKeyRecord[]>;
  /** Newest first. */
  list(query: PageQuery): Promise<Page<AppKeyRecord>>;
  /** Adds a key or replaces it; only `touch` moves a key's `lastUsedAt`. */
  put(key: AppKeyRecord): Promise<AppKeyRecord>;
  /** Moves `lastUsedAt` forward, for each id given; never back, and not of a key minted after that use. */
  touch(uses: readonly Readonly<{ id: AppKeyId; at: EpochMs }>[]): Promise<void>;
}

/** What an admin does with app keys. Every change counts at once and is audited. */
export interface AppKeyAdmin {
  /** Mints a key: this is the one time its secret is told. @throws Refusal `conflict` for a label in use */
  mint(
    id: AppKeyId,
    settings: Partial<AppKeySettings>,
    clientIp: string,
  ): Promise<Readonly<{ secret: string; record: AppKeyRecord }>>;
  list(query: PageQuery): Promise<Page<AppKeyRecord>>;
  /** @throws Refusal `not_found` */
  get(id: AppKeyId): AppKeyRecord;
  /** @throws Refusal `not_found`, `conflict` for a revoked key */
  change(id: AppKeyId, changes: Partial<AppKeySettings>, clientIp: string): Promise<AppKeyRecord>;
  /** @throws Refusal `not_found` */
  revoke(id: AppKeyId, clientIp: string): Promise<AppKeyRecord>;
  /**
   * A new secret; the old one works for `graceSeconds` more, and one still older no longer.
   * @throws Refusal `not_found`, `conflict` for a key revoked or expired
   */
  rotate(
    id: AppKeyId,
    graceSeconds: number,
    clientIp: string,
  ): Promise<Readonly<{ secret: string; record: AppKeyRecord }>>;
}
