import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeTime } from "../../../test/harness/fake-time.ts";
import { Saver } from "./saver.ts";

const setUp = () => {
  const time = new FakeTime();
  const written: string[] = [];
  const faults: unknown[] = [];
  const disk = { state: 0, isFull: false, gate: Promise.resolve() };
  const saver = new Saver(
    async (id) => {
      const { state } = disk;
      await disk.gate;
      if (disk.isFull) {
        throw new Error("full");
      }
      written.push(`${id} ${state}`);
    },
    (error) => faults.push(error),
    time.timers,
  );
  return { time, written, faults, disk, saver };
};

describe("a saver", () => {
  it("writes a burst of changes once a second", async () => {
    const { time, written, disk, saver } = setUp();
    for (let change = 1; change <= 25; change += 1) {
      disk.state = change;
      saver.saveSoon("one");
      await time.pass(100);
    }
    assert.deepEqual(written, ["one 10", "one 20"]);
    await saver.flush();
    assert.deepEqual(written, ["one 10", "one 20", "one 25"]);
    await time.pass(10_000);
    assert.equal(written.length, 3);
  });

  it("writes one at a time, and again what changed during a write", async () => {
    const { written, disk, saver } = setUp();
    const gate = Promise.withResolvers<void>();
    disk.gate = gate.promise;
    disk.state = 1;
    const first = saver.save("one");
    disk.state = 2;
    const second = saver.save("one");
    disk.state = 3;
    assert.equal(saver.save("one"), second, "one write tells of both changes");
    gate.resolve();
    await first;
    assert.deepEqual(written, ["one 1"]);
    await second;
    assert.deepEqual(written, ["one 1", "one 3"]);
  });

  it("writes each of two by itself", async () => {
    const { written, disk, saver } = setUp();
    const gate = Promise.withResolvers<void>();
    disk.gate = gate.promise;
    const slow = saver.save("one");
    disk.gate = Promise.resolve();
    await saver.save("two");
    assert.deepEqual(written, ["two 0"]);
    gate.resolve();
    await slow;
  });

  it("tries again after a write that failed, until it is done", async () => {
    const { time, written, faults, disk, saver } = setUp();
    disk.isFull = true;
    await saver.save("one");
    assert.equal(faults.length, 1);
    await time.pass(25_000);
    assert.equal(faults.length, 3);
    disk.isFull = false;
    disk.state = 7;
    await time.pass(10_000);
    assert.deepEqual(written, ["one 7"]);
    await time.pass(60_000);
    assert.equal(faults.length + written.length, 4);
  });

  it("writes no more of what is settled", async () => {
    const { time, written, saver } = setUp();
    saver.saveSoon("one");
    await saver.settle("one");
    await time.pass(5000);
    assert.deepEqual(written, []);
  });
});
