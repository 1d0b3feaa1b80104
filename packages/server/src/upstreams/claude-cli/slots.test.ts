import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slots, type Ticket } from "./slots.ts";

test("never more run or wait than may, everyone who stays has a turn, in order of coming", () => {
  const steps = fc.array(fc.oneof(fc.constant(-1), fc.nat(20)));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.nat(3), steps, (limit, queue, choices) => {
      const slots = new Slots(limit, queue);
      const inside = new Map<number, Ticket>();
      const started: number[] = [];
      let id = 0;
      for (const choice of choices) {
        const mine = id;
        if (choice < 0) {
          id += 1;
          const full = slots.running === limit && slots.queued === queue;
          const ticket = slots.enter(() => started.push(mine));
          assert.equal(ticket === null, full);
          if (ticket !== null) {
            inside.set(mine, ticket);
          }
        } else {
          const [who, ticket] = [...inside][choice % Math.max(1, inside.size)] ?? [];
          if (who !== undefined) {
            inside.delete(who);
            ticket?.leave();
            ticket?.leave();
          }
        }
        assert.ok(slots.running <= limit && slots.queued <= queue);
        assert.equal(slots.running + slots.queued, inside.size);
        assert.ok(slots.queued === 0 || slots.running === limit);
      }
      assert.deepEqual(
        started,
        started.toSorted((a, b) => a - b),
      );
    }),
  );
});
