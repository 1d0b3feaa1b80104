import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BudgetId, epochMs } from "@claude-relay/contract";
import { createBudgetWarnings } from "./budget-warnings.ts";
import type { BudgetWarning } from "./budget-watch.ts";
import { EventBus, eventOf, publishing } from "./events.ts";
import type { AuditEntry, AuditLog } from "./ports.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false };

const warning: BudgetWarning = {
  budget: {
    id: "bud_1" as BudgetId,
    scope: { kind: "user", id: "ann" },
    unit: "tokens",
    limit: 1000,
    window: { kind: "rolling", hours: 5 },
  },
  threshold: 80,
  reason: "spent",
  spent: 812,
  resetsAt: epochMs(9000),
  at: epochMs(5000),
};

const setUp = (list: AuditLog["list"] | null = null) => {
  const entries: AuditEntry[] = [];
  const audit: AuditLog = {
    append: async (entry) => void entries.push(entry),
    list:
      list ??
      (async ({ action, subject }) => ({
        data: entries
          .map((entry, id) => ({ ...entry, id }))
          .filter((entry) => entry.action === action && entry.subject === subject),
        next_cursor: null,
      })),
  };
  const make = () => createBudgetWarnings({ audit, windowStart: () => epochMs(4000), log: silent });
  const tell = async (...warnings: BudgetWarning[]): Promise<void> => {
    // Anew each time: what it knows is in the log.
    const teller = make();
    teller.tell(warnings);
    await teller.settled();
  };
  return { entries, audit, tell };
};

describe("budget warnings", () => {
  it("are entries of the audit log that say which budget, how far, and of which window", async () => {
    const { entries, tell } = setUp();
    await tell(warning);
    assert.equal(entries.length, 1);
    const { detail, ...entry } = entries[0] as AuditEntry;
    assert.deepEqual(entry, {
      at: 5000,
      actor: "relay",
      action: "budget.warning",
      subject: "bud_1",
      outcome: "ok",
      clientIp: null,
    });
    const { event_id, ...rest } = detail ?? {};
    assert.match(String(event_id), /^evt_[0-9a-f]{32}$/);
    assert.deepEqual(rest, {
      threshold: 80,
      reason: "spent",
      spent: 812,
      limit: 1000,
      left: 188,
      unit: "tokens",
      scope: "user",
      scope_id: "ann",
      window: { rolling_hours: 5 },
      resets_at: "1970-01-01T00:00:09.000Z",
    });
  });

  it("are not told again after a restart, until another window or threshold", async () => {
    const { entries, tell } = setUp();
    await tell(warning);
    await tell(warning);
    assert.equal(entries.length, 1);
    await tell(warning, { ...warning, threshold: 95, spent: 960 });
    assert.deepEqual(
      entries.map(({ detail }) => detail?.["threshold"]),
      [80, 95],
    );
    entries.splice(0, 2, { ...(entries[0] as AuditEntry), at: epochMs(3999) });
    await tell(warning);
    assert.equal(entries.length, 2, "what the last window was told does not count");
  });

  it("are told rather twice than never when the log cannot be read", async () => {
    const { entries, tell } = setUp(() => Promise.reject(new Error("disk I/O error")));
    await tell(warning);
    assert.equal(entries.length, 1);
  });

  it("have the same event id, whichever instance tells them, and others of other crossings", async () => {
    const ids = [];
    for (const changes of [{}, { spent: 900, at: epochMs(5001) }, { threshold: 95 } as const]) {
      const { entries, tell } = setUp();
      await tell({ ...warning, ...changes });
      ids.push(eventOf(entries[0] as AuditEntry).id);
    }
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
  });
});

describe("the audit log with events", () => {
  const entry: AuditEntry = {
    at: epochMs(0),
    actor: "admin",
    action: "device.revoke",
    subject: "mac-1",
    outcome: "ok",
    detail: null,
    clientIp: "127.0.0.1",
  };

  it("publishes entries of interest, even those it cannot write, and no others", async () => {
    const bus = new EventBus();
    const types: string[] = [];
    const leave = bus.subscribe(({ type }) => types.push(type));
    const failing = publishing(
      { append: () => Promise.reject(new Error("disk full")), list: () => assert.fail() },
      bus,
    );
    await assert.rejects(failing.append(entry));
    await assert.rejects(failing.append({ ...entry, action: "device.refresh" }));
    assert.deepEqual(types, ["device.revoke"]);
    leave();
    await assert.rejects(failing.append(entry));
    assert.equal(types.length, 1);
  });

  it("never publishes where a call came from", () => {
    assert.doesNotMatch(JSON.stringify(eventOf(entry)), /127\.0\.0\.1/);
  });

  it("knows what followed an event, as far back as it keeps them", () => {
    const bus = new EventBus();
    const all = Array.from({ length: 300 }, () => eventOf(entry));
    for (const event of all) {
      bus.publish(event);
    }
    assert.deepEqual(bus.since(all[297]!.id), all.slice(298));
    assert.deepEqual(bus.since(all[299]!.id), []);
    assert.deepEqual(bus.since(all[0]!.id), [], "forgotten");
  });
});
