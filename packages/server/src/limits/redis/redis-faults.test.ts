import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redisMissing } from "../../../../../test/harness/redis.ts";
import {
  askFor,
  assertStands,
  budget,
  concurrency,
  daily,
  dollars,
  nothing,
  requests,
} from "../testing/admission-harness.ts";
import { instanceOptions, TestInstance, until } from "./test-setup.ts";
import { rig } from "./testing/redis-rig.ts";

const own = budget(1_000);
const budgets = [own];

describe("Redis faults", { skip: redisMissing, timeout: 60_000 }, () => {
  for (const fault of ["killed", "hung"] as const) {
    it(`${fault}: money comes from a small reserve until it is used up, then is refused; nothing counts twice after`, async (t) => {
      const { server, connect } = await rig(t);
      const one = await connect({ localShare: 0.1 });
      assert.equal((await one.ask(askFor(dollars(100), { budgets }))).kind, "granted");

      await (fault === "killed" ? server.kill() : server.pause());
      // A tenth of the 900 that were left.
      const verdicts = [];
      for (let turn = 0; turn < 5; turn += 1) {
        verdicts.push((await one.ask(askFor(dollars(30), { budgets }))).kind);
      }
      assert.deepEqual(verdicts, ["granted", "granted", "granted", "unavailable", "unavailable"]);
      assert.equal(one.admission.up, false);
      const [first, here] = [...one.open.keys()];
      one.settle(first!, dollars(70));
      one.settle(here!, dollars(10));
      // What was given back may be granted again.
      assert.equal((await one.ask(askFor(dollars(20), { budgets }))).kind, "granted");
      assert.equal((await one.ask(askFor(dollars(1), { budgets }))).kind, "unavailable");

      await (fault === "killed" ? server.start() : server.resume());
      await one.admission.whenUp();
      await assertStands(one.admission, own, { held: 30 + 30 + 20, spent: 80 });
      one.settleAll();
      await assertStands(one.admission, own, { held: 0, spent: 160 });
      const other = await connect();
      await assertStands(other.admission, own, { held: 0, spent: 160 });
    });

    it(`${fault}: a strict policy grants no money at all`, async (t) => {
      const { server, connect } = await rig(t);
      const one = await connect({ localShare: 0 });
      await one.ask(askFor(dollars(1), { budgets }));
      await (fault === "killed" ? server.kill() : server.pause());
      assert.equal((await one.ask(askFor(dollars(1), { budgets }))).kind, "unavailable");
    });

    it(`${fault}: limits are kept by each process, or refuse where that is the policy`, async (t) => {
      const { server, connect } = await rig(t);
      const lenient = await connect();
      const strict = await connect({ fallback: null });
      await (fault === "killed" ? server.kill() : server.pause());
      const limits = [requests(2), concurrency(5), daily(9)];
      const kinds = [];
      for (let turn = 0; turn < 3; turn += 1) {
        kinds.push((await lenient.ask(askFor(nothing, { limits }))).kind);
      }
      assert.deepEqual(kinds, ["granted", "granted", "over_limit"]);
      assert.equal(lenient.admission.refusedAlready(limits)?.kind, "over_limit");
      assert.equal((await strict.ask(askFor(nothing, { limits }))).kind, "unavailable");
      assert.equal((await strict.ask(askFor(nothing, {}))).kind, "granted");
    });
  }

  it("hung: an ask decided without it leaves no hold in it when it goes on", async (t) => {
    const { server, connect } = await rig(t);
    const one = await connect({ localShare: 0 });
    const other = await connect();
    await one.ask(askFor(dollars(0), { budgets }));
    server.pause();
    const limits = [concurrency(1)];
    const lost = askFor(dollars(500), { budgets, limits });
    assert.equal((await one.ask(lost)).kind, "unavailable");
    server.resume();
    await one.admission.whenUp();
    await other.admission.whenUp();
    await assertStands(other.admission, own, { held: 0, spent: 0 });
    assert.equal((await other.ask(askFor(dollars(1_000), { budgets, limits }))).kind, "granted");
  });

  it("slow: what it does late is known to have been done", async (t) => {
    const { server, connect } = await rig(t);
    const one = await connect({ localShare: 0.5 });
    const client = server.client();
    t.after(() => client.disconnect());
    const before = askFor(dollars(100), { budgets });
    await one.ask(before);
    const sleep = client.call("DEBUG", "SLEEP", "1");
    // Both are on their way while Redis sleeps: it will grant the one and settle the other when it wakes.
    await until(async () => (await one.ask(askFor(nothing, {}))) && !one.admission.up);
    const late = askFor(dollars(50), { budgets });
    assert.equal((await one.ask(late)).kind, "granted");
    one.settle(before.id, dollars(40));
    one.settle(late.id, dollars(30));
    await sleep;
    await one.admission.whenUp();
    await assertStands(one.admission, own, { held: 0, spent: 70 });
  });

  it("hung: an ask it grants late is not held besides the one that was granted here", async (t) => {
    const { server, connect } = await rig(t);
    const one = await connect({ localShare: 0.5 });
    await one.ask(askFor(dollars(0), { budgets }));
    server.pause();
    const asks = Array.from({ length: 20 }, () => askFor(dollars(7), { budgets }));
    // Sent, but not answered in time.
    assert.ok(one.admission.up);
    const verdicts = await Promise.all(asks.map((ask) => one.ask(ask)));
    assert.ok(verdicts.every(({ kind }) => kind === "granted"));
    for (const ask of asks.slice(0, 10)) {
      one.settle(ask.id, dollars(3));
    }
    server.resume();
    await one.admission.whenUp();
    await assertStands(one.admission, own, { held: 70, spent: 30 });
    one.settleAll();
    await assertStands(one.admission, own, { held: 0, spent: 100 });
  });

  it("loading: decides without it, and goes on with the same counters when it is loaded", async (t) => {
    const { server, ledger, connect } = await rig(
      t,
      "--loading-process-events-interval-bytes",
      "1024",
    );
    const one = await connect({ localShare: 0.1 });
    const client = server.client();
    t.after(() => client.disconnect());
    await one.ask(askFor(dollars(100), { budgets }));
    const { reads } = ledger;
    await client.call("DEBUG", "POPULATE", "3000");
    await client.config("SET", "key-load-delay", "300");
    const loaded = client.call("DEBUG", "RELOAD");
    await until(async () => {
      const { kind } = await one.ask(askFor(dollars(0), { budgets }));
      assert.equal(kind, "granted");
      return !one.admission.up;
    });
    assert.equal((await one.ask(askFor(dollars(90), { budgets }))).kind, "granted");
    assert.equal((await one.ask(askFor(dollars(1), { budgets }))).kind, "unavailable");
    await loaded;
    await one.admission.whenUp();
    await assertStands(one.admission, own, { held: 190, spent: 0 });
    assert.equal(ledger.reads, reads);
  });

  it("killed while it hangs: what waits for it is answered, not left waiting for ever", async (t) => {
    const { server, connect } = await rig(t);
    const one = await connect();
    await one.ask(askFor(dollars(100), { budgets }));
    server.pause();
    const asked = one.admission.states(budgets);
    await server.kill();
    // As it stood last.
    assert.equal((await asked)[0]?.held, 100);
    await server.start();
    await one.admission.whenUp();
    await assertStands(one.admission, own, { held: 100, spent: 0 });
  });

  it("refusing one request's arguments: others are decided by it all the same", async (t) => {
    const { connect } = await rig(t);
    const one = await connect({ localShare: 0 });
    const impossible = { ...requests(1), max: Number.NaN };
    const poisoned = askFor(dollars(1), { budgets, limits: [impossible] });
    assert.equal((await one.ask(poisoned)).kind, "unavailable");
    assert.equal(one.admission.up, true);
    assert.equal((await one.ask(askFor(dollars(1), { budgets }))).kind, "granted");
    await assertStands(one.admission, own, { held: 1, spent: 0 });
  });

  it("its scripts forgotten: they are sent again", async (t) => {
    const { server, connect } = await rig(t);
    const one = await connect();
    const client = server.client();
    t.after(() => client.disconnect());
    await client.script("FLUSH");
    assert.equal((await one.ask(askFor(dollars(1), { budgets }))).kind, "granted");
    assert.equal(one.admission.up, true);
  });

  it("away from the start: decides at once, and is found when it comes", async (t) => {
    const { server, ledger, connect } = await rig(t);
    await server.kill();
    const one = new TestInstance(ledger, instanceOptions(server.url, ledger));
    t.after(() => one.admission.close());
    assert.equal((await one.ask(askFor(dollars(1), { budgets }))).kind, "unavailable");
    assert.equal((await one.ask(askFor(nothing, { limits: [requests(1)] }))).kind, "granted");
    await server.start();
    await one.admission.whenUp();
    assert.equal((await one.ask(askFor(dollars(1), { budgets }))).kind, "granted");
    await connect();
  });
});
