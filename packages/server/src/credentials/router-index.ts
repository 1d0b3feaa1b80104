import type { EpochMs, RouterId } from "@claude-relay/contract";
import type { RouterRecord, RouterSighting, RouterStore } from "../pipeline/router-ports.ts";
import type { RouterCaller } from "../pipeline/types.ts";
import type { OrganizationOf } from "./device-index.ts";

type Entry = Readonly<{ record: RouterRecord; caller: RouterCaller }>;

/**
 * Every router in memory, so that no request waits for the database.
 * Changes go to the store first and count here at once after: a revocation is immediate.
 */
export class RouterIndex {
  readonly #organizationOf: OrganizationOf;
  readonly #byId = new Map<RouterId, Entry>();
  /** Not yet in the store. */
  #sightings = new Map<RouterId, RouterSighting>();

  private constructor(organizationOf: OrganizationOf) {
    this.#organizationOf = organizationOf;
  }

  static async load(store: RouterStore, organizationOf: OrganizationOf): Promise<RouterIndex> {
    const index = new RouterIndex(organizationOf);
    await index.reload(store);
    return index;
  }

  /** Takes every router from the store anew: another process may have changed it. */
  async reload(store: RouterStore): Promise<void> {
    for (const record of await store.loadAll()) {
      this.keep(record);
    }
  }

  /** How many there are, revoked ones too. */
  get size(): number {
    return this.#byId.size;
  }

  get(id: RouterId): RouterRecord | null {
    const record = this.#byId.get(id)?.record ?? null;
    return record === null ? null : seen(record, this.#sightings.get(id));
  }

  /** The same object until something changes. */
  callerOf(id: RouterId): RouterCaller | null {
    return this.#byId.get(id)?.caller ?? null;
  }

  /** To be called when `organizationOf` may answer otherwise than before. */
  refreshCallers(): void {
    for (const { record } of [...this.#byId.values()]) {
      this.keep(record);
    }
  }

  /** Takes note of a row as the store gave it; one read before what is known here changes nothing. */
  keep(record: RouterRecord): RouterRecord {
    const before = this.#byId.get(record.id)?.record;
    if (before !== undefined && isOlder(record, before)) {
      return this.get(record.id) ?? before;
    }
    const isSame = before?.createdAt === record.createdAt;
    if (!isSame) {
      // A name added again: how its former router was seen says nothing of this one.
      this.#sightings.delete(record.id);
    }
    const kept = isSame ? later(before, record) : record;
    this.#byId.set(record.id, { record: kept, caller: callerOf(kept, this.#organizationOf) });
    return this.get(record.id) ?? kept;
  }

  /** Notes that a router was here. Without an identity it is called as before. */
  note(id: RouterId, at: EpochMs, identity?: string): void {
    const known = this.get(id);
    if (known !== null) {
      this.#sightings.set(id, { id, at, identity: identity ?? known.identity });
    }
  }

  /** The last sightings since this was asked before, for the store. */
  takeSightings(): RouterSighting[] {
    const sightings = [...this.#sightings.values()];
    this.#sightings = new Map();
    for (const sighting of sightings) {
      const entry = this.#byId.get(sighting.id);
      if (entry !== undefined) {
        this.#byId.set(sighting.id, { ...entry, record: seen(entry.record, sighting) });
      }
    }
    return sightings;
  }
}

/** Secrets only get newer, and a revoked one stays revoked: a row that says otherwise was read too early. */
const isOlder = (record: RouterRecord, known: RouterRecord): boolean =>
  record.generation < known.generation ||
  (record.generation === known.generation && record.revokedAt === null && known.revokedAt !== null);

const seen = (record: RouterRecord, sighting: RouterSighting | undefined): RouterRecord =>
  sighting === undefined
    ? record
    : { ...record, lastSeenAt: sighting.at, identity: sighting.identity };

/** A row read before its router was seen again does not turn that time back. */
const later = (known: RouterRecord, read: RouterRecord): RouterRecord => {
  const isNewer = (read.lastSeenAt ?? 0) >= (known.lastSeenAt ?? 0);
  const { identity, lastSeenAt } = isNewer ? read : known;
  return { ...read, identity, lastSeenAt };
};

const callerOf = (record: RouterRecord, organizationOf: OrganizationOf): RouterCaller => ({
  kind: "router",
  id: record.id,
  userId: record.userId,
  organizationId: record.organizationId ?? organizationOf(record.userId),
  policy: { models: record.models, requestsPerMinute: record.requestsPerMinute },
});
