import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeTime } from "../../../test/harness/fake-time.ts";
import { TextPacer } from "./text-pacer.ts";

const setUp = () => {
  const time = new FakeTime();
  const heard: string[] = [];
  const pacer = new TextPacer(time.timers, time.clock.monotonicMs, (text) => heard.push(text));
  return { time, heard, pacer };
};

describe("a text", () => {
  it("shows its first piece at once, but in a turn of its own", async () => {
    const { time, heard, pacer } = setUp();
    pacer.push("Hel");
    pacer.push("lo");
    assert.deepEqual(heard, []);
    await time.pass(0);
    assert.deepEqual(heard, ["Hello"]);
  });

  it("comes in at most some thirty pieces a second, with nothing lost", async () => {
    const { time, heard, pacer } = setUp();
    for (let count = 0; count < 1000; count += 1) {
      pacer.push(`${count} `);
      await time.pass(1);
    }
    assert.ok(heard.length >= 29 && heard.length <= 32, `${heard.length} pieces`);
    pacer.flush();
    assert.equal(heard.join(""), Array.from({ length: 1000 }, (_, count) => `${count} `).join(""));
    const pieces = heard.length;
    await time.pass(1000);
    assert.equal(heard.length, pieces, "nothing comes after the end");
  });

  it("that comes slowly is not held back", async () => {
    const { time, heard, pacer } = setUp();
    for (const piece of ["a", "b", "c"]) {
      pacer.push(piece);
      await time.pass(0);
      assert.equal(heard.at(-1), piece);
      await time.pass(100);
    }
  });
});
