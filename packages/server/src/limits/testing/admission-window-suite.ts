import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EpochMs, epochMs } from "@claude-relay/contract";
import type { Ask, BudgetWindow } from "../../pipeline/admission.ts";
import {
  askFor,
  assertStands,
  budget,
  day,
  dollars,
  emptyLedger,
  granted,
  hour,
  minute,
  type Open,
  overBudget,
  stateOf,
} from "./admission-harness.ts";

const at = (iso: string): EpochMs => epochMs(Date.parse(iso));

/** Of each whole window: a time in it, and when it ends. */
const wholeWindows: readonly Readonly<{ window: BudgetWindow; now: string; ends: string }>[] = [
  { window: { kind: "day" }, now: "2026-11-19T23:59:00Z", ends: "2026-11-20T00:00:00Z" },
  { window: { kind: "day" }, now: "2028-02-29T00:00:00Z", ends: "2028-03-01T00:00:00Z" },
  { window: { kind: "week" }, now: "2026-11-22T23:59:00Z", ends: "2026-11-23T00:00:00Z" },
  { window: { kind: "week" }, now: "2026-12-28T00:00:00Z", ends: "2027-01-04T00:00:00Z" },
  { window: { kind: "month" }, now: "2026-12-31T23:59:00Z", ends: "2027-01-01T00:00:00Z" },
  { window: { kind: "month" }, now: "2027-02-01T00:00:00Z", ends: "2027-03-01T00:00:00Z" },
];

/** Rolling hours are counted in 120 parts; a part leaves when all of it is older than the window. */
const rolling2: BudgetWindow = { kind: "rolling", hours: 2 };
const part = minute;

