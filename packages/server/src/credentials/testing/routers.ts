/** Routers over a store in memory and a clock that stands still: for the tests of what becomes of them. */
import { epochMs, type RouterId } from "@claude-relay/contract";
import type { AuditEntry } from "../../pipeline/ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type {
  RouterProof,
  RouterRecord,
  RouterSighting,
  RouterStore,
} from "../../pipeline/router-ports.ts";
import { OwnerIndex } from "../owner-index.ts";
import { createRouterAdmin } from "../router-admin.ts";
import { RouterIndex } from "../router-index.ts";
import { createRouterRegistry } from "../router-registry.ts";
import { createRouterSecrets } from "../router-secret.ts";
import { memoryStores } from "./owners.ts";

export const noon = Date.parse("2026-11-21T12:00:00Z");
export const ip = "127.0.0.1";
export const office = "office" as RouterId;
export const jwtSecret = "the-jwt-secret-of-these-tests-32";

export const signed: RouterProof = {
  enrolledBy: "shared_secret",
  identity: "MikroTik",
  clientIp: ip,
};
export const unsigned: RouterProof = { ...signed, enrolledBy: "loopback" };

/** As the tables keep routers, which may be shared between instances, and can be held back. */
class MemoryRouterStore implements RouterStore {
  readonly rows = new Map<RouterId, RouterRecord>();
  /** What the next change waits for before it is stored. */
  gate: Promise<void> = Promise.resolve();

  async loadAll(): Promise<readonly RouterRecord[]> {
    return [...this.rows.values()];
  }

  async list() {
    return { data: [...this.rows.values()], next_cursor: null };
  }

  async insert(router: RouterRecord): Promise<RouterRecord | null> {
    await this.gate;
    return this.rows.has(router.id) ? null : this.#set(router);
  }

  async replace(router: RouterRecord): Promise<RouterRecord> {
    await this.gate;
    const known = this.rows.get(router.id);
    if (
      known === undefined ||
      known.generation > router.generation ||
      (known.generation === router.generation &&
        known.revokedAt !== null &&
        router.revokedAt === null)
    ) {
      throw new Refusal("conflict", "changed elsewhere");
    }
    const { identity, lastSeenAt } = known.createdAt === router.createdAt ? known : router;
    return this.#set({ ...router, identity, lastSeenAt });
  }

  async touch(sightings: readonly RouterSighting[]): Promise<void> {
    for (const { id, at, identity } of sightings) {
      const row = this.rows.get(id);
      if (row !== undefined && (row.lastSeenAt ?? 0) < at) {
        this.#set({ ...row, lastSeenAt: at, identity });
      }
    }
  }

  #set(router: RouterRecord): RouterRecord {
    this.rows.set(router.id, router);
    return router;
  }
}

type SetUpOptions = Readonly<{
  sharedSecret?: string;
  store?: MemoryRouterStore;
  previousJwtSecret?: string;
  mostKnown?: number;
}>;

export const setUp = async (options: SetUpOptions = {}) => {
  const { sharedSecret = null, store = new MemoryRouterStore() } = options;
  const time = { ms: noon };
  const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
  const entries: AuditEntry[] = [];
  const ownerStores = memoryStores();
  const owners = await OwnerIndex.load(ownerStores);
  const index = await RouterIndex.load(store, (userId) =>
    userId === null ? null : (owners.users.get(userId)?.organizationId ?? null),
  );
  const parts = {
    store,
    index,
    secrets: createRouterSecrets(jwtSecret, options.previousJwtSecret ?? null),
    owners,
    clock,
    audit: {
      append: async (entry: AuditEntry) => void entries.push(entry),
      list: async () => ({ data: [], next_cursor: null }),
    },
  };
  return {
    time,
    store,
    index,
    owners,
    ownerStores,
    audit: entries,
    admin: createRouterAdmin(parts),
    registry: createRouterRegistry({
      ...parts,
      sharedSecret,
      ...(options.mostKnown !== undefined && { mostKnown: options.mostKnown }),
    }),
  };
};
