import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EpochMs, epochMs } from "@claude-relay/contract";
import type { UsageGroup, UsageQueries } from "./ports.ts";
import type { BilledLine } from "./reconcile.ts";
import { createReconciler } from "./reconciler.ts";
import { Refusal } from "./refusal.ts";

const now = epochMs(Date.parse("2026-11-21T10:00:00Z"));
const none = { requests: 0, errors: 0, estimated: 0, duration_ms: null, web_fetch_requests: 0 };

const group = (
  key: UsageGroup["group"],
  requests: number,
  sums: Partial<Omit<UsageGroup, "group">>,
): UsageGroup =>
  ({
    ...none,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation_5m_input_tokens: 0,
    cache_creation_1h_input_tokens: 0,
    web_search_requests: 0,
    cost_micro_usd: 0,
    list_price_micro_usd: 0,
    ...sums,
    requests,
    group: key,
  }) as UsageGroup;

const reconciler = (groups: UsageGroup[], lines: BilledLine[] | null) => {
  const asked: unknown[] = [];
  const usage: Pick<UsageQueries, "summary"> = {
    summary: async (query) => {
      asked.push(query);
      return { totals: group({}, 0, {}), groups, truncated: false };
    },
  };
  const read = async (from: EpochMs, to: EpochMs) => {
    asked.push([from, to]);
    return lines ?? [];
  };
  const run = createReconciler({
    usage,
    reports: lines === null ? null : { read },
    upstream: "anthropic",
    webSearchMicroUsd: 10_000,
    clock: { now: () => now, monotonicMs: () => 0 },
  });
  return { asked, run };
};

const day = "2026-11-20";
const span = { from: day, to: "2026-11-22", tolerancePercent: 0 };

describe("the reconciler", () => {
  it("asks both sides for the same whole days, ours for what that upstream was sent", async () => {
    const { asked, run } = reconciler([], []);
    const report = await run(span);
    const days = [Date.parse("2026-11-20T00:00:00Z"), Date.parse("2026-11-22T00:00:00Z")];
    assert.deepEqual(asked[0], days);
    assert.deepEqual(asked[1], {
      from: days[0],
      to: days[1],
      upstream: "anthropic",
      groupBy: ["day", "answering_model", "accuracy"],
    });
    assert.deepEqual(
      [report.open_day, report.asked_at, report.agrees],
      ["2026-11-21", "2026-11-21T10:00:00.000Z", true],
    );
    assert.equal((await run({ ...span, to: "2026-11-21" })).open_day, null);
  });

  it("leaves free rows out, marks estimated ones, and takes searches out of a model's cost", async () => {
    const key = { day, answering_model: "claude-haiku-4-5-20251001" };
    const { run } = reconciler(
      [
        group({ ...key, accuracy: "measured" }, 3, {
          input_tokens: 300,
          web_search_requests: 2,
          cost_micro_usd: 20_500 as UsageGroup["cost_micro_usd"],
        }),
        group({ ...key, accuracy: "estimated" }, 1, { input_tokens: 40 }),
        group({ ...key, accuracy: "free" }, 7, {}),
        group({ day, answering_model: null, accuracy: "free" }, 9, {}),
      ],
      [
        {
          day,
          costType: "tokens",
          model: "claude-haiku-4-5",
          amounts: { input_tokens: 340, web_search_requests: 2, cost_micro_usd: 500 },
        },
        { day, costType: "web_search", model: null, amounts: { cost_micro_usd: 20_000 } },
      ],
    );
    const { rows, agrees, totals } = await run(span);
    assert.deepEqual(
      rows.map(({ model, cost_type, verdict, ours, estimated }) => [
        ...[model, cost_type, verdict, ours.requests, ours.cost_micro_usd],
        estimated.requests,
      ]),
      [
        ["claude-haiku-4-5", "tokens", "match", 4, 500, 1],
        [null, "web_search", "match", 0, 20_000, 0],
      ],
    );
    assert.ok(agrees);
    assert.equal(totals.ours.cost_micro_usd, 20_500);
  });

  it("without an admin key says what to set", async () => {
    await assert.rejects(
      reconciler([], null).run(span),
      (error: unknown) =>
        error instanceof Refusal &&
        error.code === "conflict" &&
        /ANTHROPIC_ADMIN_KEY is not set.*sk-ant-admin/.test(error.message),
    );
  });

  it("refuses days that are none, an empty or endless span, and the future", async () => {
    for (const [from, to, field] of [
      ["2026-02-30", "2026-03-02", /^from/],
      ["2026-11-20", "2026-13-01", /^to/],
      ["2026-11-20", "2026-11-20", /^to.*1 to 186 days/],
      ["2026-11-20", "2026-11-19", /^to/],
      ["2026-01-01", "2026-11-01", /^to/],
      ["2026-11-20", "2026-11-23", /^to must be tomorrow/],
    ] as const) {
      const { asked, run } = reconciler([], []);
      await assert.rejects(
        run({ from, to, tolerancePercent: 1 }),
        (error: unknown) =>
          error instanceof Refusal && error.code === "invalid_request" && field.test(error.message),
      );
      assert.equal(asked.length, 0);
    }
  });
});
