/** A relay that counts in Redis, while Redis is killed, hangs, and forgets: answers go on, and no cap is overshot. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import {
  createSimulator,
  type Simulator,
} from "../packages/server/src/upstreams/simulator/server.ts";
import { mintAppKey } from "./harness/app-key.ts";
import { rowsWhen } from "./harness/ledger.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { masterKey } from "./harness/secrets.ts";

describe("a relay on Redis", { skip: redisMissing }, () => {
  let redis: RedisServer;
  let simulator: Simulator;
  let upstreamUrl: string;
  before(async () => {
    simulator = createSimulator({ acceptKeys: [masterKey] });
    upstreamUrl = await simulator.listen();
  });
  after(() => simulator.close());
  beforeEach(async (t) => {
    redis = new RedisServer();
    await redis.start();
    (t as TestContext).after(() => redis.remove());
  });

  const start = async (t: TestContext): Promise<Relay> => {
    const env = { REDIS_URL: redis.url, PER_KEY_RPM: "1000000" };
    const relay = await startRelay({ upstreamUrl, env });
    t.after(() => relay.stop());
    await relay.logged(({ msg }) => msg === "Redis is up");
    return relay;
  };

  const complete = async (relay: Relay, key: string) => {
    const response = await fetch(`${relay.url}/v1/complete`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ prompt: "hi", max_tokens: 1000 }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: an answer or an error
    return { status: response.status, body: (await response.json()) as any };
  };

  const setBudget = async (relay: Relay, key: string, limit: number): Promise<string> => {
    const body = { scope: "app_key", scope_id: key, limit_micro_usd: limit, window: "day" };
    const made = await relay.admin("/admin/budgets", {
      method: "POST",
      body: JSON.stringify(body),
    });
    assert.equal(made.status, 201);
    return made.body.id;
  };

  /** What the ledger says this key has spent, once it has so many rows. */
  const spentBy = async (relay: Relay, label: string, count: number): Promise<number> => {
    const rows = await rowsWhen(
      relay,
      (all) => all.filter((row) => row.app_key === label).length === count,
    );
    return rows
      .filter((row) => row.app_key === label)
      .reduce((sum, row) => sum + row.cost_micro_usd, 0);
  };

  /** One call of a key without a budget: what it costs, and what it holds at most. */
  const measure = async (relay: Relay): Promise<Readonly<{ cost: number; hold: number }>> => {
    const key = await mintAppKey(relay, "measure");
    assert.equal((await complete(relay, key)).status, 200);
    const rows = await rowsWhen(relay, (all) => all.some((row) => row.app_key === "measure"));
    const row = rows.find((one) => one.app_key === "measure");
    return { cost: row?.cost_micro_usd ?? 0, hold: row?.hold_micro_usd ?? 0 };
  };

  const isAway = (line: { msg?: unknown }): boolean => /^Redis is away/.test(String(line.msg));

  /** Resolves when this is logged once more than it has been. */
  const loggedAgain = (relay: Relay, words: RegExp): Promise<unknown> => {
    const before = relay.logs.filter(({ msg }) => words.test(msg)).length;
    let seen = 0;
    return relay.logged(({ msg }) => words.test(msg) && ++seen > before);
  };

  const faults: readonly [string, () => Promise<void>, () => Promise<void>][] = [
    ["is killed and comes back empty", () => redis.kill(), () => redis.start()],
    ["hangs", async () => redis.pause(), async () => redis.resume()],
  ];

  for (const [what, goes, returns] of faults) {
    it(`that ${what} answers whom no budget binds, and lets nobody spend beyond a budget`, async (t) => {
      const relay = await start(t);
      const { cost, hold } = await measure(relay);
      const free = await mintAppKey(relay, "free");
      const bound = await mintAppKey(relay, "bound");
      const id = await setBudget(relay, "bound", hold + 20 * cost);
      const statuses = [(await complete(relay, bound)).status];
      await goes();
      try {
        assert.equal((await complete(relay, free)).status, 200);
        await relay.logged(isAway);
        for (let call = 0; call < 10; call += 1) {
          assert.equal((await complete(relay, free)).status, 200);
          const { status, body } = await complete(relay, bound);
          statuses.push(status);
          // Money is granted from a small reserve at most; what is refused may be tried again.
          assert.ok(status === 200 || body.error.type === "api_error", JSON.stringify(body));
        }
      } finally {
        const healed = loggedAgain(relay, /^Redis is up/);
        await returns();
        await healed;
      }
      for (let last = 200; last === 200; ) {
        last = (await complete(relay, bound)).status;
        statuses.push(last);
      }
      const answered = statuses.filter((status) => status === 200).length;
      const spent = await spentBy(relay, "bound", answered);
      assert.ok(spent <= hold + 20 * cost, `${spent} spent of ${hold + 20 * cost}`);
      const refused = await complete(relay, bound);
      assert.deepEqual([refused.status, refused.body.error.type], [429, "billing_error"]);
      const { body: state } = await relay.admin(`/admin/budgets/${id}`);
      assert.deepEqual([state.held, state.spent], [0, spent]);
      assert.ok(answered > 15, `only ${answered} calls were answered, of some 20 that fit`);
    });
  }

  it("that is flushed counts anew from the ledger: a spent budget stays spent", async (t) => {
    const relay = await start(t);
    const { cost, hold } = await measure(relay);
    const key = await mintAppKey(relay, "spender");
    await setBudget(relay, "spender", hold + 3 * cost);
    let answered = 0;
    /** Until the budget says no; while it cannot be known how it stands, money is refused as well. */
    const spendAll = async (): Promise<void> => {
      for (let said = ""; said !== "billing_error"; ) {
        const { status, body } = await complete(relay, key);
        said = body.error?.type ?? "";
        assert.ok(
          status === 200 || status === 503 || said === "billing_error",
          JSON.stringify(body),
        );
        answered += status === 200 ? 1 : 0;
      }
    };
    await spendAll();
    const client = redis.client();
    t.after(() => client.disconnect());
    const anew = loggedAgain(relay, /^counters in Redis begin anew/);
    await client.flushall();
    await spendAll();
    await anew;
    const spent = await spentBy(relay, "spender", answered);
    assert.ok(spent <= hold + 3 * cost, `${spent} spent of ${hold + 3 * cost}`);
  });
});
