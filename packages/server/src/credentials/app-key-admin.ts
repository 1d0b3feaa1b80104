import type { AppKeyId, EpochMs } from "@claude-relay/contract";
import type {
  AppKeyAdmin,
  AppKeyRecord,
  AppKeySettings,
  AppKeyStore,
} from "../pipeline/app-key-ports.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import type { AppKeyIndex } from "./app-key-index.ts";
import { appKeyHash, newAppKeySecret } from "./app-key-secret.ts";
import { checkOwners } from "./owner-checks.ts";
import type { OwnerIndex } from "./owner-index.ts";

type Options = Readonly<{
  store: AppKeyStore;
  index: AppKeyIndex;
  owners: OwnerIndex;
  audit: AuditLog;
  clock: Clock;
}>;

export const createAppKeyAdmin = ({ store, index, owners, audit, clock }: Options): AppKeyAdmin => {
  /** One change after another: none overwrites what it has not seen, and no owner goes meanwhile. */
  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => owners.alone(work);

  const put = async (
    record: AppKeyRecord,
    action: string,
    detail: Readonly<Record<string, unknown>> | null,
    clientIp: string,
  ): Promise<AppKeyRecord> => {
    const kept = index.keep(await store.put(record));
    await audit.append({
      at: clock.now(),
      actor: "admin",
      action,
      subject: record.id,
      outcome: "ok",
      detail,
      clientIp,
    });
    return kept;
  };

  const get = (id: AppKeyId): AppKeyRecord => {
    const record = index.get(id);
    if (record === null) {
      throw new Refusal("not_found", `No app key has the label "${id}".`);
    }
    return record;
  };

  const getLiving = (id: AppKeyId): AppKeyRecord => {
    const record = get(id);
    if (record.revokedAt !== null) {
      throw new Refusal("conflict", `The key "${id}" is revoked: mint a new one.`);
    }
    return record;
  };

  /** A new secret for a key that is over would open nothing. */
  const getUsable = (id: AppKeyId): AppKeyRecord => {
    const record = getLiving(id);
    if (!isAlive(record, clock.now())) {
      throw new Refusal(
        "conflict",
        `The key "${id}" has expired: set a later expires_at first, or mint a new one.`,
      );
    }
    return record;
  };

  return {
    mint: (id, settings, clientIp) =>
      alone(async () => {
        const before = index.get(id);
        if (before !== null && isAlive(before, clock.now())) {
          throw new Refusal(
            "conflict",
            `An app key "${id}" exists: rotate or revoke it, or choose another label.`,
          );
        }
        checkOwners(owners, settings);
        const secret = newAppKeySecret();
        const record = newRecord(id, secret, settings, clock.now());
        return { secret, record: await put(record, "app_key.mint", null, clientIp) };
      }),
    list: (query) => store.list(query),
    get,
    change: (id, changes, clientIp) =>
      alone(async () => {
        const record = getLiving(id);
        checkOwners(owners, changes);
        return put({ ...record, ...changes }, "app_key.change", changes, clientIp);
      }),
    revoke: (id, clientIp) =>
      alone(async () => {
        const record = get(id);
        return record.revokedAt !== null
          ? record
          : put({ ...record, revokedAt: clock.now() }, "app_key.revoke", null, clientIp);
      }),
    rotate: (id, graceSeconds, clientIp) =>
      alone(async () => {
        const secret = newAppKeySecret();
        const now = clock.now();
        const record = rotated(getUsable(id), secret, now, graceSeconds);
        const detail = { grace_seconds: graceSeconds };
        return { secret, record: await put(record, "app_key.rotate", detail, clientIp) };
      }),
  };
};

const isAlive = ({ revokedAt, expiresAt }: AppKeyRecord, now: EpochMs): boolean =>
  revokedAt === null && (expiresAt === null || expiresAt > now);

const newRecord = (
  id: AppKeyId,
  secret: string,
  settings: Partial<AppKeySettings>,
  now: EpochMs,
): AppKeyRecord => ({
  id,
  secretHash: appKeyHash(secret),
  previousHash: null,
  previousValidUntil: null,
  createdAt: now,
  rotatedAt: null,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  models: null,
  requestsPerMinute: null,
  requestsPerDay: null,
  concurrency: null,
  doors: null,
  userId: null,
  organizationId: null,
  ...settings,
});

const rotated = (
  record: AppKeyRecord,
  secret: string,
  now: EpochMs,
  graceSeconds: number,
): AppKeyRecord => ({
  ...record,
  secretHash: appKeyHash(secret),
  previousHash: graceSeconds === 0 ? null : record.secretHash,
  previousValidUntil: graceSeconds === 0 ? null : ((now + graceSeconds * 1000) as EpochMs),
  rotatedAt: now,
});
