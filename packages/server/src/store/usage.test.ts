import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type DeviceId, epochMs, type ModelId, microUsd } from "@claude-relay/contract";
import fc from "fast-check";
import type { UsageFilter, UsageTotals } from "../pipeline/ports.ts";
import type { Intent, Outcome } from "../pipeline/types.ts";
import { createStore, type Store } from "./store.ts";
import { onEachDatabase, type TestedDatabase } from "./testing/databases.ts";
import { requestId, sampleIntent, sampleOutcome, sampleUsage } from "./testing/samples.ts";

const openOn = async (context: TestContext, database: TestedDatabase): Promise<Store> => {
  const store = await createStore(await database.newPlace(context));
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

onEachDatabase((database) => {
  test("a summary of nothing is zero", async (context) => {
    const store = await openOn(context, database);
    const { totals, groups } = await store.usage.summary({ groupBy: ["device"] });
    assert.equal(totals.requests, 0);
    assert.equal(totals.cost_micro_usd, 0);
    assert.equal(totals.duration_ms, null);
    assert.deepEqual(groups, []);
  });

  test("totals add up tokens and money, and count errors and estimates", async (context) => {
    const store = await openOn(context, database);
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
      list_price_micro_usd: microUsd(2 * 9_876),
      duration_ms: { p50: 1_500, p95: 1_500, p99: 1_500 },
    };
    assert.deepEqual(totals, expected);
  });

  test("an error is whatever kept the caller from a whole answer, but for leaving mid-answer", async (context) => {
    const store = await openOn(context, database);
    const outcomes: readonly [Partial<Outcome>, errors: number][] = [
      [{}, 0],
      [{ status: 307 }, 0],
      [{ status: 400, accuracy: "free" }, 1],
      [{ status: 502, ending: "upstream_broke" }, 1],
      [{ ending: "upstream_broke", accuracy: "estimated" }, 1],
      [{ errorType: "overloaded_error", accuracy: "estimated" }, 1],
      [{ ending: "process_died", accuracy: "estimated" }, 1],
      [{ ending: "client_left", accuracy: "estimated" }, 0],
      [{ status: 499, ending: "client_left", accuracy: "estimated" }, 1],
    ];
    for (const [number, [outcome, errors]] of outcomes.entries()) {
      const callerId = `device-${number}` as DeviceId;
      await record(store, number, { callerId }, outcome);
      const { totals } = await store.usage.summary({ callerId });
      assert.deepEqual([totals.requests, totals.errors], [1, errors], JSON.stringify(outcome));
    }
    assert.equal((await store.usage.summary({})).totals.errors, 6);
  });

  test("a request whose process was killed is an error, though it has no status", async (context) => {
    const place = await database.newPlace(context);
    const first = await createStore(place);
    await first.ledger.open(sampleIntent(1));
    await first.close();
    const store = await createStore(place);
    context.after(() => store.close());
    const [row] = (await store.usage.rows({ limit: 1 })).data;
    assert.deepEqual([row?.ending, row?.status], ["process_died", null]);
    const { totals, groups } = await store.usage.summary({ groupBy: ["status"] });
    assert.equal(totals.errors, 1);
    assert.deepEqual(
      groups.map(({ group, errors }) => [group.status, errors]),
      [[null, 1]],
    );
  });

  test("the simulator's rows and each operation's can be told apart and kept apart", async (context) => {
    const store = await openOn(context, database);
    await record(store, 1, { upstream: "simulator" });
    await record(store, 2, { upstream: "anthropic" });
    await record(store, 3, { upstream: "anthropic", operation: "count_tokens" });
    const { groups } = await store.usage.summary({ groupBy: ["upstream", "operation"] });
    assert.deepEqual(
      groups.map(({ group, requests }) => [group.upstream, group.operation, requests]),
      [
        ["anthropic", "count_tokens", 1],
        ["anthropic", "messages", 1],
        ["simulator", "messages", 1],
      ],
    );
    const idsOf = async (filter: UsageFilter) => {
      const { data } = await store.usage.rows({ ...filter, limit: 10 });
      const { totals } = await store.usage.summary(filter);
      assert.equal(totals.requests, data.length);
      return data.map(({ id }) => id);
    };
    assert.deepEqual(await idsOf({ upstream: "simulator" }), [requestId(1)]);
    assert.deepEqual(await idsOf({ operation: "messages" }), [requestId(2), requestId(1)]);
    const both = { upstream: "anthropic", operation: "messages" } as const;
    assert.deepEqual(await idsOf(both), [requestId(2)]);
    assert.deepEqual(await idsOf({ upstream: "elsewhere" }), []);
  });

  test("an app key or a router that bears a device's name is another caller", async (context) => {
    const store = await openOn(context, database);
    const device = "same-name" as DeviceId;
    await record(store, 1, { callerId: device });
    await record(store, 2, { callerId: device, callerKind: "app_key" });
    await record(store, 3, { callerId: device, callerKind: "router", operation: "router" });
    for (const [callerKind, number] of [
      ["device", 1],
      ["app_key", 2],
      ["router", 3],
    ] as const) {
      const { data } = await store.usage.rows({ callerId: device, callerKind, limit: 10 });
      assert.deepEqual(
        data.map(({ id }) => id),
        [requestId(number)],
      );
    }
    const { groups } = await store.usage.summary({ groupBy: ["router", "app_key", "operation"] });
    assert.deepEqual(
      groups.map(({ group }) => [group.router, group.app_key, group.operation]),
      [
        [null, null, "messages"],
        [null, device, "messages"],
        [device, null, "router"],
      ],
    );
  });

  test("what a subscription covers is shown at list price, and not billed", async (context) => {
    const store = await openOn(context, database);
    await record(store, 1);
    await record(store, 2, { callerKind: "app_key" }, { priceFlag: "subscription" });
    const { totals, groups } = await store.usage.summary({ groupBy: ["device", "app_key"] });
    assert.equal(totals.cost_micro_usd, 9_876);
    assert.equal(totals.list_price_micro_usd, 2 * 9_876);
    assert.deepEqual(
      groups.map(({ group, cost_micro_usd }) => [group.device, group.app_key, cost_micro_usd]),
      [
        [null, "device-1234", 0],
        ["device-1234", null, 9_876],
      ],
    );
  });

  test("groups are cut by UTC day and hour, device and status, in order", async (context) => {
    const store = await openOn(context, database);
    const at = (number: number, time: number, device: string, status: number) =>
      record(
        store,
        number,
        { startedAt: epochMs(time), callerId: device as DeviceId },
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
    const store = await openOn(context, database);
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
    const store = await openOn(context, database);
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
    const nobody = await store.usage.summary({ callerId: "nobody" as DeviceId });
    assert.equal(nobody.totals.requests, 0);
  });

  test("percentiles are by nearest rank, for any durations", async (context) => {
    const store = await openOn(context, database);
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(10_000), { minLength: 1, maxLength: 250 }),
        async (durations) => {
          const device = `device-${number}` as DeviceId;
          for (const durationMs of durations) {
            await record(store, number++, { callerId: device }, { durationMs });
          }
          const sorted = [...durations].sort((a, b) => a - b);
          const rank = (percent: number) => sorted[Math.ceil((sorted.length * percent) / 100) - 1];
          const { totals, groups } = await store.usage.summary({
            callerId: device,
            groupBy: ["device"],
          });
          const expected = { p50: rank(50), p95: rank(95), p99: rank(99) };
          assert.deepEqual(totals.duration_ms, expected);
          assert.deepEqual(groups[0]?.duration_ms, expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("paging stays in step while new rows arrive, also where starts tie", async (context) => {
    const store = await openOn(context, database);
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
});
