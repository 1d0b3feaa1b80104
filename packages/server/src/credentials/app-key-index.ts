import { timingSafeEqual } from "node:crypto";
import type { AppKeyId, EpochMs } from "@claude-relay/contract";
import type { AppKeyRecord, AppKeyStore } from "../pipeline/app-key-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { AppKeyCaller, Clock } from "../pipeline/types.ts";
import { appKeyHash, isWellFormedAppKey } from "./app-key-secret.ts";
import type { OrganizationOf } from "./device-index.ts";

/** What a key gets that says nothing of its own. */
export type AppKeyDefaults = Readonly<{ requestsPerMinute: number; requestsPerDay: number | null }>;

type Entry = Readonly<{ record: AppKeyRecord; caller: AppKeyCaller }>;

/**
 * Every app key in memory, by the digest of its secret, so that no request waits for the database.
 * Changes go to the store first and count here at once after: a revocation is immediate.
 */
export class AppKeyIndex {
  readonly #clock: Clock;
  readonly #defaults: AppKeyDefaults;
  readonly #organizationOf: OrganizationOf;
  readonly #byId = new Map<AppKeyId, Entry>();
  readonly #byHash = new Map<string, Entry>();
  /** Not yet in the store. */
  #uses = new Map<AppKeyId, EpochMs>();

  private constructor(clock: Clock, defaults: AppKeyDefaults, organizationOf: OrganizationOf) {
    this.#clock = clock;
    this.#defaults = defaults;
    this.#organizationOf = organizationOf;
  }

  static async load(
    store: AppKeyStore,
    clock: Clock,
    defaults: AppKeyDefaults,
    organizationOf: OrganizationOf,
  ): Promise<AppKeyIndex> {
    const index = new AppKeyIndex(clock, defaults, organizationOf);
    await index.reload(store);
    return index;
  }

  /** Takes every key from the store anew: another process may have changed it. */
  async reload(store: Pick<AppKeyStore, "loadAll">): Promise<void> {
    for (const record of await store.loadAll()) {
      this.keep(record);
    }
  }

  /** Whether nothing of this caller was changed since `callerFor` gave it. */
  isUnchanged(caller: AppKeyCaller): boolean {
    return this.#byId.get(caller.id)?.caller === caller;
  }

  get(id: AppKeyId): AppKeyRecord | null {
    const record = this.#byId.get(id)?.record ?? null;
    const usedAt = this.#uses.get(id);
    return record === null || usedAt === undefined ? record : { ...record, lastUsedAt: usedAt };
  }

  /** To be called when `organizationOf` may answer otherwise than before. */
  refreshCallers(): void {
    for (const { record } of [...this.#byId.values()]) {
      this.keep(record);
    }
  }

  /** Takes note of a row as the store gave it; the secrets it had before no longer open anything. */
  keep(record: AppKeyRecord): AppKeyRecord {
    const before = this.#byId.get(record.id)?.record;
    for (const digest of before === undefined ? [] : digestsOf(before)) {
      this.#byHash.delete(digest);
    }
    const isSame = before?.createdAt === record.createdAt;
    if (!isSame) {
      // A label minted again: how its former key was used says nothing of this one.
      this.#uses.delete(record.id);
    }
    // A row read before its key was used again does not turn that time back.
    const lastUsedAt = isSame ? later(before.lastUsedAt, record.lastUsedAt) : record.lastUsedAt;
    const entry: Entry = {
      record: { ...record, lastUsedAt },
      caller: callerOf(record, this.#defaults, this.#organizationOf),
    };
    this.#byId.set(record.id, entry);
    for (const digest of digestsOf(record)) {
      this.#byHash.set(digest, entry);
    }
    return this.get(record.id) ?? entry.record;
  }

  /** Whether some key has, or had, this secret. */
  knows(secret: string): boolean {
    return this.#byHash.has(appKeyHash(secret));
  }

  /**
   * The caller behind a secret.
   * @throws Refusal `credential_invalid` for a mistyped, unknown, revoked or expired key
   */
  callerFor(secret: string): AppKeyCaller {
    if (!isWellFormedAppKey(secret)) {
      throw new Refusal(
        "credential_invalid",
        "This app key is mistyped or cut short: copy it anew.",
      );
    }
    const digest = appKeyHash(secret);
    const entry = this.#byHash.get(digest);
    if (entry === undefined || !this.#opens(entry.record, digest)) {
      throw new Refusal(
        "credential_invalid",
        "This app key is unknown, replaced or revoked. Ask the operator of this relay for a new one.",
      );
    }
    const now = this.#clock.now();
    if (entry.record.expiresAt !== null && entry.record.expiresAt <= now) {
      throw new Refusal(
        "credential_invalid",
        "This app key has expired. Ask the operator of this relay for a new one.",
      );
    }
    this.#uses.set(entry.record.id, now);
    return entry.caller;
  }

  /** The last uses since this was asked before, for the store. */
  takeUses(): Readonly<{ id: AppKeyId; at: EpochMs }>[] {
    const uses = [...this.#uses].map(([id, at]) => ({ id, at }));
    this.#uses = new Map();
    for (const { id, at } of uses) {
      const entry = this.#byId.get(id);
      if (entry !== undefined) {
        this.keep({ ...entry.record, lastUsedAt: at });
      }
    }
    return uses;
  }

  #opens(record: AppKeyRecord, digest: string): boolean {
    if (record.revokedAt !== null) {
      return false;
    }
    if (same(record.secretHash, digest)) {
      return true;
    }
    return (
      record.previousHash !== null &&
      record.previousValidUntil !== null &&
      this.#clock.now() < record.previousValidUntil &&
      same(record.previousHash, digest)
    );
  }
}

const later = (a: EpochMs | null, b: EpochMs | null): EpochMs | null =>
  a === null || (b !== null && b > a) ? b : a;

const digestsOf = ({ secretHash, previousHash }: AppKeyRecord): string[] =>
  previousHash === null ? [secretHash] : [secretHash, previousHash];

const same = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(a), Buffer.from(b));

const callerOf = (
  record: AppKeyRecord,
  defaults: AppKeyDefaults,
  organizationOf: OrganizationOf,
): AppKeyCaller => ({
  kind: "app_key",
  id: record.id,
  userId: record.userId,
  organizationId: record.organizationId ?? organizationOf(record.userId),
  policy: {
    models: record.models,
    requestsPerMinute: record.requestsPerMinute ?? defaults.requestsPerMinute,
    requestsPerDay: record.requestsPerDay ?? defaults.requestsPerDay,
    concurrency: record.concurrency,
    doors: record.doors,
  },
});
