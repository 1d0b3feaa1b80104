import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BudgetId, epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import type { Budget, BudgetState, BudgetWindow } from "./admission.ts";
import { type BudgetWarning, BudgetWatch, thresholds } from "./budget-watch.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const budgetOf = (
  limit: number,
  window: BudgetWindow = { kind: "total" },
  id = "bud_1",
): Budget => ({
  id: id as BudgetId,
  scope: { kind: "relay", id: "" },
  unit: "micro_usd",
  limit,
  window,
});

const setUp = (maxBudgets?: number) => {
  const time = { ms: 10 * dayMs };
  const batches: (readonly BudgetWarning[])[] = [];
  const watch = new BudgetWatch({
    now: () => epochMs(time.ms),
    windowStart: (window, now) => {
      switch (window.kind) {
        case "rolling":
          return epochMs(now - window.hours * hourMs);
        case "day":
          return epochMs(now - (now % dayMs));
        default:
          return epochMs(0);
      }
    },
    onWarnings: (warnings) => batches.push(warnings),
    ...(maxBudgets !== undefined && { maxBudgets }),
  });
  const stateOf = (budget: Budget, spent: number): BudgetState => ({
    budget,
    held: 0,
    spent,
    left: Math.max(0, budget.limit - spent),
    resetsAt: budget.window.kind === "total" ? null : epochMs(time.ms - (time.ms % dayMs) + dayMs),
  });
  return {
    time,
    watch,
    stateOf,
    /** A request that is granted with so much spent, and then uses so much. */
    use: (budget: Budget, spent: number, used: number) => {
      const states = [stateOf(budget, spent)];
      watch.granted(states);
      watch.settled(states, { microUsd: used, tokens: 0, inputTokens: 0, outputTokens: 0 });
    },
    /** The thresholds warned of since the last call. */
    heard: () =>
      batches.splice(0).flatMap((batch) => batch.map(({ threshold }) => threshold as number)),
    batches,
  };
};