/** Budget windows: UTC days, weeks from Monday, months, rolling hours, and all time. */
export const windowSuite = (open: Open): void => {
  describe("a whole window", () => {
    for (const { window, now, ends } of wholeWindows) {
      it(`of a ${window.kind} that holds ${now} ends at ${ends}, not a millisecond earlier`, async () => {
        const { admission, advance } = await open({ startAt: at(now), spentOf: emptyLedger });
        const own = budget(100, { window });
        const ask = askFor(dollars(100), { budgets: [own] });
        const { budgets } = await granted(admission, ask);
        assert.equal(budgets[0]?.resetsAt, at(ends));
        admission.settle(ask.id, dollars(100));
        await advance(at(ends) - at(now) - 1);
        await overBudget(admission, askFor(dollars(1), { budgets: [own] }));
        await advance(1);
        await assertStands(admission, own, { held: 0, spent: 0 });
        await granted(admission, askFor(dollars(100), { budgets: [own] }));
      });
    }

    it("that is all time never ends", async () => {
      const { admission, advance } = await open({
        startAt: at("2026-11-19T12:00:00Z"),
        spentOf: emptyLedger,
      });
      const ask = askFor(dollars(100), { budgets: [budget(100)] });
      await granted(admission, ask);
      admission.settle(ask.id, dollars(100));
      await advance(4000 * day);
      const { state } = await overBudget(admission, askFor(dollars(1), { budgets: [budget(100)] }));
      assert.equal(state.resetsAt, null);
    });

    it("is the one of the asking: what ends after midnight is booked to the day it began", async () => {
      const { admission, advance } = await open({
        startAt: at("2026-11-19T23:59:59Z"),
        spentOf: emptyLedger,
      });
      const own = budget(100, { window: { kind: "day" } });
      const month = budget(100, { id: "month", window: { kind: "month" } });
      const ask = askFor(dollars(80), { budgets: [own, month] });
      await granted(admission, ask);
      await advance(1000);
      await assertStands(admission, own, { held: 0, spent: 0 });
      await assertStands(admission, month, { held: 80, spent: 0 });
      const next = askFor(dollars(20), { budgets: [own, month] });
      await granted(admission, next);
      admission.settle(ask.id, dollars(50));
      await assertStands(admission, own, { held: 20, spent: 0 });
      await assertStands(admission, month, { held: 20, spent: 50 });
    });
  });

  describe("a rolling window", () => {
    it("counts an amount for at least its hours, and for one of its 120 parts more at most", async () => {
      const start = at("2026-11-19T12:00:59.999Z");
      const { admission, advance } = await open({ startAt: start, spentOf: emptyLedger });
      const own = budget(100, { window: rolling2 });
      const ask = askFor(dollars(60), { budgets: [own] });
      await granted(admission, ask);
      admission.settle(ask.id, dollars(60));
      await advance(hour);
      const later = askFor(dollars(40), { budgets: [own] });
      const { budgets } = await granted(admission, later);
      assert.equal(budgets[0]?.resetsAt, at("2026-11-19T14:01:00Z"));
      admission.settle(later.id, dollars(40));
      await advance(hour);
      await assertStands(admission, own, { held: 0, spent: 100 });
      await advance(part);
      await assertStands(admission, own, { held: 0, spent: 40 });
      assert.equal((await stateOf(admission, own)).resetsAt, at("2026-11-19T15:01:00Z"));
      await advance(hour);
      await assertStands(admission, own, { held: 0, spent: 0 });
      assert.equal((await stateOf(admission, own)).resetsAt, null);
    });

    it("resets with the oldest use, not with what was given back", async () => {
      const start = at("2026-11-19T12:00:00Z");
      const { admission, advance } = await open({ startAt: start, spentOf: emptyLedger });
      const own = budget(100, { window: rolling2 });
      const asks = [1, 2, 3].map((amount) => askFor(dollars(amount), { budgets: [own] }));
      for (const ask of asks) {
        await granted(admission, ask);
        await advance(part);
      }
      for (const [index, iso] of ["2026-11-19T14:02:00Z", "2026-11-19T14:03:00Z"].entries()) {
        admission.settle((asks[index] as Ask).id, null);
        assert.equal((await stateOf(admission, own)).resetsAt, at(iso));
      }
      admission.settle((asks[2] as Ask).id, null);
      assert.equal((await stateOf(admission, own)).resetsAt, null);
    });

    it("lets what is still held leave with the time of its asking, and settles it there", async () => {
      const start = at("2026-11-19T12:00:00Z");
      const { admission, advance } = await open({ startAt: start, spentOf: emptyLedger });
      const own = budget(100, { window: rolling2 });
      const ask = askFor(dollars(60), { budgets: [own] });
      await granted(admission, ask);
      await advance(2 * hour);
      await assertStands(admission, own, { held: 60, spent: 0 });
      await advance(part);
      await assertStands(admission, own, { held: 0, spent: 0 });
      admission.settle(ask.id, dollars(60));
      await assertStands(admission, own, { held: 0, spent: 0 });
    });

    it("is filled from the ledger by the times of use", async () => {
      const start = at("2026-11-19T12:00:30Z");
      const froms: number[] = [];
      const { admission, advance } = await open({
        startAt: start,
        spentOf: async (_, from) => {
          froms.push(from);
          return [
            { at: epochMs(start - 2 * hour), amount: 10 },
            { at: epochMs(start - hour), amount: 20 },
            { at: start, amount: 30 },
          ];
        },
      });
      const own = budget(100, { window: rolling2 });
      await assertStands(admission, own, { held: 0, spent: 60 });
      assert.deepEqual(froms, [at("2026-11-19T10:00:00Z")]);
      await advance(part);
      await assertStands(admission, own, { held: 0, spent: 50 });
      await advance(hour);
      await assertStands(admission, own, { held: 0, spent: 30 });
    });

    it("forgets everything after a long silence", async () => {
      const { admission, advance } = await open({
        startAt: at("2026-11-19T12:00:00Z"),
        spentOf: emptyLedger,
      });
      const own = budget(100, { window: rolling2 });
      for (let turn = 0; turn < 10; turn += 1) {
        const ask = askFor(dollars(100), { budgets: [own] });
        await granted(admission, ask);
        admission.settle(ask.id, dollars(100));
        await advance(30 * day);
      }
    });
  });
};
