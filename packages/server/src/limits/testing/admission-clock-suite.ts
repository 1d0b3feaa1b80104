import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import {
  askFor,
  assertStands,
  budget,
  daily,
  day,
  dollars,
  emptyLedger,
  granted,
  hour,
  noon,
  nothing,
  type Open,
  overBudget,
  overLimit,
  requests,
  second,
} from "./admission-harness.ts";

/** A wall clock that is set wrong, and set right again. */
export const clockSuite = (open: Open): void => {
  describe("a wall clock that is set an hour ahead or back", () => {
    it("opens and closes no rate", async (test) => {
      const { admission, advance, jump } = await open({ startAt: noon, spentOf: emptyLedger });
      if (jump === undefined) {
        test.diagnostic("not where the clocks go together");
        return;
      }
      const limits = [requests(2)];
      await granted(admission, askFor(nothing, { limits }));
      await granted(admission, askFor(nothing, { limits }));
      for (const ms of [hour, -2 * hour, 3 * hour]) {
        await jump(ms);
        const refused = await overLimit(admission, askFor(nothing, { limits }));
        assert.equal(refused.retryAfterMs, 30 * second);
      }
      await advance(30 * second);
      await granted(admission, askFor(nothing, { limits }));
    });

    it("over midnight and back grants no second day", async (test) => {
      const startAt = epochMs(Date.UTC(2026, 10, 19, 23, 30));
      const { admission, jump } = await open({ startAt, spentOf: emptyLedger });
      if (jump === undefined) {
        test.diagnostic("not where the clocks go together");
        return;
      }
      const own = budget(100, { window: { kind: "day" } });
      const both = { budgets: [own], limits: [daily(2)] };
      await granted(admission, askFor(dollars(90), both));
      await jump(hour);
      await granted(admission, askFor(dollars(40), both));
      await jump(-hour);
      await assertStands(admission, own, { held: 90, spent: 0 });
      await overBudget(admission, askFor(dollars(11), both));
      await granted(admission, askFor(dollars(10), both));
      await overLimit(admission, askFor(nothing, { limits: [daily(2)] }));
      await jump(hour);
      await assertStands(admission, own, { held: 40, spent: 0 });
      await granted(admission, askFor(nothing, { limits: [daily(2)] }));
      await overLimit(admission, askFor(nothing, { limits: [daily(2)] }));
    });

    it("makes a rolling window forget nothing for good", async (test) => {
      const { admission, jump } = await open({ startAt: noon, spentOf: emptyLedger });
      if (jump === undefined) {
        test.diagnostic("not where the clocks go together");
        return;
      }
      const own = budget(100, { window: { kind: "rolling", hours: 1 } });
      const ask = askFor(dollars(70), { budgets: [own] });
      await granted(admission, ask);
      admission.settle(ask.id, dollars(60));
      await jump(hour + 30 * second);
      await assertStands(admission, own, { held: 0, spent: 0 });
      const ahead = askFor(dollars(30), { budgets: [own] });
      await granted(admission, ahead);
      await jump(-hour - 30 * second);
      // What was asked while the clock was ahead was asked within the last hour all the same.
      await assertStands(admission, own, { held: 30, spent: 60 });
      admission.settle(ahead.id, dollars(20));
      await assertStands(admission, own, { held: 0, spent: 80 });
    });
  });

  describe("a wall clock that is set back to before anything is known", () => {
    it("makes the ledger be asked, and what is held stays held", async (test) => {
      const { admission, jump } = await open({
        startAt: noon,
        spentOf: async (_, from) => (from < noon - day ? [{ at: from, amount: 70 }] : []),
      });
      if (jump === undefined) {
        test.diagnostic("not where the clocks go together");
        return;
      }
      const own = budget(100, { window: { kind: "day" } });
      const ask = askFor(dollars(90), { budgets: [own] });
      await granted(admission, ask);
      await jump(-3 * day);
      await assertStands(admission, own, { held: 0, spent: 70 });
      await jump(3 * day);
      await assertStands(admission, own, { held: 90, spent: 0 });
      admission.settle(ask.id, dollars(80));
      await assertStands(admission, own, { held: 0, spent: 80 });
    });
  });
};