describe("a budget watch", () => {
  it("warns once when each of 50, 80, 95 and 100 % is spent, to the unit", () => {
    const { use, heard } = setUp();
    const budget = budgetOf(1000);
    const steps = [
      [499, []],
      [500, [50]],
      [799, []],
      [800, [80]],
      [949, []],
      [950, [95]],
      [999, []],
      [1000, [100]],
      [1000, []],
    ] as const;
    let spent = 0;
    for (const [until, expected] of steps) {
      use(budget, spent, until - spent);
      spent = until;
      assert.deepEqual(heard(), expected, `${until} of 1000`);
    }
  });

  it("warns of every threshold that one step crosses, the lowest first, in one batch", () => {
    const { use, batches } = setUp();
    use(budgetOf(1000), 100, 900);
    assert.equal(batches.length, 1);
    assert.deepEqual(
      batches[0]?.map(({ threshold, spent, reason }) => [threshold, spent, reason]),
      thresholds.map((threshold) => [threshold, 1000, "spent"]),
    );
  });

  it("counts what is spent, not what is held", () => {
    const { watch, stateOf, heard } = setUp();
    watch.granted([{ ...stateOf(budgetOf(1000), 100), held: 900, left: 0 }]);
    assert.deepEqual(heard(), []);
  });

  it("hears of what others spent when a request is granted", () => {
    const { watch, stateOf, heard } = setUp();
    watch.granted([stateOf(budgetOf(1000), 810)]);
    assert.deepEqual(heard(), [50, 80]);
  });

  it("adds up what is settled after an answer that was under way meanwhile", () => {
    const { watch, stateOf, use, heard } = setUp();
    const budget = budgetOf(1000);
    use(budget, 0, 490);
    watch.granted([stateOf(budget, 0)]);
    assert.deepEqual(heard(), []);
    watch.settled([stateOf(budget, 0)], {
      microUsd: 10,
      tokens: 0,
      inputTokens: 0,
      outputTokens: 0,
    });
    assert.deepEqual(heard(), [50]);
  });

  it("counts tokens where the budget does", () => {
    const { watch, stateOf, heard } = setUp();
    const states = [stateOf({ ...budgetOf(1000), unit: "tokens" }, 0)];
    watch.granted(states);
    watch.settled(states, { microUsd: 1_000_000, tokens: 0, inputTokens: 0, outputTokens: 0 });
    assert.deepEqual(heard(), []);
    watch.settled(states, { microUsd: 0, tokens: 500, inputTokens: 0, outputTokens: 0 });
    assert.deepEqual(heard(), [50]);
  });

  it("warns anew in a new window, to which what an old one granted does not count", () => {
    const { time, watch, stateOf, use, heard } = setUp();
    const budget = budgetOf(1000, { kind: "day" });
    use(budget, 0, 600);
    assert.deepEqual(heard(), [50]);
    const yesterdays = [stateOf(budget, 600)];
    watch.granted(yesterdays);
    time.ms += dayMs;
    const used = { microUsd: 400, tokens: 0, inputTokens: 0, outputTokens: 0 };
    watch.settled(yesterdays, used);
    assert.deepEqual(heard(), [], "before today's first request");
    watch.granted([stateOf(budget, 0)]);
    watch.settled(yesterdays, used);
    watch.settled(yesterdays, used);
    assert.deepEqual(heard(), [], "after it");
    use(budget, 0, 800);
    assert.deepEqual(heard(), [50, 80]);
  });

  it("of a rolling budget that stays full, warns once in as many hours as it has", () => {
    const { time, watch, stateOf, heard } = setUp();
    const budget = budgetOf(1000, { kind: "rolling", hours: 5 });
    for (let hour = 0; hour < 12; hour += 1) {
      watch.granted([stateOf(budget, hour % 2 === 0 ? 520 : 480)]);
      assert.deepEqual(heard(), [0, 6].includes(hour) ? [50] : [], `hour ${hour}`);
      time.ms += hourMs;
    }
  });

  it("says 100 % when a request is refused that a fresh budget would grant, once", () => {
    const { watch, stateOf, batches } = setUp();
    const state = stateOf(budgetOf(1000), 450);
    watch.refused(state, 600);
    watch.refused(state, 600);
    const [first] = batches.flat();
    assert.equal(batches.flat().length, 1);
    assert.deepEqual([first?.threshold, first?.reason, first?.spent], [100, "refused", 450]);
  });

  it("is not moved by a request no such budget can hold, nor by one that only waits for others", () => {
    const { watch, stateOf, heard } = setUp();
    watch.refused(stateOf(budgetOf(1000), 450), 1001);
    watch.refused({ ...stateOf(budgetOf(1000), 400), held: 300, left: 300 }, 600);
    assert.deepEqual(heard(), []);
  });

  it("warns anew of a raised limit when it fills up anew, and repeats nothing before", () => {
    const { use, heard } = setUp();
    use(budgetOf(1000), 0, 960);
    assert.deepEqual(heard(), [50, 80, 95]);
    use(budgetOf(1100), 960, 0);
    assert.deepEqual(heard(), [], "87 %: told of 95 % before, with that much spent");
    use(budgetOf(3000), 960, 0);
    use(budgetOf(3000), 960, 600);
    assert.deepEqual(heard(), [50]);
    use(budgetOf(1600), 1560, 0);
    assert.deepEqual(heard(), [80, 95], "a lowered one");
  });

  it("says nothing of a budget of nothing, and of one that is forgotten", () => {
    const { watch, stateOf, use, heard } = setUp();
    use(budgetOf(0), 0, 0);
    const states = [stateOf(budgetOf(10), 0)];
    watch.granted(states);
    watch.forget(budgetOf(10).id);
    watch.settled(states, { microUsd: 10, tokens: 0, inputTokens: 0, outputTokens: 0 });
    assert.deepEqual(heard(), []);
  });

  it("keeps no more budgets in mind than it may", () => {
    const { use, heard } = setUp(2);
    const many = ["a", "b", "c"].map((id) => budgetOf(1000, { kind: "total" }, id));
    for (const budget of many) {
      use(budget, 0, 500);
    }
    assert.deepEqual(heard(), [50, 50, 50]);
    use(many[2] as Budget, 500, 0);
    assert.deepEqual(heard(), [], "the newest is known");
    use(many[0] as Budget, 500, 0);
    assert.deepEqual(heard(), [50], "the oldest is for the audit log to know");
  });

  it("whatever is spent in whatever steps, warns of exactly what was passed, each once", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.array(fc.double({ min: 0, max: 0.4, noNaN: true }), { maxLength: 20 }),
        (limit, steps) => {
          const { use, heard } = setUp();
          let spent = 0;
          for (const step of steps) {
            const used = Math.min(limit - spent, Math.floor(limit * step));
            use(budgetOf(limit), spent, used);
            spent += used;
          }
          const passed = thresholds.filter(
            (threshold) => BigInt(spent) * 100n >= BigInt(threshold) * BigInt(limit),
          );
          // Beyond 2^50 a double cannot tell a unit next to the threshold.
          if (limit < 2 ** 50) {
            assert.deepEqual(heard(), passed);
          }
        },
      ),
    );
  });
});
