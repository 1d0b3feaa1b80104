import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  askFor,
  assertStands,
  budget,
  concurrency,
  daily,
  device,
  dollars,
  emptyLedger,
  granted,
  inputTokens,
  noon,
  nothing,
  type Open,
  type OpenOptions,
  overBudget,
  overLimit,
  relay,
  requests,
  tokens,
} from "./admission-harness.ts";

const options: OpenOptions = { startAt: noon, spentOf: emptyLedger };

/** Budgets: money and tokens held at worst case, settled to what was used, all or nothing. */
export const budgetSuite = (open: Open): void => {
  describe("a budget", () => {
    it("grants exactly 10 of 200 parallel requests against a budget for 10", async () => {
      const { admission } = await open(options);
      const budgets = [budget(10 * 1_234_567)];
      const asks = Array.from({ length: 200 }, () => askFor(dollars(1_234_567), { budgets }));
      const verdicts = await Promise.all(asks.map((ask) => admission.ask(ask)));
      const passed = asks.filter((_, index) => verdicts[index]?.kind === "granted");
      assert.equal(passed.length, 10);
      for (const ask of asks) {
        admission.settle(ask.id, dollars(1_234_567));
      }
      await assertStands(admission, budget(10 * 1_234_567), { held: 0, spent: 12_345_670 });
      await overBudget(admission, askFor(dollars(1), { budgets }));
    });

    it("grants exactly 10 of 200 from two processes at once", async (test) => {
      const { admission, peer } = await open(options);
      if (peer === undefined) {
        test.diagnostic("not of one process alone");
        return;
      }
      const other = await peer();
      const budgets = [budget(10)];
      const verdicts = await Promise.all(
        Array.from({ length: 200 }, (_, turn) =>
          (turn % 2 === 0 ? admission : other).ask(askFor(dollars(1), { budgets })),
        ),
      );
      assert.equal(verdicts.filter(({ kind }) => kind === "granted").length, 10);
      await assertStands(admission, budget(10), { held: 10, spent: 0 });
      await other.close();
    });

    it("holds the worst case, says how it stands, and gives the unused part back", async () => {
      const { admission } = await open(options);
      const budgets = [budget(100)];
      const ask = askFor(dollars(80), { budgets });
      const { budgets: states } = await granted(admission, ask);
      assert.deepEqual(states, [
        { budget: budgets[0], held: 80, spent: 0, left: 20, resetsAt: null },
      ]);
      const refused = await overBudget(admission, askFor(dollars(21), { budgets }));
      assert.equal(refused.wanted, 21);
      assert.deepEqual(refused.state, states[0]);
      admission.settle(ask.id, dollars(30));
      await assertStands(admission, budget(100), { held: 0, spent: 30 });
      await granted(admission, askFor(dollars(70), { budgets }));
      await overBudget(admission, askFor(dollars(1), { budgets }));
    });

    it("gives everything back when upstream was never called", async () => {
      const { admission } = await open(options);
      const budgets = [budget(100)];
      const ask = askFor(dollars(100), { budgets });
      await granted(admission, ask);
      admission.settle(ask.id, null);
      await assertStands(admission, budget(100), { held: 0, spent: 0 });
    });

    it("books what was used even beyond the hold and the limit, and grants nothing more", async () => {
      const { admission } = await open(options);
      const budgets = [budget(100)];
      const ask = askFor(dollars(90), { budgets });
      await granted(admission, ask);
      admission.settle(ask.id, dollars(130));
      await assertStands(admission, budget(100), { held: 0, spent: 130 });
      const { state } = await overBudget(admission, askFor(dollars(1), { budgets }));
      assert.equal(state.left, 0);
    });

    it("books the whole hold when a settlement is no whole number of at least zero", async () => {
      const { admission } = await open(options);
      for (const wrong of [Number.NaN, -5, 0.5, Number.POSITIVE_INFINITY]) {
        const own = budget(100, { id: `wrong-${wrong}` });
        const ask = askFor(dollars(40), { budgets: [own] });
        await granted(admission, ask);
        admission.settle(ask.id, dollars(wrong));
        await assertStands(admission, own, { held: 0, spent: 40 });
      }
    });

    it("never grants a worst case that is no whole number of at least zero", async () => {
      const { admission } = await open(options);
      for (const wrong of [Number.NaN, -5, 0.5, Number.POSITIVE_INFINITY]) {
        await overBudget(admission, askFor(dollars(wrong), { budgets: [budget(100)] }));
      }
      await assertStands(admission, budget(100), { held: 0, spent: 0 });
    });

    it("takes a repeated request once and settles it once", async () => {
      const { admission } = await open(options);
      const budgets = [budget(100)];
      const limits = [requests(1), concurrency(1), daily(1)];
      const ask = askFor(dollars(60), { budgets, limits });
      const first = await granted(admission, ask);
      assert.deepEqual(await granted(admission, ask), first);
      admission.settle(ask.id, dollars(50));
      admission.settle(ask.id, dollars(50));
      admission.settle(ask.id, null);
      await assertStands(admission, budget(100), { held: 0, spent: 50 });
      admission.settle(askFor(dollars(7), { budgets }).id, dollars(7));
      await assertStands(admission, budget(100), { held: 0, spent: 50 });
    });

    it("does nothing for a settlement of what was refused", async () => {
      const { admission } = await open(options);
      const budgets = [budget(10)];
      const ask = askFor(dollars(11), { budgets });
      await overBudget(admission, ask);
      admission.settle(ask.id, dollars(11));
      await assertStands(admission, budget(10), { held: 0, spent: 0 });
    });

    it("counts tokens where its unit is tokens", async () => {
      const { admission } = await open(options);
      const own = budget(1000, { unit: "tokens" });
      const ask = askFor({ ...tokens(600), microUsd: 5_000_000 }, { budgets: [own] });
      await granted(admission, ask);
      const refused = await overBudget(admission, askFor(tokens(401), { budgets: [own] }));
      assert.equal(refused.wanted, 401);
      admission.settle(ask.id, { ...tokens(250), microUsd: 1 });
      await assertStands(admission, own, { held: 0, spent: 250 });
    });

    it("counts money exactly, far beyond what floats of dollars can", async () => {
      const { admission } = await open(options);
      const own = budget(9_000_000_000_000_001);
      await granted(admission, askFor(dollars(9_000_000_000_000_000), { budgets: [own] }));
      await granted(admission, askFor(dollars(1), { budgets: [own] }));
      await overBudget(admission, askFor(dollars(1), { budgets: [own] }));
    });

    it("never blocks a request that fits, after any number that did not", async () => {
      const { admission } = await open(options);
      const budgets = [budget(100)];
      for (let turn = 0; turn < 50; turn += 1) {
        await overBudget(admission, askFor(dollars(101), { budgets }));
      }
      await granted(admission, askFor(dollars(100), { budgets }));
    });
  });

  describe("several budgets and limits", () => {
    const three = [
      budget(1000, { id: "relay", scope: relay }),
      budget(100, { id: "device", scope: device("a") }),
      budget(50, { id: "tokens", scope: device("a"), unit: "tokens" }),
    ] as const;

    it("all hold or none does, and the one with least left is named", async () => {
      const { admission } = await open(options);
      const limits = [requests(2), inputTokens(1000), concurrency(5), daily(5)];
      const both = { ...dollars(90), tokens: 45, inputTokens: 400 };
      await granted(admission, askFor(both, { budgets: three, limits }));
      const refused = await overBudget(admission, askFor(both, { budgets: three, limits }));
      assert.deepEqual(refused.state.budget, three[2]);
      assert.equal(refused.state.left, 5);
      assert.equal(refused.wanted, 45);
      await assertStands(admission, three[0], { held: 90, spent: 0 });
      await assertStands(admission, three[1], { held: 90, spent: 0 });
      await assertStands(admission, three[2], { held: 45, spent: 0 });
      const { limits: states } = await granted(admission, askFor(nothing, { limits }));
      assert.deepEqual(
        states.map(({ remaining }) => remaining),
        [0, 600, 3, 3],
      );
    });

    it("names a budget that refuses, not one that merely has less left", async () => {
      const { admission } = await open(options);
      const wide = { ...dollars(101), tokens: 1 };
      const refused = await overBudget(admission, askFor(wide, { budgets: three }));
      assert.deepEqual(refused.state.budget, three[1]);
    });

    it("answers with a limit before a budget, and holds no money for it", async () => {
      const { admission } = await open(options);
      const ask = askFor(dollars(101), { budgets: [three[1]], limits: [requests(0)] });
      await overLimit(admission, ask);
      await assertStands(admission, three[1], { held: 0, spent: 0 });
    });
  });
};
