import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RequestId } from "@claude-relay/contract";
import fc from "fast-check";
import type { Admission } from "../../pipeline/admission.ts";
import {
  askFor,
  concurrency,
  emptyLedger,
  granted,
  inputTokens,
  noon,
  nothing,
  type Open,
  type Opened,
  requests,
  type WindowLimit,
} from "./admission-harness.ts";
import { aStep, History } from "./admission-history.ts";
import { AdmissionModel } from "./admission-model.ts";

/** Random histories: no hold leaks, no budget is overshot, every wait is exact. */
export const modelSuite = (open: Open, runs: number): void => {
  describe("any history", () => {
    it("of asking, settling, repeating, dying and time leaks no hold and overshoots no budget", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(aStep, { maxLength: 60 }), async (steps) => {
          const model = new AdmissionModel(noon);
          const opened = await open({ startAt: noon, spentOf: model.spentOf });
          await new History(opened, model).walk(steps);
        }),
        { numRuns: runs },
      );
    });

    it("of requests within a limit passes no more than twice of it in any window, and every wait is exact", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 30 }),
          fc.array(fc.integer({ min: 0, max: 8000 }), { minLength: 1, maxLength: 60 }),
          async (max, gaps) => {
            const { admission, advance } = await open({ startAt: noon, spentOf: emptyLedger });
            await assertExactWaits(admission, advance, requests(max), gaps);
            await admission.close();
          },
        ),
        { numRuns: runs },
      );
    });

    it("of holds within a limit leaves it as if only what was used had been taken", async () => {
      const aHold = fc.record({
        worst: fc.integer({ min: 0, max: 40 }),
        percent: fc.integer({ min: 0, max: 100 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(aHold, { maxLength: 25 }), async (holds) => {
          const { admission } = await open({ startAt: noon, spentOf: emptyLedger });
          const limits = [inputTokens(1000), concurrency(25)];
          const asks = holds.map(({ worst }) =>
            askFor({ ...nothing, inputTokens: worst }, { limits }),
          );
          await Promise.all(asks.map((ask) => granted(admission, ask)));
          let used = 0;
          for (const [index, { worst, percent }] of holds.entries()) {
            const inputTokens = Math.floor((worst * percent) / 100);
            used += inputTokens;
            admission.settle(asks[index]?.id as RequestId, { ...nothing, inputTokens });
          }
          const { limits: states } = await granted(admission, askFor(nothing, { limits }));
          assert.deepEqual(
            states.map(({ remaining }) => remaining),
            [1000 - used, 24],
          );
          await admission.close();
        }),
        { numRuns: runs },
      );
    });
  });
};

const assertExactWaits = async (
  admission: Admission,
  advance: Opened["advance"],
  limit: WindowLimit,
  gaps: readonly number[],
): Promise<void> => {
  let now = 0;
  const move = async (ms: number) => {
    now += ms;
    await advance(ms);
  };
  const passed: number[] = [];
  for (const gap of gaps) {
    await move(gap);
    let verdict = await admission.ask(askFor(nothing, { limits: [limit] }));
    if (verdict.kind === "over_limit") {
      await move(verdict.retryAfterMs - 1);
      const early = await admission.ask(askFor(nothing, { limits: [limit] }));
      assert.ok(early.kind === "over_limit" && early.retryAfterMs === 1);
      await move(1);
      verdict = await admission.ask(askFor(nothing, { limits: [limit] }));
    }
    assert.equal(verdict.kind, "granted");
    passed.push(now);
  }
  for (const start of passed) {
    const within = passed.filter((at) => at >= start && at < start + limit.windowMs).length;
    assert.ok(within <= 2 * limit.max, `${within} passed of ${limit.max}`);
  }
};
