import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  askFor,
  assertStands,
  budget,
  concurrency,
  dollars,
  granted,
  noon,
  type Open,
  overBudget,
} from "./admission-harness.ts";

/** Holds across the death of the process that took them. */
export const holdSuite = (open: Open): void => {
  describe("a process that dies", () => {
    it("leaves no hold behind, and no use uncounted", async (test) => {
      let ledger = 0;
      const { admission, restart } = await open({
        startAt: noon,
        spentOf: async () => [{ at: noon, amount: ledger }],
      });
      if (restart === undefined) {
        test.diagnostic("not where nothing can be restarted");
        return;
      }
      const budgets = [budget(100)];
      const limits = [concurrency(2)];
      const over = askFor(dollars(30), { budgets, limits });
      const running = askFor(dollars(50), { budgets, limits });
      await granted(admission, over);
      await granted(admission, running);
      admission.settle(over.id, dollars(10));
      ledger = 10;
      await assertStands(admission, budget(100), { held: 50, spent: 10 });

      const next = await restart();
      ledger += 50;
      next.settle(running.id, dollars(50));
      await assertStands(next, budget(100), { held: 0, spent: 60 });
      next.settle(running.id, dollars(50));
      await overBudget(next, askFor(dollars(41), { budgets }));
      await granted(next, askFor(dollars(20), { budgets, limits }));
      const last = await granted(next, askFor(dollars(20), { budgets, limits }));
      assert.equal(last.limits[0]?.remaining, 0);
      await assertStands(next, budget(100), { held: 40, spent: 60 });
      await next.close();
    });
  });

  describe("two processes", () => {
    it("settle each other's holds no more than once", async (test) => {
      const { admission, peer } = await open({ startAt: noon, spentOf: async () => [] });
      if (peer === undefined) {
        test.diagnostic("not of one process alone");
        return;
      }
      const other = await peer();
      const ask = askFor(dollars(50), { budgets: [budget(100)], limits: [concurrency(1)] });
      await granted(admission, ask);
      assert.equal(
        (await other.ask(askFor(dollars(51), { budgets: [budget(100)] }))).kind,
        "over_budget",
      );
      assert.equal(
        (await other.ask(askFor(dollars(1), { limits: [concurrency(1)] }))).kind,
        "over_limit",
      );
      admission.settle(ask.id, dollars(20));
      await assertStands(admission, budget(100), { held: 0, spent: 20 });
      other.settle(ask.id, dollars(50));
      await assertStands(other, budget(100), { held: 0, spent: 20 });
      await granted(
        other,
        askFor(dollars(80), { budgets: [budget(100)], limits: [concurrency(1)] }),
      );
      await other.close();
    });
  });
};
