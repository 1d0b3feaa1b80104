import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyPool, keyName } from "./key-pool.ts";

const setup = (...keys: string[]) => {
  const clock = { ms: 0 };
  return { clock, pool: new KeyPool(keys, () => clock.ms) };
};

describe("the key pool", () => {
  it("takes its keys in turn", () => {
    const { pool } = setup("a", "b", "c");
    assert.deepEqual(
      Array.from({ length: 6 }, () => pool.take().key),
      [..."abcabc"],
    );
  });

  it("leaves a key alone for as long as retry-after says", () => {
    const { pool, clock } = setup("a", "b");
    assert.equal(pool.rest(pool.take(), 429, "20"), 20_000);
    assert.deepEqual([pool.take().key, pool.take().key], ["b", "b"]);
    clock.ms = 19_999;
    assert.equal(pool.take().key, "b");
    clock.ms = 20_000;
    assert.equal(pool.take().key, "a");
  });

  it("rests 10 s without a usable retry-after, and 5 min a key that was rejected", () => {
    const { pool } = setup("a");
    const key = pool.take();
    for (const retryAfter of [undefined, "", "soon", "-1", "0"]) {
      assert.equal(pool.rest(key, 429, retryAfter), 10_000, String(retryAfter));
    }
    assert.equal(pool.rest(key, 401, "1"), 300_000);
  });

  it("has no other when all rest, and then takes the one free soonest", () => {
    const { pool } = setup("a", "b", "c");
    for (const seconds of ["30", "10", "20"]) {
      pool.rest(pool.take(), 429, seconds);
    }
    assert.equal(pool.takeAnother(), null);
    assert.equal(pool.take().key, "b");
  });

  it("names its keys without telling them", () => {
    const { pool } = setup("sk-ant-secret-1", "sk-ant-secret-2");
    assert.deepEqual([pool.take().label, pool.take().label], ["key 1", "key 2"]);
  });

  it("tells by a hash that a key rests, and lets rest what another instance tells, telling nobody", () => {
    const told: Readonly<{ name: string; forMs: number }>[] = [];
    const clock = { ms: 0 };
    const pool = new KeyPool(
      ["sk-ant-secret-1", "sk-ant-secret-2"],
      () => clock.ms,
      (rest) => told.push(rest),
    );
    pool.rest(pool.take(), 429, "20");
    assert.deepEqual(told, [{ name: keyName("sk-ant-secret-1"), forMs: 20_000 }]);
    assert.doesNotMatch(JSON.stringify(told), /secret/);

    assert.equal(pool.hear({ name: keyName("sk-ant-secret-2"), forMs: 30_000 }), "key 2");
    assert.equal(pool.takeAnother(), null);
    assert.equal(pool.hear({ name: keyName("sk-ant-secret-2"), forMs: 10_000 }), null);
    assert.equal(pool.hear({ name: keyName("another"), forMs: 10_000 }), null);
    clock.ms = 20_000;
    assert.equal(pool.takeAnother()?.key, "sk-ant-secret-1");
    clock.ms = 29_999;
    assert.equal(pool.take().label, "key 1");
    clock.ms = 30_000;
    assert.equal(pool.take().label, "key 2");
    assert.equal(told.length, 1);
  });
});
