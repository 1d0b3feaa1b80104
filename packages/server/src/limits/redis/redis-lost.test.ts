/** An instance that dies and never comes back: what it held was sent perhaps, and only its own disk knows. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { epochMs } from "@claude-relay/contract";
import { redisMissing } from "../../../../../test/harness/redis.ts";
import {
  askFor,
  assertStands,
  budget,
  concurrency,
  device,
  dollars,
  hour,
  minute,
  nothing,
  second,
  stateOf,
} from "../testing/admission-harness.ts";
import { type TestInstance, until } from "./test-setup.ts";
import { rig } from "./testing/redis-rig.ts";
import { steppedClock } from "./testing/stepped-clock.ts";

const own = budget(1_000);
const budgets = [own];
const scopes = [device("a")];

const open = async (t: TestContext) => {
  const { server, ledger, connect } = await rig(t);
  const client = server.client();
  t.after(() => client.disconnect());
  const { options, advance, hasBeaten } = await steppedClock(client, "lost");
  const start = (more: Parameters<typeof connect>[0] = {}) => connect({ ...options, ...more });
  /** By a heartbeat of the one that lives, when all had a minute to say that they live. */
  const isGivenUp = async ({ admission }: TestInstance): Promise<void> => {
    for (let step = 0; step < 4; step += 1) {
      await advance(20 * second);
      await hasBeaten("living");
    }
    await until(async () => (await stateOf(admission, own)).held === 0);
  };
  return { ledger, start, advance, hasBeaten, isGivenUp };
};

describe("an instance that never comes back", { skip: redisMissing, timeout: 60_000 }, () => {
  it("frees its places after 30 s, and has spent after a day what it held and nobody settled", async (t) => {
    const { start, advance, isGivenUp } = await open(t);
    const both = { budgets, limits: [concurrency(1)] };
    const dying = await start();
    const [recovered, lost] = [askFor(dollars(30), both), askFor(dollars(20), { budgets })];
    await dying.ask(recovered);
    await dying.ask(lost);
    await dying.admission.close();

    const living = await start({ instance: "living" });
    await advance(29 * second);
    const place = askFor(nothing, { limits: [concurrency(1)] });
    assert.equal((await living.ask(place)).kind, "over_limit");
    await advance(2 * second);
    assert.equal((await living.ask({ ...place })).kind, "granted");
    await assertStands(living.admission, own, { held: 50, spent: 0 });

    const reborn = await start();
    reborn.admission.settle(recovered.id, dollars(25));
    await assertStands(reborn.admission, own, { held: 20, spent: 25 });
    await advance(23 * hour);
    await assertStands(living.admission, own, { held: 20, spent: 25 });
    await advance(2 * hour);
    await isGivenUp(living);
    await assertStands(living.admission, own, { held: 0, spent: 45 });
    // The one that lives keeps its place, however long it runs.
    assert.equal(
      (await reborn.ask(askFor(nothing, { limits: [concurrency(1)] }))).kind,
      "over_limit",
    );
  });

  for (const [used, spent] of [
    [120, 200],
    [350, 350],
  ] as const) {
    it(`but was only asleep: a hold of 200 that ends at ${used} counts ${spent}, once`, async (t) => {
      const { start, advance, isGivenUp } = await open(t);
      const sleeping = await start();
      const running = askFor(dollars(200), { budgets });
      await sleeping.ask(running);
      await sleeping.admission.close();
      const living = await start({ instance: "living" });
      await advance(25 * hour);
      await isGivenUp(living);
      // As the one that slept would; it is the same request.
      living.admission.settle(running.id, dollars(used));
      await assertStands(living.admission, own, { held: 0, spent });
      living.admission.settle(running.id, dollars(used));
      await assertStands(living.admission, own, { held: 0, spent });
    });
  }

  it("is not one that had no chance to say that it lives since time leapt: its hold stays", async (t) => {
    const { start, advance, hasBeaten } = await open(t);
    const quiet = await start({ heartbeatMs: 2 ** 30 });
    const running = askFor(dollars(200), { budgets });
    await quiet.ask(running);
    const living = await start({ instance: "living" });
    await hasBeaten("living");
    await advance(25 * hour);
    await hasBeaten("living");
    await assertStands(living.admission, own, { held: 200, spent: 0 });
    quiet.settle(running.id, dollars(70));
    await assertStands(quiet.admission, own, { held: 0, spent: 70 });
  });

  it("is remembered by counters that begin anew because another one died, lost or not", async (t) => {
    const { start, advance, hasBeaten, isGivenUp } = await open(t);
    const gone = await start({ instance: "gone" });
    await gone.ask(askFor(dollars(200), { budgets, limits: [concurrency(9)] }));
    await gone.admission.close();
    const living = await start({ instance: "living" });
    await advance(minute);
    const restart = async (): Promise<void> => {
      const dying = await start({ instance: "dying" });
      await dying.ask(askFor(dollars(50), { budgets }));
      await dying.admission.close();
      // Dead for longer than anyone is waited for.
      await advance(10 * second);
      await hasBeaten("living");
      const next = await start({ died: "dying" });
      await next.admission.close();
    };
    await restart();
    await assertStands(living.admission, own, { held: 200, spent: 0 });
    await advance(25 * hour);
    await isGivenUp(living);
    await assertStands(living.admission, own, { held: 0, spent: 200 });
    await restart();
    await assertStands(living.admission, own, { held: 0, spent: 200 });
  });

  it("and comes back after all: the counters begin anew with what its journal says, once", async (t) => {
    const { ledger, start, advance, isGivenUp } = await open(t);
    const gone = await start({ instance: "gone" });
    const running = askFor(dollars(200), { budgets });
    await gone.ask(running);
    await gone.admission.close();
    const living = await start({ instance: "living" });
    await advance(25 * hour);
    await isGivenUp(living);
    await assertStands(living.admission, own, { held: 0, spent: 200 });
    ledger.rows.push({ id: running.id, at: epochMs(Date.now()), ask: running, used: dollars(120) });
    const back = await start({ died: "gone" });
    await assertStands(back.admission, own, { held: 0, spent: 120 });
    await assertStands(living.admission, own, { held: 0, spent: 120 });
  });

  it("counts for a budget that is set after it was given up", async (t) => {
    const { start, advance, isGivenUp } = await open(t);
    const gone = await start();
    await gone.ask({ ...askFor(dollars(200), { budgets }), scopes });
    await gone.admission.close();
    const living = await start({ instance: "living" });
    await advance(25 * hour);
    await isGivenUp(living);
    const late = budget(500, { id: "late" });
    await assertStands(living.admission, late, { held: 0, spent: 200 });
    await assertStands(living.admission, own, { held: 0, spent: 200 });
  });
});
