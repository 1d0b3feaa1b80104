/** An instance that dies leaves holds in Redis that nobody will settle, and may have used what Redis never heard of. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import { redisMissing } from "../../../../../test/harness/redis.ts";
import {
  askFor,
  assertStands,
  budget,
  concurrency,
  dollars,
  nothing,
} from "../testing/admission-harness.ts";
import { followLastInstance } from "./last-instance.ts";
import { patient } from "./test-setup.ts";
import { rig } from "./testing/redis-rig.ts";

const own = budget(1_000);
const budgets = [own];

describe("an instance that follows one which died", { skip: redisMissing, timeout: 60_000 }, () => {
  it("counts what the ledger says of it, and what the others hold", async (t) => {
    const { ledger, connect } = await rig(t);
    const dying = await connect({ instance: "dying", heartbeatMs: 50, ...patient });
    const other = await connect({ heartbeatMs: 50, ...patient });
    const limits = [concurrency(2)];
    const running = askFor(dollars(300), { budgets, limits });
    assert.equal((await dying.ask(running)).kind, "granted");
    assert.equal((await other.ask(askFor(dollars(200), { budgets, limits }))).kind, "granted");
    // It tells Redis nothing of its end.
    await dying.admission.close();
    await assertStands(other.admission, own, { held: 500, spent: 0 });
    // What its journal left open is a row before anything is counted again.
    ledger.rows.push({ id: running.id, at: epochMs(Date.now()), ask: running, used: dollars(120) });
    const next = await connect({ died: "dying", heartbeatMs: 50, ...patient });
    await assertStands(next.admission, own, { held: 200, spent: 120 });
    await assertStands(other.admission, own, { held: 200, spent: 120 });
    const place = await next.ask(askFor(nothing, { limits }));
    assert.equal(place.kind, "granted", "its place is free, the other's is not");
    assert.equal((await next.ask(askFor(nothing, { limits }))).kind, "over_limit");
  });

  it("is told of nobody when all that it granted was settled, else of the last", async (t) => {
    const { connect } = await rig(t);
    const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const start = async (instance: string) => {
      const { died, endedInOrder } = followLastInstance(dataDir, instance);
      return {
        died,
        ...(await connect({ instance, died, onEndedInOrder: endedInOrder, ...patient })),
      };
    };
    const first = await start("first");
    assert.equal(first.died, null);
    const running = askFor(dollars(300), { budgets });
    await first.admission.ask(running);
    first.admission.settle(running.id, dollars(100));
    await first.admission.close();
    const second = await start("second");
    assert.equal(second.died, null);
    await second.admission.ask(askFor(dollars(300), { budgets }));
    await second.admission.close();
    assert.equal((await start("third")).died, "second");
  });
});
