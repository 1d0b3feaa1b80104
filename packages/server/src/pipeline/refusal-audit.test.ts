import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import type { AuditEntry } from "./ports.ts";
import { Refusal } from "./refusal.ts";
import { auditCallerRefusals, createRefusalAudit, type RefusedAct } from "./refusal-audit.ts";
import { caller } from "./test-setup.ts";
import type { Ingress } from "./types.ts";

const setup = (maxKeys?: number) => {
  const time = { ms: 0 };
  const rows: AuditEntry[] = [];
  const refusals = createRefusalAudit({
    audit: {
      append: async (row) => void rows.push(row),
      list: async () => ({ data: [], next_cursor: null }),
    },
    clock: { now: () => epochMs(1_790_000_000_000 + time.ms), monotonicMs: () => time.ms },
    placeOf: (address) => address.split(".").slice(0, 3).join("."),
    ...(maxKeys !== undefined && { maxKeys }),
  });
  const counts = () => rows.map(({ detail }) => detail?.["count"] ?? 1);
  return { time, rows, refusals, counts };
};

const act = (changes: Partial<RefusedAct> = {}): RefusedAct => ({
  actor: "device:a",
  action: "request.refuse",
  subject: null,
  refusal: new Refusal("model_denied", "no"),
  clientIp: "192.0.2.1",
  ...changes,
});

describe("the audit of refusals", () => {
  it("writes the first five of a minute one by one, then counts, and tells when the minute is over", () => {
    const { time, rows, refusals, counts } = setup();
    for (let asked = 0; asked < 1000; asked += 1) {
      refusals.record(act({ refusal: new Refusal("model_denied", `no ${asked}`) }));
    }
    assert.deepEqual(counts(), [1, 1, 1, 1, 1]);
    time.ms = 59_999;
    refusals.sweep();
    assert.equal(rows.length, 5);
    time.ms = 60_000;
    refusals.sweep();
    assert.deepEqual(counts(), [1, 1, 1, 1, 1, 995]);
    assert.deepEqual(rows[5], {
      at: 1_790_000_000_000,
      actor: "device:a",
      action: "request.refuse",
      subject: null,
      outcome: "model_denied",
      detail: { reason: "no 999", count: 995 },
      clientIp: "192.0.2.1",
    });
  });

  it("tells of the counted ones with the next refusal, if that comes before the sweep", () => {
    const { time, refusals, counts } = setup();
    for (let asked = 0; asked < 7; asked += 1) {
      refusals.record(act());
    }
    time.ms = 60_000;
    refusals.record(act());
    assert.deepEqual(counts(), [1, 1, 1, 1, 1, 3]);
  });

  it("counts actors, actions and codes apart; strangers by their address", () => {
    const { rows, refusals } = setup();
    const others = [
      act(),
      act({ actor: "device:b" }),
      act({ action: "admin.refuse" }),
      act({ refusal: new Refusal("rate_limited", "wait") }),
      act({ actor: "unknown" }),
      act({ actor: "unknown", clientIp: "198.51.100.1" }),
    ];
    for (let asked = 0; asked < 6; asked += 1) {
      others.forEach(refusals.record);
    }
    assert.equal(rows.length, 30);
    refusals.record(act({ actor: "unknown", clientIp: "192.0.2.77" }));
    assert.equal(rows.length, 30, "an address next door is the same place");
    refusals.flush();
    assert.equal(rows.length, 36);
  });

  it("lets a crowd of addresses share rows that name nobody, and watches no more of them than it may", () => {
    const { rows, refusals } = setup(10);
    for (let n = 0; n < 5000; n += 1) {
      refusals.record(act({ actor: "unknown", clientIp: `10.${n >> 8}.${n & 255}.1` }));
    }
    refusals.flush();
    assert.equal(rows.length, 10 + 5 + 1);
    const last = rows.at(-1);
    assert.deepEqual(
      [last?.actor, last?.clientIp, last?.detail?.["count"]],
      ["various", null, 4985],
    );
  });

  it("takes up new ones again when the minute is over", () => {
    const { time, rows, refusals } = setup(1);
    refusals.record(act());
    time.ms = 60_000;
    refusals.sweep();
    refusals.record(act({ actor: "device:b" }));
    assert.equal(rows.at(-1)?.actor, "device:b");
  });

  it("loses none and is never flooded, whatever comes when", () => {
    const step = fc.record({
      who: fc.integer({ min: 0, max: 5 }),
      wait: fc.constantFrom(0, 0, 0, 1, 20_000, 61_000),
      sweep: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { time, rows, refusals, counts } = setup(3);
        const written: number[] = [];
        for (const { who, wait, sweep } of steps) {
          time.ms += wait;
          if (sweep) {
            refusals.sweep();
          }
          refusals.record(act({ actor: `device:${who}` }));
          while (written.length < rows.length) {
            written.push(time.ms);
          }
        }
        refusals.flush();
        assert.equal(
          counts().reduce<number>((sum, count) => sum + Number(count), 0),
          steps.length,
        );
        for (const start of written) {
          const within = written.filter((ms) => ms >= start && ms < start + 60_000).length;
          // Three actors and the crowd, five rows each; a minute of ours may lie across two of theirs.
          assert.ok(within <= 2 * 4 * 5, `${within} rows`);
        }
      }),
    );
  });

  it("keeps rows small: a reason that quotes the caller is cut", () => {
    const { rows, refusals } = setup();
    refusals.record(act({ refusal: new Refusal("model_denied", "m".repeat(100_000)) }));
    assert.equal(String(rows[0]?.detail?.["reason"]).length, 512);
  });
});

describe("what the line refuses a caller", () => {
  it("is audited when it was forbidden, and not when the request was merely wrong or the relay failed", () => {
    const acts: RefusedAct[] = [];
    const audit = auditCallerRefusals({ record: (refused) => void acts.push(refused) });
    const ingress = { id: "req_1", clientIp: "192.0.2.1" } as unknown as Ingress;
    const codes = ["forbidden", "model_denied", "rate_limited", "over_budget"] as const;
    for (const code of codes) {
      audit(new Refusal(code, "no"), caller, ingress);
    }
    audit(new Refusal("invalid_request", "no"), caller, ingress);
    audit(new Refusal("storage_unavailable", "no"), caller, ingress);
    audit(new Error("no"), caller, ingress);
    assert.deepEqual(
      acts.map(({ refusal }) => refusal.code),
      codes,
    );
    assert.equal(acts[0]?.actor, "device:test-device-0001");
    assert.deepEqual(acts[0]?.detail, { request_id: "req_1" });
  });
});
