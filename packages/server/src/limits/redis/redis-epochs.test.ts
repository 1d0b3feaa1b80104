/** Counters that begin anew, while some instances have not heard of it and others have not heard of a budget. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import type { Redis } from "ioredis";
import { redisMissing } from "../../../../../test/harness/redis.ts";
import {
  askFor,
  assertStands,
  budget,
  device,
  dollars,
  second,
} from "../testing/admission-harness.ts";
import { bothKnowEachOther, patient, until } from "./test-setup.ts";
import { rig } from "./testing/redis-rig.ts";
import { steppedClock } from "./testing/stepped-clock.ts";

const own = budget(1_000);
const budgets = [own];
const scopes = [device("a")];
const never = 2 ** 30;

const hasJoined = async (client: Redis, instance: string): Promise<boolean> => {
  const epoch = await client.get("{claude-relay}:epoch");
  return (await client.sismember(`{claude-relay}:${epoch}:joined`, instance)) === 1;
};

describe("a new epoch", { skip: redisMissing, timeout: 60_000 }, () => {
  it("waits for one that the last epoch never heard of: Redis was flushed twice in a row", async (t) => {
    const { server, ledger, connect } = await rig(t);
    const client = server.client();
    t.after(() => client.disconnect());
    const { options, hasBeaten } = await steppedClock(client, "claude-relay");
    const one = await connect({ ...options, instance: "one" });
    // It hears of a flush only when it asks.
    const other = await connect({ ...options, instance: "other", heartbeatMs: never });
    assert.equal((await other.ask(askFor(dollars(600), { budgets }))).kind, "granted");
    const joins = async (): Promise<void> => {
      const names = await client.keys("{claude-relay}:*");
      await client.del(...names);
      await until(() => hasJoined(client, "one"));
      // And has heard by a heartbeat that it is alone.
      await hasBeaten("one");
    };
    await hasBeaten("one");
    await joins();
    await joins();
    assert.notEqual((await one.ask(askFor(dollars(500), { budgets }))).kind, "granted");
    // What is read now may lack what the other is about to write.
    const { reads } = ledger;
    const stands = assertStands(one.admission, own, { held: 600, spent: 0 });
    await hasBeaten("one");
    assert.equal(ledger.reads, reads);
    await other.ask(askFor(dollars(0), { budgets }));
    await stands;
    assert.equal((await one.ask(askFor(dollars(500), { budgets }))).kind, "over_budget");
    await assertStands(one.admission, own, { held: 600, spent: 0 });
  });

  it("is begun again by one that comes when nobody waits for it any more: its journal counts", async (t) => {
    const { server, ledger, connect } = await rig(t);
    const client = server.client();
    t.after(() => client.disconnect());
    const { options, advance, hasBeaten } = await steppedClock(client, "claude-relay");
    const journal: (typeof ledger.rows)[number][] = [];
    const one = await connect({ ...options, instance: "one" });
    const late = await connect({
      ...options,
      heartbeatMs: never,
      ledgerCaughtUp: async () => void ledger.rows.push(...journal.splice(0)),
    });
    const [over, running] = [askFor(dollars(600), { budgets }), askFor(dollars(100), { budgets })];
    assert.equal((await late.ask(over)).kind, "granted");
    assert.equal((await late.ask(running)).kind, "granted");
    journal.push({ id: over.id, at: epochMs(Date.now()), ask: over, used: dollars(550) });
    late.admission.settle(over.id, dollars(550));
    await assertStands(late.admission, own, { held: 100, spent: 550 });
    await client.del(...(await client.keys("{claude-relay}:*")));
    await until(() => hasJoined(client, "one"));
    await advance(30 * second);
    await hasBeaten("one");
    // Nobody else knows better.
    await assertStands(one.admission, own, { held: 0, spent: 0 });
    // When the other one has told what it holds, in its turn.
    await until(async () => (await late.ask(askFor(dollars(300), { budgets }))).kind === "granted");
    await assertStands(one.admission, own, { held: 400, spent: 550 });
  });
});

describe("a budget that only one instance has heard of", {
  skip: redisMissing,
  timeout: 60_000,
}, () => {
  const fresh = { ...own, createdAt: epochMs(Date.now()) };

  it("has held and spent what the other grants, though that was over at once", async (t) => {
    const { ledger, connect } = await rig(t);
    const [one, other] = [await connect(patient), await connect(patient)];
    assert.equal((await one.ask(askFor(dollars(0), { budgets: [fresh] }))).kind, "granted");
    const unaware = (amount: number) => ({ ...askFor(dollars(amount), { budgets: [] }), scopes });
    const [over, running] = [unaware(300), unaware(200)];
    await other.ask(over);
    other.settle(over.id, dollars(250));
    await other.ask(running);
    assert.equal(ledger.rows.length, 1);
    const tooMuch = await one.ask(askFor(dollars(551), { budgets: [fresh] }));
    assert.equal(tooMuch.kind, "over_budget");
    await assertStands(one.admission, fresh, { held: 200, spent: 250 });
    other.settle(running.id, null);
    await assertStands(other.admission, fresh, { held: 0, spent: 250 });
  });

  it("has spent what the other granted and ended without Redis", async (t) => {
    const { server, connect } = await rig(t);
    const [one, other] = [await connect({ patienceMs: 20_000 }), await connect()];
    const client = server.client();
    t.after(() => client.disconnect());
    await one.ask(askFor(dollars(0), { budgets: [fresh] }));
    await bothKnowEachOther(client, "claude-relay");
    server.pause();
    const unaware = () => ({ ...askFor(dollars(300), { budgets: [] }), scopes });
    const [asked, told, open] = [unaware(), unaware(), unaware()];
    for (const ask of [asked, told, open]) {
      assert.equal((await other.ask(ask)).kind, "granted");
    }
    other.settle(asked.id, dollars(100));
    other.settle(told.id, dollars(50));
    server.resume();
    await other.admission.whenUp();
    await one.admission.whenUp();
    await assertStands(other.admission, fresh, { held: 300, spent: 150 });
    await assertStands(one.admission, fresh, { held: 300, spent: 150 });
  });
});
