/** Several processes behind one port, on a real Redis and a real Postgres: they count and know as one. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createSimulator } from "../packages/server/src/upstreams/simulator/server.ts";
import { mintAppKey } from "./harness/app-key.ts";
import { failToStart } from "./harness/failing-start.ts";
import { rowsWhen } from "./harness/ledger.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "./harness/postgres.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const workers = 3;

describe("several processes behind one port", { skip: postgresMissing || redisMissing }, () => {
  const simulator = createSimulator({ record: true });
  const redis = new RedisServer();
  let postgres: PostgresServer;
  let relay: Relay;

  before(async () => {
    [postgres] = await Promise.all([startPostgres(), redis.start()]);
    const database = await postgres.createDatabase();
    const shared = { REDIS_URL: redis.url, DATABASE_URL: database.url };
    relay = await startRelay({
      upstreamUrl: await simulator.listen(),
      env: { ...shared, WORKERS: String(workers), PER_KEY_RPM: "100000" },
    });
    let up = 0;
    await relay.logged(({ msg }) => msg === "claude-relay is up" && ++up === workers);
  });
  after(async () => {
    assert.equal(await relay.stop(), 0);
    await Promise.all([postgres.remove(), redis.remove(), simulator.close()]);
  });

  /** On a connection of its own: the processes take them in turn. */
  const complete = (key: string, signal: AbortSignal | null = null) =>
    fetch(`${relay.url}/v1/complete`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        connection: "close",
      },
      body: JSON.stringify({ prompt: "x", max_tokens: 100, model: "claude-sim-stall:3" }),
      signal,
    });

  /** What one such call holds. */
  const holdOf = async (label: string): Promise<number> => {
    const key = await mintAppKey(relay, label);
    const left = new AbortController();
    const call = complete(key, left.signal).catch(() => null);
    await simulator.until(({ open }) => open === 1);
    left.abort();
    await call;
    const rows = await rowsWhen(relay, (all) => all.some((row) => row.app_key === label));
    return rows.find((row) => row.app_key === label)?.hold_micro_usd ?? 0;
  };

  it("of 200 calls at once let through the 10 that a budget covers, and say why of the rest", async () => {
    const hold = await holdOf("measure");
    const key = await mintAppKey(relay, "spender", { concurrency: null });
    const { body: budget } = await relay.admin("/admin/budgets", {
      method: "POST",
      body: JSON.stringify({
        scope: "app_key",
        scope_id: "spender",
        limit_micro_usd: 10 * hold,
        window: "total",
      }),
    });
    const left = new AbortController();
    const refused: { status: number; error: { type: string; message: string } }[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const calls = Array.from({ length: 200 }, async () => {
      let answer = await complete(key, left.signal);
      while (answer.status === 503) {
        // On a busy machine Redis may be too slow for once: whoever is told so asks again.
        await answer.text();
        answer = await complete(key, left.signal);
      }
      const { error } = (await answer.json()) as { error: { type: string; message: string } };
      refused.push({ status: answer.status, error });
      if (refused.length === 190) {
        resolve();
      }
    });
    const ended = Promise.allSettled(calls);
    await Promise.all([all, simulator.until(({ open }) => open === 10)]);
    left.abort();
    await ended;
    assert.equal(refused.length, 190);
    for (const { status, error } of refused) {
      assert.deepEqual([status, error.type], [429, "billing_error"]);
      assert.match(error.message, new RegExp(`budget ${budget.id} of .* left`));
    }
    const rows = await rowsWhen(
      relay,
      (found) => found.filter((row) => row.app_key === "spender").length === 10,
    );
    const spent = rows
      .filter((row) => row.app_key === "spender")
      .reduce((sum, row) => sum + row.cost_micro_usd, 0);
    const state = (await relay.admin(`/admin/budgets/${budget.id}`)).body;
    assert.deepEqual([state.held, state.spent, state.left], [0, spent, 10 * hold - spent]);
  });

  it("know at once, each of them, of a key that another minted or revoked", async () => {
    const key = await mintAppKey(relay, "short-lived");
    const list = () =>
      fetch(`${relay.url}/v1/models`, { headers: { "x-api-key": key, connection: "close" } });
    const statuses = async () =>
      new Set(await Promise.all(Array.from({ length: 12 }, async () => (await list()).status)));
    while (!(await statuses()).has(200)) {
      // Redis tells the others within milliseconds; until then they refuse.
    }
    await relay.admin("/admin/keys/short-lived", { method: "DELETE" });
    while ((await statuses()).has(200)) {
      // The same.
    }
    assert.deepEqual(await statuses(), new Set([401]));
  });

  it("tell what happens in one of them to who follows the events of any, once", async () => {
    await mintAppKey(relay, "watched");
    await mintAppKey(relay, "watched-too");
    const followers = await Promise.all(
      Array.from({ length: 2 * workers }, () =>
        fetch(`${relay.url}/admin/events`, {
          headers: { authorization: `Bearer ${adminToken}`, connection: "close" },
        }),
      ),
    );
    const eventIds = followers.map(async ({ body }) => {
      let text = "";
      for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
        text += piece;
        const ids = [...text.matchAll(/^id: (\S+)\nevent: (\S+)$/gm)].map(([, id]) => id);
        if (ids.length === 2) {
          return ids;
        }
      }
      return assert.fail(`the stream ended: ${text}`);
    });
    for (const label of ["watched", "watched-too"]) {
      while ((await relay.admin(`/admin/keys/${label}`, { method: "DELETE" })).status === 404) {
        // The process that is asked has not heard yet of what another minted.
      }
    }
    const [first, ...others] = await Promise.all(eventIds);
    assert.equal(new Set(first).size, 2);
    for (const ids of others) {
      assert.deepEqual([...ids].sort(), [...first!].sort());
    }
  });

  it("know at once, each of them, of a router that another added or revoked", async () => {
    const post = { method: "POST", body: JSON.stringify({ id: "office" }) };
    assert.equal((await relay.admin("/admin/routers", post)).status, 201);
    const look = () => relay.admin("/admin/routers/office", { headers: { connection: "close" } });
    const seen = async () =>
      new Set(
        (await Promise.all(Array.from({ length: 12 }, look))).map(
          ({ status, body }) => body.status ?? status,
        ),
      );
    while ((await seen()).has(404)) {
      // Redis tells the others within milliseconds; until then they know none.
    }
    await relay.admin("/admin/routers/office", { method: "DELETE" });
    while ((await seen()).has("active")) {
      // The same.
    }
    assert.deepEqual(await seen(), new Set(["revoked"]));
  });
});

describe("several processes without what they share", () => {
  it("are refused with the remedy", async (t) => {
    const dataDir = tempFolder(t);
    const { code, stderr } = await failToStart(dataDir, { DATA_DIR: dataDir, WORKERS: "2" });
    assert.equal(code, 1);
    assert.match(stderr, /WORKERS=2 needs REDIS_URL and DATABASE_URL.*or WORKERS=1/);
  });
});
