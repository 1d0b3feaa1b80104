/** Breakers and key pools of several instances over one real Redis. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { epochMs } from "@claude-relay/contract";
import { RedisServer, redisMissing } from "../../../test/harness/redis.ts";
import { openSharedUpstream } from "./compose-shared-upstream.ts";
import type { Log } from "./pipeline/log.ts";
import { type BreakerChange, CircuitBreaker } from "./upstreams/circuit-breaker.ts";
import { KeyPool } from "./upstreams/key-pool.ts";

const apiKeys = ["sk-ant-secret-a", "sk-ant-secret-b"];

const silent = () => {};
const log: Log = {
  ...{ debug: silent, info: silent, warn: silent, error: silent },
  isLevelEnabled: () => false,
};

/** Real time, and what the test adds to it. */
class Time {
  #addedMs = 0;
  readonly now = (): number => performance.now() + this.#addedMs;

  pass(ms: number): void {
    this.#addedMs += ms;
  }
}

const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const givesUpAt = performance.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < givesUpAt, `never came to be: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const rig = async (t: TestContext) => {
  const server = new RedisServer();
  const closers: (() => void)[] = [];
  t.after(async () => {
    for (const close of closers) {
      close();
    }
    await server.remove();
  });
  await server.start();
  let instances = 0;
  const start = (time = new Time(), standBackMs = 0) => {
    instances += 1;
    const shared = openSharedUpstream({
      redis: { url: server.url, instance: `i${instances}` },
      name: "anthropic",
      apiKeys,
      clock: { now: () => epochMs(Date.now()), monotonicMs: time.now },
      log,
    });
    const changes: BreakerChange[] = [];
    const keys = new KeyPool(apiKeys, time.now, shared.onRest);
    const breaker = new CircuitBreaker({
      now: time.now,
      onChange: (change) => changes.push(change),
      onNews: shared.onNews,
      standBackMs: () => standBackMs,
    });
    shared.start(breaker, keys);
    closers.push(() => shared.close());
    const is = (state: string) => until(() => breaker.snapshot().state === state);
    return { breaker, keys, changes, is, time };
  };
  type Instance = ReturnType<typeof start>;
  /** Tells until the other has heard: then both are connected. */
  const meet = async (one: Instance, other: Instance): Promise<void> => {
    for (const [teller, hearer] of [
      [one, other],
      [other, one],
    ] as const) {
      open(teller);
      await hearer.is("open");
      teller.breaker.reset("test");
      await hearer.is("closed");
    }
    one.changes.length = 0;
    other.changes.length = 0;
  };
  return { server, start, meet };
};

const open = ({ breaker }: { breaker: CircuitBreaker }): void => {
  for (let n = 0; n < 5; n += 1) {
    breaker.enter()?.failed("boom");
  }
};

const rests = (keys: KeyPool, count: number): Promise<void> =>
  until(() => (count === apiKeys.length) === (keys.takeAnother() === null));

describe("upstream as several instances see it", { skip: redisMissing, timeout: 60_000 }, () => {
  it("is left alone by all when one's breaker opened; only that one found it out", async (t) => {
    const { start, meet } = await rig(t);
    const [one, other] = [start(), start()];
    await meet(one, other);
    open(one);
    await other.is("open");
    assert.equal(other.breaker.enter(), null);
    assert.ok(other.breaker.snapshot().retryAfterMs > 20_000);
    const late = start();
    await late.is("open");
    assert.deepEqual(
      [one, other, late].map(({ changes }) => changes.map(({ to, told }) => [to, told])),
      [[["open", false]], [["open", true]], [["open", true]]],
    );
  });

  it("is probed by one at a time, whose successes count for all", async (t) => {
    const { start, meet } = await rig(t);
    const [one, other] = [start(), start()];
    await meet(one, other);
    open(one);
    await other.is("open");
    for (const { time } of [one, other]) {
      time.pass(30_000);
    }
    const probe = one.breaker.enter();
    assert.ok(probe);
    await other.is("half_open");
    assert.equal(other.breaker.enter(), null);
    probe.succeeded();
    await until(() => other.breaker.snapshot().consecutiveSuccesses === 1);
    other.breaker.enter()?.succeeded();
    await one.is("closed");
    assert.ok(one.breaker.enter());
  });

  it("is open again for all when one's probe fails", async (t) => {
    const { start, meet } = await rig(t);
    const [one, other] = [start(), start()];
    await meet(one, other);
    open(one);
    await other.is("open");
    for (const { time } of [one, other]) {
      time.pass(30_000);
    }
    other.breaker.enter()?.failed("still down");
    await until(() => one.breaker.snapshot().retryAfterMs > 20_000);
    assert.equal(one.breaker.enter(), null);
  });

  it("is asked again by all when one was reset by hand, also while Redis was away", async (t) => {
    const { server, start, meet } = await rig(t);
    const [one, other] = [start(), start()];
    await meet(one, other);
    open(one);
    await other.is("open");
    other.breaker.reset("an admin reset it");
    await one.is("closed");

    open(one);
    await other.is("open");
    await server.kill();
    one.breaker.reset("an admin reset it");
    assert.equal(other.breaker.snapshot().state, "open");
    await server.start();
    await other.is("closed");
    assert.ok(one.breaker.enter());
  });

  it("while Redis is away each goes by what it knows, and all by the last when it is back", async (t) => {
    const { server, start, meet } = await rig(t);
    const [one, other] = [start(), start()];
    await meet(one, other);
    await server.kill();
    open(one);
    assert.equal(one.breaker.enter(), null);
    other.breaker.enter()?.succeeded();
    assert.equal(other.breaker.snapshot().state, "closed");
    await server.start();
    await other.is("open");
    const late = start();
    await late.is("open");
    assert.equal(one.changes.length, 1);
  });

  it("a key that is limited or rejected rests for all until the same time, and for one that comes later", async (t) => {
    const { server, start, meet } = await rig(t);
    const [one, other] = [start(), start()];
    await meet(one, other);
    one.keys.rest(one.keys.take(), 429, "60");
    one.keys.rest(one.keys.take(), 401, undefined);
    await rests(other.keys, 2);
    const late = start();
    await rests(late.keys, 2);
    const client = server.client();
    t.after(() => client.disconnect());
    const names = await client.keys("*key:*");
    assert.equal(names.length, 2);
    assert.doesNotMatch(names.join(), /secret/);

    await client.flushall();
    const later = start();
    await rests(later.keys, 2);
    for (const { time, keys } of [other, late, later]) {
      // Half a minute for a machine that is busy.
      time.pass(30_000);
      assert.equal(keys.takeAnother(), null);
      time.pass(30_000);
      assert.equal(keys.takeAnother()?.label, "key 1");
      time.pass(240_000);
      assert.equal(keys.takeAnother()?.label, "key 2");
    }
  });
});
