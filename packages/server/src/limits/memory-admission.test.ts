import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EpochMs, epochMs } from "@claude-relay/contract";
import { createMemoryAdmission } from "./memory-admission.ts";
import {
  askFor,
  assertStands,
  budget as budgetOf,
  concurrency,
  daily,
  day,
  device,
  dollars,
  emptyLedger,
  granted,
  inputTokens,
  noon,
  nothing,
  type OpenOptions,
  overLimit,
  requests,
} from "./testing/admission-harness.ts";
import { admissionSuite } from "./testing/admission-suite.ts";

// Every window is by UTC, wherever the machine is; here the day is 14 hours ahead.
process.env["TZ"] = "Pacific/Kiritimati";

const open = async ({ startAt, spentOf }: OpenOptions) => {
  let wall: EpochMs = startAt;
  let monotonic = 12_345.678;
  const jump = (ms: number) => {
    wall = epochMs(wall + ms);
  };
  const create = () =>
    createMemoryAdmission({ now: () => wall, monotonicMs: () => monotonic, spentOf });
  return {
    admission: create(),
    advance: (ms: number) => {
      jump(ms);
      monotonic += ms;
    },
    jump,
    restart: async () => create(),
  };
};

admissionSuite("in memory", open, { runs: 500 });

const options: OpenOptions = { startAt: noon, spentOf: emptyLedger };

describe("admission in memory, besides", () => {
  it("decides at once, without a promise, when every budget is filled", async () => {
    const { admission } = await open(options);
    const budgets = [budgetOf(100)];
    assert.ok(admission.ask(askFor(dollars(1), { budgets })) instanceof Promise);
    await admission.states(budgets);
    assert.ok(!(admission.ask(askFor(dollars(1), { budgets })) instanceof Promise));
  });

  it("knows before the body is read who is over requests, requests a day or concurrency", async () => {
    const { admission, advance } = await open(options);
    const full = [inputTokens(1), requests(1, 2000), daily(1), concurrency(1)];
    const ask = askFor({ ...nothing, inputTokens: 5 }, { limits: full });
    await granted(admission, ask);
    for (const [limits, waitMs] of [
      [full.slice(0, 1), 0],
      [full.slice(0, 2), 2000],
      [full.slice(3), 1000],
      [full.slice(1), 43_195_000],
    ] as const) {
      const verdict = admission.refusedAlready(limits);
      assert.equal(verdict?.kind === "over_limit" ? verdict.retryAfterMs : 0, waitMs);
    }
    admission.settle(ask.id, nothing);
    await advance(2000);
    assert.equal(admission.refusedAlready([requests(1, 2000), concurrency(1)]), null);
  });

  it("asks the ledger again for a day it has forgotten, when the clock goes back to it", async () => {
    const { admission, advance, jump } = await open({
      startAt: noon,
      spentOf: async (_, from) => (from < noon ? [{ at: from, amount: 60 }] : []),
    });
    const own = budgetOf(100, { window: { kind: "day" } });
    await assertStands(admission, own, { held: 0, spent: 60 });
    for (let days = 1; days <= 10; days += 1) {
      await advance(day);
      await assertStands(admission, own, { held: 0, spent: 0 });
    }
    jump(-10 * day);
    await assertStands(admission, own, { held: 0, spent: 60 });
  });

  it("claims to know no day before the one it was filled for at last", async () => {
    let broken = true;
    const { admission, advance, jump } = await open({
      startAt: noon,
      spentOf: async (_, from) => {
        if (broken) {
          throw new Error("the store is away");
        }
        return from < noon ? [{ at: from, amount: 60 }] : [];
      },
    });
    const own = budgetOf(100, { window: { kind: "day" } });
    await assert.rejects(admission.states([own]));
    broken = false;
    await advance(day);
    await assertStands(admission, own, { held: 0, spent: 0 });
    jump(-day);
    await assertStands(admission, own, { held: 0, spent: 60 });
  });

  it("fills a budget anew when it moves to another scope", async () => {
    const { admission } = await open({
      startAt: noon,
      spentOf: async ({ scope }) => [{ at: noon, amount: scope.id === "b" ? 70 : 30 }],
    });
    await assertStands(admission, budgetOf(100), { held: 0, spent: 30 });
    await assertStands(admission, budgetOf(100, { scope: device("b") }), { held: 0, spent: 70 });
    const user = { kind: "user", id: "b" } as const;
    const ask = askFor(dollars(30), { budgets: [budgetOf(100, { scope: device("b") })] });
    await granted(admission, ask);
    admission.settle(ask.id, dollars(20));
    await assertStands(admission, budgetOf(100, { scope: user }), { held: 0, spent: 70 });
  });

  it("goes on with the day's count of an earlier process", async () => {
    const admission = createMemoryAdmission({
      now: () => noon,
      monotonicMs: () => 0,
      spentOf: emptyLedger,
      countedToday: [{ scope: device("a"), requests: 4 }],
    });
    await granted(admission, askFor(nothing, { limits: [daily(5)] }));
    await overLimit(admission, askFor(nothing, { limits: [daily(5)] }));
    await granted(admission, askFor(nothing, { limits: [daily(5, device("b"))] }));
  });
});
