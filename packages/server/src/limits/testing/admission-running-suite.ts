import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import type { Ask, Budget, Scope } from "../../pipeline/admission.ts";
import {
  askFor,
  assertStands,
  budget,
  device,
  dollars,
  emptyLedger,
  granted,
  hour,
  minute,
  noon,
  type Open,
  type OpenOptions,
  overBudget,
  relay,
} from "./admission-harness.ts";
import { aRunningStep, RunningHistory } from "./admission-running-history.ts";

const options: OpenOptions = { startAt: noon, spentOf: emptyLedger };

const user: Scope = { kind: "user", id: "ada" };
const session: Scope = { kind: "session", id: "s-1" };

const use = (microUsd: number, scopes: readonly Scope[], budgets: readonly Budget[] = []): Ask => ({
  ...askFor({ ...dollars(microUsd), tokens: microUsd * 2 }, { budgets }),
  scopes,
});

/** Budgets that are set or changed while requests of their scope are running. */
export const runningSuite = (open: Open, runs: number): void => {
  describe("a budget that is set while requests are running", () => {
    it("holds the worst case of those of its scope, on every level, and of no others", async () => {
      const { admission } = await open(options);
      await granted(admission, use(60, [device("a"), user, relay, session]));
      await granted(admission, use(7, [device("b"), relay]));
      for (const [scope, held] of [
        [device("a"), 60],
        [user, 60],
        [session, 60],
        [device("b"), 7],
        [relay, 67],
        [device("c"), 0],
        [{ kind: "app_key", id: "a" }, 0],
      ] as const) {
        const own = budget(100, { id: `${scope.kind}-${scope.id}`, scope });
        await assertStands(admission, own, { held, spent: 0 });
        const inTokens = { ...own, id: `${own.id}-t` as Budget["id"], unit: "tokens" } as const;
        await assertStands(admission, inTokens, { held: held * 2, spent: 0 });
      }
    });

    it("grants no more than what they leave of it, and is settled by them like any other", async () => {
      const { admission } = await open(options);
      const scopes = [device("a"), relay];
      const [first, other] = [use(60, scopes), use(30, scopes)];
      await granted(admission, first);
      await granted(admission, other);
      const budgets = [budget(100)];
      await overBudget(admission, use(11, scopes, budgets));
      const last = use(10, scopes, budgets);
      await granted(admission, last);
      admission.settle(first.id, dollars(20));
      admission.settle(other.id, null);
      await assertStands(admission, budget(100), { held: 10, spent: 20 });
      admission.settle(last.id, dollars(10));
      admission.settle(first.id, dollars(60));
      await assertStands(admission, budget(100), { held: 0, spent: 30 });
    });

    it("counts one that ends while the ledger is read once", async () => {
      let settle = (): void => {};
      const rows: { id: string; at: typeof noon; amount: number }[] = [];
      const { admission } = await open({
        ...options,
        spentOf: async (_, _from, except) => {
          settle();
          await Promise.resolve();
          return rows.filter(({ id }) => !except.has(id as Ask["id"]));
        },
      });
      const running = use(60, [device("a")]);
      await granted(admission, running);
      settle = () => {
        settle = () => {};
        rows.push({ id: running.id, at: noon, amount: 45 });
        admission.settle(running.id, dollars(45));
      };
      await assertStands(admission, budget(100), { held: 0, spent: 45 });
    });

    it("takes none that were asked before its window, and each part of a rolling one by its time", async () => {
      const { admission, advance } = await open({
        ...options,
        startAt: epochMs(Date.UTC(2026, 10, 19, 23, 30)),
      });
      const early = use(60, [device("a")]);
      await granted(admission, early);
      await advance(hour);
      await granted(admission, use(5, [device("a")]));
      const daily = budget(100, { id: "daily", window: { kind: "day" } });
      const rolling = budget(100, { id: "rolling", window: { kind: "rolling", hours: 2 } });
      await assertStands(admission, daily, { held: 5, spent: 0 });
      await assertStands(admission, rolling, { held: 65, spent: 0 });
      await advance(hour + minute);
      await assertStands(admission, rolling, { held: 5, spent: 0 });
      admission.settle(early.id, dollars(60));
      await assertStands(admission, rolling, { held: 5, spent: 0 });
    });

    it("and by which another process asks, counts what this one runs", async (test) => {
      const { admission, peer } = await open(options);
      if (peer === undefined) {
        test.diagnostic("not of one process alone");
        return;
      }
      const other = await peer();
      const scopes = [device("a"), relay];
      await granted(admission, use(60, scopes));
      const own = { ...budget(100), createdAt: noon };
      await overBudget(other, use(41, scopes, [own]));
      await granted(other, use(30, scopes, [own]));
      // This one has not heard of the budget yet; once it is asked for again, what was granted meanwhile counts.
      await granted(admission, use(50, scopes));
      await overBudget(admission, use(20, scopes, [own]));
      await assertStands(other, own, { held: 140, spent: 0 });
      await other.close();
    });
  });

  describe("budgets that are set, changed and removed at any time", () => {
    it("hold what runs of their scope and have spent what is over, whatever happened before", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(aRunningStep, { maxLength: 40 }), async (steps) => {
          const history = new RunningHistory();
          const { admission } = await open({ startAt: noon, spentOf: history.spentOf });
          await history.walk(admission, steps);
          await admission.close();
        }),
        { numRuns: runs },
      );
    });
  });
};
