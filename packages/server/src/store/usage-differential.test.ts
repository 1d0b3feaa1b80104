import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { epochMs, microUsd } from "@claude-relay/contract";
import fc from "fast-check";
import { postgresMissing, startPostgres } from "../../../../test/harness/postgres.ts";
import type { UsageDimension, UsageFilter } from "../pipeline/ports.ts";
import type { Intent, Outcome } from "../pipeline/types.ts";
import { createStore, type Store } from "./store.ts";
import { noon, sampleIntent, sampleOutcome, sampleUsage } from "./testing/samples.ts";
import { tempDir } from "./testing/temp-dir.ts";

/** Names on which orders by bytes and by language differ. */
const name = fc.constantFrom("a", "B", "b", "A", "ä", "Z", "z-1", "z_1", "10", "9", "", "é", "😀");
const nullable = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 4 });

const intent = fc.record({
  startedAt: fc.integer({ min: 0, max: 3 * 86_400_000 }).map((ms) => epochMs(noon + ms)),
  callerKind: fc.constantFrom("device", "app_key"),
  callerId: name,
  userId: nullable(name),
  organizationId: nullable(name),
  sessionId: nullable(name),
  model: nullable(name),
  operation: fc.constantFrom("messages", "count_tokens"),
  upstream: fc.constantFrom("anthropic", "simulator"),
}) as fc.Arbitrary<Partial<Intent>>;

const outcome = fc.record({
  status: fc.constantFrom(200, 400, 404, 499, 529),
  accuracy: fc.constantFrom("measured", "estimated", "free"),
  ending: fc.constantFrom("complete", "client_left", "upstream_broke"),
  durationMs: fc.nat(50),
  costMicroUsd: fc.integer({ min: 0, max: 1_000_000_000_000 }).map(microUsd),
  priceFlag: fc.constantFrom(null, "subscription", "unknown_model"),
  errorType: nullable(fc.constant("overloaded_error")),
  usage: fc.record({ outputTokens: fc.nat(1_000_000_000) }).map((some) => ({
    ...sampleUsage,
    ...some,
  })),
}) as fc.Arbitrary<Partial<Outcome>>;

const request = fc.record({ intent, outcome: nullable(outcome) });

const dimensions: readonly UsageDimension[] = [
  ...(["device", "app_key", "user", "organization", "model", "operation"] as const),
  ...(["upstream", "day", "hour", "status", "accuracy"] as const),
];

const conditions = {
  from: fc.integer({ min: 0, max: 86_400_000 }).map((ms) => epochMs(noon + ms)),
  to: fc.integer({ min: 86_400_000, max: 4 * 86_400_000 }).map((ms) => epochMs(noon + ms)),
  callerKind: fc.constantFrom("device", "app_key"),
  callerId: name,
  user: name,
  organization: name,
  session: name,
  model: fc.oneof(name, fc.constant("nul\0")),
  operation: fc.constantFrom("messages", "count_tokens"),
  status: fc.constantFrom(200, 404),
};

/** Two conditions at most: more leave no row to compare. */
const filter = fc
  .tuple(fc.record(conditions), fc.shuffledSubarray(Object.keys(conditions), { maxLength: 2 }))
  .map(([all, chosen]) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => chosen.includes(key))),
  ) as fc.Arbitrary<UsageFilter>;

const query = fc.record({
  filter,
  groupBy: fc.shuffledSubarray([...dimensions], { maxLength: 3 }),
  limit: fc.integer({ min: 1, max: 7 }),
});

const allRows = async (store: Store, asked: UsageFilter, limit: number) => {
  const rows = [];
  let cursor: string | undefined;
  do {
    const page = await store.usage.rows({ ...asked, limit, cursor });
    rows.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return rows;
};

const openBoth = async (context: TestContext): Promise<readonly [Store, Store]> => {
  const server = await startPostgres();
  const { address } = await server.createDatabase();
  const stores = await Promise.all([
    createStore({ dataDir: tempDir(context) }),
    createStore({ dataDir: tempDir(context), postgres: address }),
  ]);
  context.after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server.remove();
  });
  return stores;
};

test("whatever is in the ledger and whatever is asked, Postgres and SQLite give the same answer", {
  skip: postgresMissing,
}, async (context) => {
  const stores = await openBoth(context);
  let [number, compared] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { maxLength: 30 }),
      fc.array(query, { minLength: 1, maxLength: 6 }),
      async (requests, queries) => {
        // Rows add up from run to run: small ledgers first, larger ones later.
        for (const { intent, outcome } of requests) {
          number++;
          for (const store of stores) {
            await store.ledger.open(sampleIntent(number, intent));
            if (outcome !== null) {
              store.ledger.close(sampleOutcome(number, outcome));
            }
          }
        }
        for (const { filter, groupBy, limit } of queries) {
          const [sqlite, postgres] = await Promise.all(
            stores.map(async (store) => ({
              summary: await store.usage.summary({ ...filter, groupBy }),
              rows: await allRows(store, filter, limit * 25),
            })),
          );
          assert.deepEqual(postgres, sqlite);
          compared += sqlite?.rows.length ?? 0;
        }
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(compared > 1_000, `${compared} rows`);
});
