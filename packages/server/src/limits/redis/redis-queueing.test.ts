import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redisMissing } from "../../../../../test/harness/redis.ts";
import { later } from "../../pipeline/later.ts";
import { queueing } from "../queueing-admission.ts";
import { concurrency, newId, nothing, relay, requests } from "../testing/admission-harness.ts";
import { rig } from "./testing/redis-rig.ts";

const stays = { left: false, onLeave: () => {} };

describe("instances whose requests wait for places of all", {
  skip: redisMissing,
  timeout: 60_000,
}, () => {
  it("exceed no limit, serve every request, count each once, and leave no place taken", async (t) => {
    const { connect } = await rig(t);
    const options = {
      ...{ maxWaitMs: 30_000, maxWaiting: 100, pollMs: 50 },
      monotonicMs: () => performance.now(),
      later,
      random: Math.random,
      draining: new AbortController().signal,
    };
    const instances = [await connect(), await connect()].map(({ admission }) =>
      queueing(admission, options),
    );
    const limits = [concurrency(3, relay), requests(1000)];
    let running = 0;
    let most = 0;
    const left: number[] = [];
    const walk = async (index: number): Promise<number> => {
      const admission = instances[index % 2];
      const id = newId();
      const ask = { id, limits, budgets: [], worst: nothing };
      const verdict = await admission?.ask(ask, `device:${index % 5}`, stays);
      assert.ok(verdict?.kind === "granted", String(verdict?.kind));
      left.push(verdict.limits[1]?.remaining ?? 0);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      admission?.settle(id, nothing);
      return verdict.queuedMs ?? 0;
    };
    const waits = await Promise.all(Array.from({ length: 80 }, (_, index) => walk(index)));
    assert.equal(most, 3);
    assert.ok(waits.some((ms) => ms > 0));
    // A little comes back while it goes on; each attempt counted would be many more.
    assert.ok(Math.min(...left) >= 920, `${Math.min(...left)}`);
    t.diagnostic(
      `80 calls through 3 places, two instances: the longest waited ${Math.max(...waits)} ms`,
    );
    assert.deepEqual(await Promise.all([0, 1, 2].map(walk)), [0, 0, 0]);
  });
});
