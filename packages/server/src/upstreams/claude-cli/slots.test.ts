import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Slots, type Ticket } from "./slots.ts";

/** Slots, and what becomes of the calls: names such as `a1` are caller `a`'s first. */
const setUp = (limit: number, queue: number) => {
  const slots = new Slots(limit, queue);
  const tickets = new Map<string, Ticket>();
  const started: string[] = [];
  const refused: string[] = [];
  const enter = (...names: readonly string[]): void => {
    for (const name of names) {
      const callerKey = name.slice(0, 1);
      const run = () => void started.push(name);
      tickets.set(name, slots.enter({ callerKey, run, refuse: () => void refused.push(name) }));
    }
  };
  const leave = (name: string): void => tickets.get(name)?.leave();
  return { slots, enter, leave, started, refused };
};

describe("places for calls", () => {
  test("go in turn to the callers that wait, not to the one that asked for most", () => {
    const { enter, leave, started } = setUp(1, 8);
    enter("a1", "a2", "a3", "a4", "b1", "b2", "c1");
    for (const name of ["a1", "a2", "b1", "c1", "a3", "b2"]) {
      leave(name);
    }
    assert.deepEqual(started, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
  });

  test("go first to the caller that has the fewest", () => {
    const { enter, leave, started } = setUp(3, 8);
    enter("a1", "a2", "a3", "a4", "a5", "b1", "b2");
    leave("a1");
    leave("a2");
    assert.deepEqual(started, ["a1", "a2", "a3", "b1", "a4"]);
  });

  test("in a full queue are given up by who has most, its newest call first", () => {
    const { enter, slots, refused } = setUp(1, 3);
    enter("a1", "a2", "a3", "a4", "a5");
    assert.deepEqual(refused, ["a5"]);
    enter("b1", "c1");
    assert.deepEqual(refused, ["a5", "a4", "a3"]);
    enter("b2", "c2");
    assert.deepEqual(refused, ["a5", "a4", "a3", "b2", "c2"]);
    assert.deepEqual([slots.running, slots.queued], [1, 3]);
  });

  test("are not held by a call that was refused, whenever it leaves", () => {
    const { enter, leave, slots, started } = setUp(1, 1);
    enter("a1", "a2", "b1");
    leave("a2");
    assert.deepEqual([slots.running, slots.queued], [1, 1]);
    leave("a1");
    assert.deepEqual(started, ["a1", "b1"]);
  });
});

test("never more run or wait than may, everyone who stays has a turn, a caller's in order of coming", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(20)));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.nat(3), steps, (limit, queue, choices) => {
      const { slots, enter, leave, started, refused } = setUp(limit, queue);
      const inside: string[] = [];
      for (const [index, [enters, choice]] of choices.entries()) {
        const before = refused.length;
        const full = slots.running === limit && slots.queued === queue;
        if (enters) {
          const name = `${"abcd"[choice % 4]}${index}`;
          enter(name);
          inside.push(name);
          assert.equal(refused.length - before, full ? 1 : 0);
        } else if (inside.length > 0) {
          const [who = ""] = inside.splice(choice % inside.length, 1);
          leave(who);
          leave(who);
        }
        for (const name of refused) {
          assert.ok(!started.includes(name));
          const at = inside.indexOf(name);
          inside.splice(at, at < 0 ? 0 : 1);
        }
        assert.ok(slots.running <= limit && slots.queued <= queue);
        assert.equal(slots.running + slots.queued, inside.length);
        assert.ok(slots.queued === 0 || slots.running === limit);
      }
      for (const caller of "abcd") {
        const order = started.filter((name) => name.startsWith(caller)).map((n) => +n.slice(1));
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      }
    }),
  );
});
