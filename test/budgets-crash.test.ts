/** Budgets of a relay that is killed under load: no hold outlives it, and nothing that upstream counted is forgotten. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  createSimulator,
  type Simulator,
} from "../packages/server/src/upstreams/simulator/server.ts";
import { ask } from "./harness/anthropic.ts";
import { billedBy } from "./harness/bills.ts";
import { send, withToken } from "./harness/http.ts";
import { rowsOf } from "./harness/ledger.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const setUp = async (t: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const simulator = createSimulator({ record: true });
  const upstreamUrl = await simulator.listen();
  t.after(() => simulator.close());
  const startAgain = async (): Promise<Relay> => {
    const relay = await startRelay({ dataDir, upstreamUrl });
    t.after(() => relay.kill());
    return relay;
  };
  return { simulator, startAgain };
};

const setBudget = async (relay: Relay, limit: number): Promise<string> => {
  const body = JSON.stringify({ scope: "relay", limit_micro_usd: limit, window: "total" });
  const answer = await relay.admin("/admin/budgets", { method: "POST", body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.id;
};

const question = { ...ask("Say hello."), max_tokens: 64 };

/** Asks without end, 20 at once, until refused or cut off; gives how many were answered 200. */
const load = async (relay: Relay, token: string): Promise<number> => {
  let answered = 0;
  const worker = async (index: number): Promise<void> => {
    // Half of them answer late, so that a kill finds many under way.
    const headers = withToken(token, index % 2 === 0 ? "slow-start:150" : undefined);
    for (;;) {
      const answer = await send(relay.url, { headers, body: question }).catch(() => null);
      if (answer === null || answer.status !== 200) {
        return;
      }
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => worker(index)));
  return answered;
};

const standing = async (relay: Relay, id: string) =>
  (await relay.admin(`/admin/budgets/${id}`)).body;

/** Ended rows say what they cost; it must be what upstream says. */
const assertEndedRowsBilled = async (relay: Relay, simulator: Simulator): Promise<void> => {
  for (const row of await rowsOf(relay)) {
    const bill = simulator.bills.get(row.upstream_request_id ?? "");
    if (bill !== undefined) {
      const { microUsd } = billedBy({ bills: new Map([["", bill]]) });
      assert.ok(row.cost_micro_usd >= microUsd, `${row.id}: ${row.cost_micro_usd} of ${microUsd}`);
    }
  }
};

describe("a relay killed under load", () => {
  it("has spent, when it is back, no less than upstream counted, and holds nothing", async (t) => {
    const { simulator, startAgain } = await setUp(t);
    let relay = await startAgain();
    const token = await relay.bootstrap();
    const limit = 400_000;
    const id = await setBudget(relay, limit);
    for (let kill = 0; kill < 3; kill += 1) {
      const { requests } = simulator.counters();
      const loaded = load(relay, token);
      await simulator.until((counters) => counters.requests >= requests + 60);
      await relay.kill();
      await loaded;
      await simulator.until(({ open }) => open === 0);
      relay = await startAgain();
      const { held, spent, left } = await standing(relay, id);
      assert.deepEqual([held, left], [0, limit - spent]);
      const { body } = await relay.admin("/admin/usage");
      assert.equal(spent, body.totals.cost_micro_usd);
      assert.ok(body.totals.estimated > 0, "the kill found some under way");
      const billed = billedBy(simulator).microUsd;
      assert.ok(billed > 0 && spent >= billed, `upstream ${billed}, we ${spent}`);
      await assertEndedRowsBilled(relay, simulator);
    }
    const { left } = await standing(relay, id);
    const body = JSON.stringify({ limit_micro_usd: limit - left + 20_000 });
    await relay.admin(`/admin/budgets/${id}`, { method: "PATCH", body });
    assert.ok((await load(relay, token)) > 10, "what is left can still be spent");
    const end = await standing(relay, id);
    assert.ok(end.spent <= end.limit && billedBy(simulator).microUsd <= end.limit);
  });
});
