/** A budget that is set under load counts at once what is running: in one process, and in several over one Redis. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createSimulator } from "../packages/server/src/upstreams/simulator/server.ts";
import { mintAppKey } from "./harness/app-key.ts";
import { rowsWhen } from "./harness/ledger.ts";
import { postgresMissing, startPostgres } from "./harness/postgres.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { startRelay } from "./harness/relay.ts";

/** On a connection of its own: processes take them in turn. */
const complete = (url: string, key: string, signal: AbortSignal) =>
  fetch(`${url}/v1/complete`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      connection: "close",
    },
    body: JSON.stringify({ prompt: "x", max_tokens: 100, model: "claude-sim-stall:3" }),
    signal,
  });

/** Redis tells all processes of a change within milliseconds; connections go to them in turn. */
const heardByAll = async <Answer extends { status: number }>(
  look: () => Promise<Answer>,
): Promise<Answer | undefined> => {
  let looks: readonly Answer[];
  do {
    looks = await Promise.all(Array.from({ length: 12 }, look));
  } while (looks.some(({ status }) => status !== 200));
  return looks[0];
};

const runs = async (t: TestContext, env: Readonly<Record<string, string>>): Promise<void> => {
  const simulator = createSimulator({ record: true });
  t.after(() => simulator.close());
  const relay = await startRelay({
    upstreamUrl: await simulator.listen(),
    env: { ...env, PER_KEY_RPM: "100000" },
  });
  t.after(() => relay.stop());
  const key = await mintAppKey(relay, "spender", { concurrency: null });
  const left = new AbortController();
  const start = (): Promise<Response | null> =>
    complete(relay.url, key, left.signal).catch(() => null);

  const running = [start(), start(), start()];
  await simulator.until(({ open }) => open === 3);
  const set = async (limit: number) =>
    (
      await relay.admin("/admin/budgets", {
        method: "POST",
        body: JSON.stringify({
          scope: "app_key",
          scope_id: "spender",
          limit_micro_usd: limit,
          window: "total",
        }),
      })
    ).body;
  const standing = async (id: string) => {
    const look = () => relay.admin(`/admin/budgets/${id}`, { headers: { connection: "close" } });
    return (await heardByAll(look))?.body;
  };
  const wide = await set(1_000_000_000);
  const { held } = await standing(wide.id);
  assert.ok(held > 0 && held % 3 === 0, `${held} held of three`);

  // Room for two more; of ten at once two are let through, wherever they arrive.
  const tight = await set((held / 3) * 5);
  assert.equal((await standing(tight.id)).held, held);
  const statuses: number[] = [];
  const { promise: refused, resolve } = Promise.withResolvers<void>();
  const more = Array.from({ length: 10 }, async () => {
    const answer = await start();
    if (answer !== null && answer.status === 429 && statuses.push(answer.status) === 8) {
      resolve();
    }
  });
  await Promise.all([refused, simulator.until(({ open }) => open === 5)]);
  assert.equal((await standing(tight.id)).held, (held / 3) * 5);
  left.abort();
  await Promise.all([...running, ...more]);
  const rows = await rowsWhen(relay, (all) => all.length === 5);
  const spent = rows.reduce((sum, { cost_micro_usd }) => sum + cost_micro_usd, 0);
  for (const { id } of [wide, tight]) {
    const state = await standing(id);
    assert.deepEqual([state.held, state.spent], [0, spent]);
  }
};

describe("a budget that is set while calls are running", { timeout: 120_000 }, () => {
  it("holds their worst case, and lets through only what they leave", (t) => runs(t, {}));

  it("does so too when several processes run them", {
    skip: postgresMissing || redisMissing,
  }, async (t) => {
    const redis = new RedisServer();
    const [postgres] = await Promise.all([startPostgres(), redis.start()]);
    t.after(() => Promise.all([postgres.remove(), redis.remove()]));
    const database = await postgres.createDatabase();
    await runs(t, { REDIS_URL: redis.url, DATABASE_URL: database.url, WORKERS: "3" });
  });
});
