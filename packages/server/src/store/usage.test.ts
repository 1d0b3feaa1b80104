import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type DeviceId, epochMs, type ModelId, microUsd } from "@claude-relay/contract";
import fc from "fast-check";
import type { UsageTotals } from "../pipeline/ports.ts";
import type { Intent, Outcome } from "../pipeline/types.ts";
import { createStore, type Store } from "./store.ts";
import { requestId, sampleIntent, sampleOutcome, sampleUsage } from "./testing/samples.ts";
import { tempDir } from "./testing/temp-dir.ts";

const open = async (context: TestContext): Promise<Store> => {
  const store = await createStore({ dataDir: tempDir(context) });
  context.after(() => store.close());
  return store;
};

const record = async (
  store: Store,
  number: number,
  intent: Partial<Intent> = {},
  outcome: Partial<Outcome> = {},
): Promise<void> => {
  await store.ledger.open(sampleIntent(number, intent));
  store.ledger.close(sampleOutcome(number, outcome));
};

const midnight = Date.UTC(2026, 10, 21);

test("a summary of nothing is zero", async (context) => {
  const store = await open(context);
  const { totals, groups } = await store.usage.summary({ groupBy: ["device"] });
  assert.equal(totals.requests, 0);
  assert.equal(totals.cost_micro_usd, 0);
  assert.equal(totals.duration_ms, null);
  assert.deepEqual(groups, []);
});

test("totals add up tokens and money, and count errors and estimates", async (context) => {
  const store = await open(context);
  await record(store, 1);
  await record(store, 2, {}, { status: 529, accuracy: "free", costMicroUsd: microUsd(0) });
  await record(store, 3, {}, { status: 499, accuracy: "estimated", durationMs: 10 });
  const { totals } = await store.usage.summary({});
  const expected: UsageTotals = {
    requests: 3,
    errors: 2,
    estimated: 1,
    input_tokens: 3 * sampleUsage.inputTokens,
    output_tokens: 3 * sampleUsage.outputTokens,
    cache_read_input_tokens: 3 * sampleUsage.cacheReadInputTokens,
    cache_creation_5m_input_tokens: 3 * sampleUsage.cacheCreation5mInputTokens,
    cache_creation_1h_input_tokens: 3 * sampleUsage.cacheCreation1hInputTokens,
    web_search_requests: 3,
    web_fetch_requests: 6,
    cost_micro_usd: microUsd(2 * 9_876),
    duration_ms: { p50: 1_500, p95: 1_500, p99: 1_500 },
  };
  assert.deepEqual(totals, expected);
});

test("groups are cut by UTC day and hour, device and status, in order", async (context) => {
  const store = await open(context);
  const at = (number: number, time: number, device: string, status: number) =>
    record(
      store,
      number,
      { startedAt: epochMs(time), deviceId: device as DeviceId },
      { status, durationMs: number },
    );
  await at(1, midnight - 1, "device-a", 200);
  await at(2, midnight, "device-a", 200);
  await at(3, midnight + 3_600_000, "device-b", 400);
  const groupsOf = async (...groupBy: Parameters<Store["usage"]["summary"]>[0]["groupBy"] & {}) =>
    (await store.usage.summary({ groupBy })).groups.map((group) => [
      ...Object.values(group.group),
      group.requests,
      group.duration_ms?.p50,
    ]);
  assert.deepEqual(await groupsOf("day"), [
    ["2026-11-20", 1, 1],
    ["2026-11-21", 2, 2],
  ]);
  assert.deepEqual(await groupsOf("hour", "device"), [
    ["2026-11-20T23:00:00Z", "device-a", 1, 1],
    ["2026-11-21T00:00:00Z", "device-a", 1, 2],
    ["2026-11-21T01:00:00Z", "device-b", 1, 3],
  ]);
  assert.deepEqual(await groupsOf("status"), [
    [200, 2, 1],
    [400, 1, 3],
  ]);
});

test("rows without a user, a model or a status are a group of their own", async (context) => {
  const store = await open(context);
  await record(store, 1, { userId: null, model: null });
  await record(store, 2);
  const { groups } = await store.usage.summary({ groupBy: ["user", "model", "accuracy"] });
  assert.deepEqual(
    groups.map(({ group }) => group),
    [
      { user: null, model: null, accuracy: "measured" },
      { user: "user-1", model: "claude-sonnet-4-5-20250929", accuracy: "measured" },
    ],
  );
  assert.ok(groups.every((group) => group.duration_ms?.p99 === 1_500));
});

test("filters hold for totals, groups and rows alike; from is in, to is out", async (context) => {
  const store = await open(context);
  const start = sampleIntent(0).startedAt;
  for (let number = 1; number <= 5; number++) {
    await record(store, number);
  }
  await record(store, 6, { model: "other" as ModelId }, { status: 404 });
  const span = { from: epochMs(start + 2), to: epochMs(start + 4) };
  const { totals, groups } = await store.usage.summary({ ...span, groupBy: ["device"] });
  assert.deepEqual([totals.requests, groups[0]?.requests], [2, 2]);
  const spanned = await store.usage.rows({ ...span, limit: 10 });
  assert.deepEqual(
    spanned.data.map((row) => row.id),
    [requestId(3), requestId(2)],
  );
  for (const filter of [{ model: "other" as ModelId }, { status: 404 }]) {
    const { data } = await store.usage.rows({ ...filter, limit: 10 });
    assert.deepEqual(
      data.map((row) => row.id),
      [requestId(6)],
    );
    assert.equal((await store.usage.summary(filter)).totals.requests, 1);
  }
  const nobody = await store.usage.summary({ device: "nobody" as DeviceId });
  assert.equal(nobody.totals.requests, 0);
});

test("percentiles are by nearest rank, for any durations", async (context) => {
  const store = await open(context);
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(10_000), { minLength: 1, maxLength: 250 }),
      async (durations) => {
        const device = `device-${number}` as DeviceId;
        for (const durationMs of durations) {
          await record(store, number++, { deviceId: device }, { durationMs });
        }
        const sorted = [...durations].sort((a, b) => a - b);
        const rank = (percent: number) => sorted[Math.ceil((sorted.length * percent) / 100) - 1];
        const { totals, groups } = await store.usage.summary({ device, groupBy: ["device"] });
        const expected = { p50: rank(50), p95: rank(95), p99: rank(99) };
        assert.deepEqual(totals.duration_ms, expected);
        assert.deepEqual(groups[0]?.duration_ms, expected);
      },
    ),
    { numRuns: 25 },
  );
});

test("paging stays in step while new rows arrive, also where starts tie", async (context) => {
  const store = await open(context);
  const startedAt = sampleIntent(0).startedAt;
  for (let number = 10; number < 21; number++) {
    await record(store, number, { startedAt });
  }
  const seen: string[] = [];
  let cursor: string | undefined;
  let newest = 100;
  do {
    const page = await store.usage.rows({ limit: 3, cursor });
    seen.push(...page.data.map((row) => row.id));
    cursor = page.next_cursor ?? undefined;
    await record(store, newest++);
    assert.ok(newest < 120, "the pages come to an end");
  } while (cursor !== undefined);
  const expected = Array.from({ length: 11 }, (_, index) => requestId(20 - index));
  assert.deepEqual(seen, expected);
});
