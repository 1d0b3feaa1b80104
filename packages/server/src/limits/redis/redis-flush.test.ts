import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redisMissing } from "../../../../../test/harness/redis.ts";
import {
  askFor,
  assertStands,
  budget,
  concurrency,
  daily,
  device,
  dollars,
  nothing,
  stateOf,
} from "../testing/admission-harness.ts";
import { bothKnowEachOther, until } from "./test-setup.ts";
import { rig } from "./testing/redis-rig.ts";

const own = budget(1_000);
const budgets = [own];

describe("a Redis that has lost what it knew", { skip: redisMissing, timeout: 60_000 }, () => {
  it("flushed: counters come from the ledger and from what every instance holds", async (t) => {
    const { server, connect } = await rig(t);
    const one = await connect({ heartbeatMs: 50 });
    const other = await connect({ heartbeatMs: 50 });
    const client = server.client();
    t.after(() => client.disconnect());
    const limits = [concurrency(2)];
    for (const instance of [one, other]) {
      const over = askFor(dollars(100), { budgets });
      await instance.ask(over);
      instance.settle(over.id, dollars(50));
      await instance.ask(askFor(dollars(200), { budgets, limits }));
    }
    await assertStands(one.admission, own, { held: 400, spent: 100 });
    await bothKnowEachOther(client, "claude-relay");
    await client.flushall();
    // Nobody grants before the other has told what it holds: 500 would fit if its 200 were forgotten.
    await until(async () => {
      const { kind } = await one.ask(askFor(dollars(501), { budgets }));
      assert.notEqual(kind, "granted");
      return kind === "over_budget";
    });
    await assertStands(one.admission, own, { held: 400, spent: 100 });
    assert.equal((await one.ask(askFor(nothing, { limits }))).kind, "over_limit");
    assert.equal((await other.ask(askFor(dollars(500), { budgets }))).kind, "granted");
    one.settleAll();
    other.settleAll();
    await until(async () => (await stateOf(one.admission, own)).held === 0);
    await assertStands(one.admission, own, { held: 0, spent: 1_000 });
  });

  it("flushed: a request that ends while the ledger is read is counted once", async (t) => {
    const { server, ledger, connect } = await rig(t);
    const one = await connect();
    const client = server.client();
    t.after(() => client.disconnect());
    const running = askFor(dollars(200), { budgets });
    await one.ask(running);
    await client.flushall();
    ledger.onRead = async () => {
      ledger.onRead = async () => {};
      one.settle(running.id, dollars(150));
    };
    await assertStands(one.admission, own, { held: 0, spent: 150 });
  });

  it("flushed: nobody fills counters before every instance's ledger can be read by all", async (t) => {
    const { server, ledger, connect } = await rig(t);
    const journal: (typeof ledger.rows)[number][] = [];
    let caughtUp = 0;
    const fold = async (): Promise<void> => {
      caughtUp += 1;
      // As long as a database may take; the other instance asks all the while.
      await new Promise((resolve) => setTimeout(resolve, 300));
      ledger.rows.push(...journal.splice(0));
    };
    const one = await connect({ heartbeatMs: 50, ledgerCaughtUp: fold });
    const other = await connect({ heartbeatMs: 50 });
    const client = server.client();
    t.after(() => client.disconnect());
    await bothKnowEachOther(client, "claude-relay");
    const over = askFor(dollars(600), { budgets });
    await one.ask(over);
    one.settle(over.id, dollars(600));
    // Only this instance has it as yet, in its journal.
    journal.push(...ledger.rows.splice(0));
    const before = caughtUp;
    await client.flushall();
    await until(async () => {
      const { kind } = await other.ask(askFor(dollars(401), { budgets }));
      assert.notEqual(kind, "granted");
      return kind === "over_budget";
    });
    assert.equal(caughtUp, before + 1);
    await assertStands(other.admission, own, { held: 0, spent: 600 });
  });

  it("flushed: the day's requests are those the ledger knows", async (t) => {
    const { server, connect } = await rig(t);
    const scope = device("a");
    let requests = 0;
    const one = await connect({ countedToday: async () => [{ scope, requests }] });
    const client = server.client();
    t.after(() => client.disconnect());
    const limits = [daily(5, scope)];
    for (; requests < 4; requests += 1) {
      assert.equal((await one.ask(askFor(nothing, { limits }))).kind, "granted");
    }
    await client.flushall();
    assert.equal((await one.ask(askFor(nothing, { limits }))).kind, "granted");
    assert.equal((await one.ask(askFor(nothing, { limits }))).kind, "over_limit");
  });

  it("restarted from an old snapshot: what it says is not believed", async (t) => {
    const { server, connect } = await rig(t);
    const one = await connect();
    const client = server.client();
    const early = askFor(dollars(300), { budgets });
    await one.ask(early);
    await client.save();
    client.disconnect();
    one.settle(early.id, dollars(250));
    const late = askFor(dollars(100), { budgets });
    await one.ask(late);
    one.settle(late.id, dollars(100));
    await assertStands(one.admission, own, { held: 0, spent: 350 });
    await server.kill();
    await server.start();
    await until(() => !one.admission.up);
    await one.admission.whenUp();
    await assertStands(one.admission, own, { held: 0, spent: 350 });
  });
});
