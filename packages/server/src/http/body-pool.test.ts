import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BodyPool } from "./body-pool.ts";

const memoryOf = (buffer: Buffer) => buffer.buffer;

describe("the body pool", () => {
  it("hands a returned buffer to the next body of its size", () => {
    const pool = new BodyPool();
    const first = pool.take(200_000);
    assert.equal(first.length, 200_000);
    pool.giveBack(first);
    const second = pool.take(150_000);
    assert.equal(second.length, 150_000);
    assert.equal(memoryOf(second), memoryOf(first));
  });

  it("never hands one buffer to two bodies at once", () => {
    const pool = new BodyPool();
    const taken = Array.from({ length: 8 }, () => pool.take(100_000));
    for (const body of taken) {
      pool.giveBack(body);
    }
    const again = Array.from({ length: 12 }, () => pool.take(100_000));
    assert.equal(new Set(again.map(memoryOf)).size, 12);
  });

  it("lets go of buffers that are not its own, small ones included", () => {
    const pool = new BodyPool();
    const foreign = Buffer.alloc(200_000);
    pool.giveBack(foreign);
    assert.notEqual(memoryOf(pool.take(200_000)), memoryOf(foreign));
    const small = pool.take(1000);
    pool.giveBack(small);
    assert.equal(pool.take(1000).length, 1000);
  });

  it("holds no more than its bound", () => {
    const pool = new BodyPool();
    const taken = Array.from({ length: 5 }, () => pool.take(32 * 1024 * 1024));
    const memories = new Set(taken.map(memoryOf));
    for (const body of taken) {
      pool.giveBack(body);
    }
    const again = Array.from({ length: 5 }, () => pool.take(32 * 1024 * 1024));
    assert.equal(again.filter((body) => memories.has(memoryOf(body))).length, 2);
  });
});
