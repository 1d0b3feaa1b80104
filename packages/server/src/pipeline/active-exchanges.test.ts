import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Active, ActiveExchanges } from "./active-exchanges.ts";

class Exchange implements Active {
  slot = 0;
  ticks = 0;
  abandoned = 0;
  readonly #onTick: () => void;

  constructor(onTick: () => void = () => {}) {
    this.#onTick = onTick;
  }

  tick(): void {
    this.ticks += 1;
    this.#onTick();
  }

  abandon(): void {
    this.abandoned += 1;
  }
}

describe("the running exchanges", () => {
  it("are exactly those added and not deleted, in any order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 200 }), (steps) => {
        const active = new ActiveExchanges();
        const running: Exchange[] = [];
        for (const step of steps) {
          if (step % 3 === 0 && running.length > 0) {
            const [gone] = running.splice(step % running.length, 1);
            active.delete(gone as Exchange);
          } else {
            running.push(new Exchange());
            active.add(running.at(-1) as Exchange);
          }
        }
        active.tick(0);
        assert.equal(active.size, running.length);
        assert.ok(running.every(({ ticks }) => ticks === 1));
      }),
    );
  });

  it("are each ticked once, even when some end in their tick", () => {
    const active = new ActiveExchanges();
    const all: Exchange[] = Array.from({ length: 10 }, (_, n) => {
      const exchange: Exchange = new Exchange(() => n % 2 === 0 && active.delete(exchange));
      active.add(exchange);
      return exchange;
    });
    active.tick(0);
    assert.deepEqual(
      all.map(({ ticks }) => ticks),
      Array(10).fill(1),
    );
    assert.equal(active.size, 5);
  });

  it("tell when the last is over, and at once when there is none", async () => {
    const active = new ActiveExchanges();
    await active.empty();
    const [one, two] = [new Exchange(), new Exchange()];
    active.add(one);
    active.add(two);
    let empty = false;
    const waited = active.empty().then(() => {
      empty = true;
    });
    active.delete(one);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(empty, false);
    active.delete(two);
    await waited;
  });

  it("are all abandoned, though each leaves the list as it goes", () => {
    const active = new ActiveExchanges();
    const all = Array.from({ length: 5 }, () => new Exchange());
    for (const exchange of all) {
      active.add(exchange);
    }
    active.abandonAll();
    assert.ok(all.every(({ abandoned }) => abandoned === 1));
  });
});
