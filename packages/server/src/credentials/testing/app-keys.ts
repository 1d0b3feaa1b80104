/** App keys over a store in memory and a clock that stands still: for the tests of what becomes of keys. */
import { type AppKeyId, type EpochMs, epochMs } from "@claude-relay/contract";
import type { AppKeyRecord, AppKeyStore } from "../../pipeline/app-key-ports.ts";
import type { AuditEntry } from "../../pipeline/ports.ts";
import { createAppKeyAdmin } from "../app-key-admin.ts";
import { AppKeyIndex } from "../app-key-index.ts";
import { emptyOwners } from "./owners.ts";

export const noon = Date.parse("2026-11-21T12:00:00Z");
export const ip = "127.0.0.1";
export const app = "my-app" as AppKeyId;

/** A store that says what was put into it, and can be held back. */
class MemoryStore implements AppKeyStore {
  readonly rows = new Map<AppKeyId, AppKeyRecord>();
  /** What the next `put` waits for before it stores. */
  gate: Promise<void> = Promise.resolve();

  async loadAll(): Promise<readonly AppKeyRecord[]> {
    return [...this.rows.values()];
  }

  async list() {
    return { data: [...this.rows.values()], next_cursor: null };
  }

  async put(key: AppKeyRecord): Promise<AppKeyRecord> {
    await this.gate;
    this.rows.set(key.id, key);
    return key;
  }

  async touch(uses: readonly Readonly<{ id: AppKeyId; at: EpochMs }>[]): Promise<void> {
    for (const { id, at } of uses) {
      const row = this.rows.get(id);
      if (row !== undefined) {
        this.rows.set(id, { ...row, lastUsedAt: at });
      }
    }
  }
}

export const setUp = async (defaults = { requestsPerMinute: 60, requestsPerDay: 2000 }) => {
  const time = { ms: noon };
  const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
  const store = new MemoryStore();
  const audit: AuditEntry[] = [];
  const index = await AppKeyIndex.load(store, clock, defaults, () => null);
  const admin = createAppKeyAdmin({
    store,
    index,
    owners: await emptyOwners(),
    clock,
    audit: {
      append: async (entry) => void audit.push(entry),
      list: async () => ({ data: [], next_cursor: null }),
    },
  });
  /** How the door sees a secret: its caller, or the code it is refused with. */
  const knock = (secret: string): string => {
    try {
      return index.callerFor(secret).id;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  return { time, clock, store, audit, index, admin, knock };
};
