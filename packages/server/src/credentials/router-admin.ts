import { type EpochMs, epochMs, type RouterId } from "@claude-relay/contract";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type {
  RouterAdmin,
  RouterRecord,
  RouterSettings,
  RouterStore,
} from "../pipeline/router-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import { createAdminRecord } from "./admin-record.ts";
import { checkOwners } from "./owner-checks.ts";
import type { OwnerIndex } from "./owner-index.ts";
import type { RouterIndex } from "./router-index.ts";
import type { RouterSecrets } from "./router-secret.ts";

type Options = Readonly<{
  store: RouterStore;
  index: RouterIndex;
  secrets: RouterSecrets;
  owners: OwnerIndex;
  audit: AuditLog;
  clock: Clock;
}>;

export const createRouterAdmin = (options: Options): RouterAdmin => {
  const { store, index, secrets, owners, audit, clock } = options;
  const record = createAdminRecord(audit, clock);
  /** One change after another: none overwrites what it has not seen, and no owner goes meanwhile. */
  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => owners.alone(work);

  const get = (id: RouterId): RouterRecord => {
    const router = index.get(id);
    if (router === null) {
      throw new Refusal("not_found", `No router is called "${id}".`);
    }
    return router;
  };

  const getLiving = (id: RouterId): RouterRecord => {
    const router = get(id);
    if (router.revokedAt !== null) {
      throw new Refusal("conflict", `The router "${id}" is revoked: add it anew.`);
    }
    return router;
  };

  const replace = async (router: RouterRecord): Promise<RouterRecord> => {
    try {
      return index.keep(await store.replace(router));
    } catch (error) {
      // What another instance did must be known here before this is tried again.
      await index.reload(store).catch(() => undefined);
      throw error;
    }
  };

  return {
    add: (id, settings, clientIp) =>
      alone(async () => {
        const before = index.get(id);
        if (before !== null && before.revokedAt === null) {
          throw taken(id);
        }
        checkOwners(owners, settings);
        const added = newRecord(id, settings, before, clock.now());
        const kept = before === null ? await insert(options, added) : await replace(added);
        await record("router.add", id, settings, clientIp);
        return { secret: secrets.newest(kept), record: kept };
      }),
    list: (query) => store.list(query),
    get,
    change: (id, changes, clientIp) =>
      alone(async () => {
        const router = getLiving(id);
        checkOwners(owners, changes);
        const kept = await replace({ ...router, ...changes });
        await record("router.change", id, changes, clientIp);
        return kept;
      }),
    revoke: (id, clientIp) =>
      alone(async () => {
        const router = get(id);
        if (router.revokedAt !== null) {
          return router;
        }
        const kept = await replace({ ...router, revokedAt: clock.now() });
        await record("router.revoke", id, null, clientIp);
        return kept;
      }),
    rotate: (id, clientIp) =>
      alone(async () => {
        const router = getLiving(id);
        // One that used the shared secret has one of its own from now on.
        const kept = await replace({
          ...router,
          enrolledBy: "admin",
          generation: router.generation + 1,
          rotatedAt: clock.now(),
        });
        await record("router.rotate", id, null, clientIp);
        return { secret: secrets.newest(kept), record: kept };
      }),
  };
};

const insert = async ({ store, index }: Options, router: RouterRecord): Promise<RouterRecord> => {
  const inserted = await store.insert(router);
  if (inserted === null) {
    await index.reload(store);
    throw taken(router.id);
  }
  return index.keep(inserted);
};

const taken = (id: RouterId): Refusal =>
  new Refusal(
    "conflict",
    `A router "${id}" exists: rotate it to give it a secret, or revoke it first, or choose another name.`,
  );

/** A name that was revoked comes back with nothing of before, and with a secret that is new all the same. */
const newRecord = (
  id: RouterId,
  settings: Partial<RouterSettings>,
  before: RouterRecord | null,
  now: EpochMs,
): RouterRecord => ({
  id,
  enrolledBy: "admin",
  generation: (before?.generation ?? 0) + 1,
  identity: null,
  // Later than before in any case: by its age a router is told from the one that had its name before.
  createdAt: epochMs(Math.max(now, (before?.createdAt ?? 0) + 1)),
  rotatedAt: null,
  revokedAt: null,
  lastSeenAt: null,
  models: null,
  requestsPerMinute: null,
  userId: null,
  organizationId: null,
  ...settings,
});
