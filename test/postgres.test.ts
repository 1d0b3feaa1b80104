/** A relay whose records are in Postgres: the server is killed and hangs, the relay is killed, nothing is lost. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import {
  createSimulator,
  type Simulator,
} from "../packages/server/src/upstreams/simulator/server.ts";
import { ask, askStream } from "./harness/anthropic.ts";
import { failToStart } from "./harness/failing-start.ts";
import { withToken } from "./harness/http.ts";
import { type Row, rowsOf } from "./harness/ledger.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "./harness/postgres.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { masterKey } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

describe("a relay on Postgres", { skip: postgresMissing }, () => {
  let postgres: PostgresServer;
  let simulator: Simulator;
  let upstreamUrl: string;
  let url: string;
  before(async () => {
    postgres = await startPostgres({ fsync: true });
    simulator = createSimulator({ record: true, acceptKeys: [masterKey] });
    upstreamUrl = await simulator.listen();
  });
  after(async () => {
    await simulator.close();
    await postgres.remove();
  });
  beforeEach(async () => {
    ({ url } = await postgres.createDatabase());
  });

  const start = async (t: TestContext, dataDir = tempFolder(t)): Promise<Relay> => {
    const relay = await startRelay({ upstreamUrl, dataDir, env: { DATABASE_URL: url } });
    t.after(() => relay.stop());
    return relay;
  };

  const post = (relay: Relay, headers: Record<string, string>, body: object) =>
    fetch(`${relay.url}/v1/messages`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  /** Requests one after the other on several lines, until stopped; gives how many were answered. */
  const startCallers = (relay: Relay, token: string) => {
    let stopping = false;
    const answered: string[] = [];
    const lines = Array.from({ length: 8 }, async () => {
      while (!stopping) {
        const response = await post(relay, withToken(token), ask("hi"));
        assert.equal(response.status, 200);
        await response.text();
        answered.push(response.headers.get("x-relay-request-id") ?? "");
      }
    });
    const all = Promise.all(lines);
    all.catch(() => undefined);
    return {
      answered,
      /** Until so many more are answered. @throws what a caller met instead of an answer */
      more: async (count: number): Promise<void> => {
        const enough = answered.length + count;
        while (answered.length < enough) {
          await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 5))]);
        }
      },
      stop: async () => {
        stopping = true;
        await all;
      },
    };
  };

  /** Every answered request has a row, and each row is what upstream billed. */
  const assertWhole = (rows: readonly Row[], answered: readonly string[]): void => {
    assert.deepEqual(rows.map(({ id }) => id).sort(), [...answered].sort());
    for (const row of rows) {
      const bill = simulator.bills.get(row.upstream_request_id ?? "");
      assert.equal(row.accuracy, "measured");
      assert.equal(row.output_tokens, bill?.usage.output_tokens);
    }
  };

  const faults: readonly [string, () => Promise<void>, () => Promise<void>][] = [
    ["is away", () => postgres.kill(), () => postgres.start()],
    ["hangs", async () => postgres.pause(), async () => postgres.resume()],
  ];

  for (const [what, goes, returns] of faults) {
    it(`whose Postgres ${what} answers on, refuses to ask and change, and has every row after`, async (t) => {
      const relay = await start(t);
      const token = await relay.bootstrap();
      const callers = startCallers(relay, token);
      await callers.more(20);
      await goes();
      try {
        await relay.logged((line) => line["fault"] === "database_unwritable");
        const { status, body } = await relay.admin("/admin/usage");
        assert.deepEqual([status, body.error.type], [503, "api_error"]);
        const refused = await relay.admin("/admin/enrollment-codes", {
          method: "POST",
          body: JSON.stringify({ max_uses: 1 }),
        });
        assert.equal(refused.status, 503);
        assert.equal((await fetch(`${relay.url}/readyz`)).status, 200);
        await callers.more(50);
      } finally {
        await returns();
      }
      await relay.logged((line) => line["fault"] === "database_healed");
      await callers.stop();
      assertWhole(await rowsOf(relay), callers.answered);
      const said = JSON.stringify(relay.logs) + relay.stderr();
      assert.ok(!said.includes(postgres.password));
    });
  }

  it("that is killed mid-answer begins again with every row, and an estimate for what was open", async (t) => {
    const dataDir = tempFolder(t);
    const first = await start(t, dataDir);
    const token = await first.bootstrap();
    const callers = startCallers(first, token);
    await callers.more(20);
    await callers.stop();
    const open = await post(first, withToken(token, "stall:6"), askStream("hi"));
    const id = open.headers.get("x-relay-request-id");
    await first.kill();
    await open.text().catch(() => undefined);
    const again = await start(t, dataDir);
    const rows = await rowsOf(again);
    const died = rows.filter((row) => row.id === id);
    assert.deepEqual(
      died.map(({ ending, accuracy }) => [ending, accuracy]),
      [["process_died", "estimated"]],
    );
    assertWhole(
      rows.filter((row) => row.id !== id),
      callers.answered,
    );
  });

  it("does not start without it, says what to do, and shows no password", async (t) => {
    const env = { COMPLETE_UPSTREAM: "simulator" };
    for (const address of [
      url.replace(/:\d+\//, ":1/"),
      url.replace(postgres.password, "wr0ng-passw0rd"),
      `${url}?sslmode=prefer`,
      `${url}?sslmode=verify-full`,
    ]) {
      const failed = await failToStart(tempFolder(t), { ...env, DATABASE_URL: address });
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, /DATABASE_URL/);
      const said = failed.stdout + failed.stderr;
      assert.ok(!said.includes(postgres.password) && !said.includes("wr0ng-passw0rd"));
    }
  });

  for (const [what, goes, returns] of faults) {
    it(`drains and stops in order while it ${what}`, async (t) => {
      const relay = await start(t);
      const token = await relay.bootstrap();
      await goes();
      try {
        const response = await post(relay, withToken(token), ask("hi"));
        assert.equal(response.status, 200);
        await response.text();
        relay.process.kill("SIGTERM");
        const [code] = await once(relay.process, "exit");
        assert.equal(code, 0);
      } finally {
        await returns();
      }
    });
  }
});
