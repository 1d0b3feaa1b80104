import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import type { SpentSince } from "../../pipeline/admission.ts";
import {
  askFor,
  assertStands,
  budget,
  dollars,
  emptyLedger,
  granted,
  hour,
  minute,
  noon,
  type Open,
  type OpenOptions,
  overBudget,
  overLimit,
  requests,
} from "./admission-harness.ts";

const options: OpenOptions = { startAt: noon, spentOf: emptyLedger };

/** Budgets that are new, changed or removed: what the ledger says of them. */
export const fillSuite = (open: Open): void => {
  describe("a budget that is changed", () => {
    it("keeps its counters when only the limit changes, up or down, at once", async () => {
      const { admission } = await open(options);
      await granted(admission, askFor(dollars(60), { budgets: [budget(100)] }));
      await overBudget(admission, askFor(dollars(60), { budgets: [budget(100)] }));
      await granted(admission, askFor(dollars(60), { budgets: [budget(200)] }));
      const { state } = await overBudget(admission, askFor(dollars(1), { budgets: [budget(50)] }));
      assert.deepEqual([state.held, state.left], [120, 0]);
    });

    it("is rebuilt from the ledger when its window or unit changes, and what is held stays held", async () => {
      const rows: SpentSince = [
        { at: noon, amount: 30 },
        { at: noon, amount: 10 },
      ];
      const loads: string[] = [];
      const { admission } = await open({
        ...options,
        spentOf: async ({ window, unit }) => {
          loads.push(`${window.kind} ${unit}`);
          return window.kind === "month" ? rows : [];
        },
      });
      const daily100 = budget(100, { window: { kind: "day" } });
      const monthly = budget(100, { window: { kind: "month" } });
      const inTokens = budget(100, { window: { kind: "month" }, unit: "tokens" });
      const other = budget(100, { id: "other" });
      const ask = askFor({ ...dollars(50), tokens: 7 }, { budgets: [daily100, other] });
      await granted(admission, ask);
      await overBudget(admission, askFor(dollars(11), { budgets: [monthly] }));
      await assertStands(admission, monthly, { held: 50, spent: 40 });
      await assertStands(admission, inTokens, { held: 7, spent: 40 });
      await assertStands(admission, other, { held: 50, spent: 0 });
      assert.deepEqual(loads, [
        "day micro_usd",
        "total micro_usd",
        "month micro_usd",
        "month tokens",
      ]);
      admission.settle(ask.id, { ...dollars(20), tokens: 5 });
      await assertStands(admission, inTokens, { held: 0, spent: 45 });
    });

    it("is rebuilt from the ledger when its rolling hours change", async () => {
      const rows: SpentSince = [
        { at: epochMs(noon - 90 * minute), amount: 30 },
        { at: epochMs(noon - 30 * minute), amount: 10 },
      ];
      const { admission } = await open({
        ...options,
        spentOf: async (_, from) => rows.filter(({ at }) => at >= from),
      });
      const rolling = (hours: number) => budget(100, { window: { kind: "rolling", hours } });
      await granted(admission, askFor(dollars(5), { budgets: [rolling(1)] }));
      await assertStands(admission, rolling(1), { held: 5, spent: 10 });
      await assertStands(admission, rolling(2), { held: 5, spent: 40 });
      await assertStands(admission, rolling(1), { held: 5, spent: 10 });
    });

    it("is forgotten when it is removed, and its id starts afresh from the ledger", async () => {
      const { admission } = await open(options);
      const ask = askFor(dollars(60), { budgets: [budget(100)] });
      const settled = askFor(dollars(40), { budgets: [budget(100)] });
      await granted(admission, ask);
      await granted(admission, settled);
      admission.settle(settled.id, dollars(40));
      admission.forget(budget(100).id);
      admission.settle(ask.id, dollars(60));
      await assertStands(admission, budget(100), { held: 0, spent: 0 });
    });
  });

  describe("a budget first seen", () => {
    it("is filled from the ledger before the first decision, once for all that wait", async () => {
      let loads = 0;
      const { admission } = await open({
        ...options,
        spentOf: async () => {
          loads += 1;
          return [{ at: noon, amount: 95 }];
        },
      });
      const budgets = [budget(100)];
      const verdicts = await Promise.all(
        Array.from({ length: 20 }, () => admission.ask(askFor(dollars(1), { budgets }))),
      );
      assert.equal(verdicts.filter(({ kind }) => kind === "granted").length, 5);
      assert.equal(loads, 1);
      await assertStands(admission, budget(100), { held: 5, spent: 95 });
    });

    it("takes the ledger's whole sum for a whole window, whatever its times", async () => {
      const { admission } = await open({
        ...options,
        spentOf: async () => [{ at: epochMs(0), amount: 40 }],
      });
      const own = budget(100, { window: { kind: "day" } });
      await assertStands(admission, own, { held: 0, spent: 40 });
    });

    it("is asked of the ledger from the start of its window", async () => {
      const asked: Record<string, number> = {};
      const { admission } = await open({
        ...options,
        spentOf: async ({ id }, from) => {
          asked[id] = from;
          return [];
        },
      });
      const windows = {
        total: { kind: "total" },
        day: { kind: "day" },
        week: { kind: "week" },
        month: { kind: "month" },
      } as const;
      await admission.states(
        Object.entries(windows).map(([id, window]) => budget(1, { id, window })),
      );
      assert.deepEqual(asked, {
        total: 0,
        day: Date.UTC(2026, 10, 19),
        week: Date.UTC(2026, 10, 16),
        month: Date.UTC(2026, 10, 1),
      });
    });

    it("refuses as unavailable while the ledger cannot be read, takes nothing, and tries again", async () => {
      let broken = true;
      const { admission, advance } = await open({
        ...options,
        spentOf: async () => {
          if (broken) {
            throw new Error("the store is away");
          }
          return [];
        },
      });
      const budgets = [budget(100)];
      const limits = [requests(1)];
      const verdict = await admission.ask(askFor(dollars(1), { budgets, limits }));
      assert.equal(verdict.kind, "unavailable");
      assert.ok(verdict.kind === "unavailable" && verdict.retryAfterMs > 0);
      await assert.rejects(admission.states(budgets));
      broken = false;
      await advance(minute);
      await granted(admission, askFor(dollars(1), { budgets, limits }));
      await assertStands(admission, budget(100), { held: 1, spent: 0 });
    });

    it("does not wait for the ledger when a limit refuses anyway", async () => {
      const { admission } = await open({
        ...options,
        spentOf: () => new Promise(() => {}),
      });
      const ask = askFor(dollars(1), { budgets: [budget(100)], limits: [requests(0, hour)] });
      await overLimit(admission, ask);
    });
  });
};
