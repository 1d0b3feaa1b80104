import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EpochMs, epochMs, type RequestId } from "@claude-relay/contract";
import fc from "fast-check";
import type { Admission, Asker, Limit, Verdict } from "../pipeline/admission.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { TestTime } from "../pipeline/test-time.ts";
import { createMemoryAdmission } from "./memory-admission.ts";
import type { PlaceQueueOptions } from "./place-queue.ts";
import { queueing } from "./queueing-admission.ts";
import {
  concurrency,
  device,
  newId,
  noon,
  nothing,
  relay,
  requests,
} from "./testing/admission-harness.ts";

class TestAsker implements Asker {
  left = false;
  #listener: (() => void) | null = null;

  onLeave(listener: () => void): void {
    this.#listener = listener;
  }

  leave(): void {
    this.left = true;
    this.#listener?.();
  }
}

/** Decides a turn later, as an admission elsewhere does. */
const elsewhere = (admission: Admission): Admission => ({
  refusedAlready: () => null,
  ask: async (ask) => {
    await turn();
    const verdict = await admission.ask(ask);
    await turn();
    return verdict;
  },
  settle: (id, used) => admission.settle(id, used),
  states: (budgets) => admission.states(budgets),
  forget: (id) => admission.forget(id),
  close: () => admission.close(),
});

const setUp = (options: Partial<PlaceQueueOptions> & { isElsewhere?: boolean } = {}) => {
  const time = new TestTime();
  const counters = createMemoryAdmission({
    now: (): EpochMs => epochMs(noon + time.ms),
    monotonicMs: time.now,
    spentOf: async () => [],
  });
  const draining = new AbortController();
  const { isElsewhere = false, ...changes } = options;
  const admission = queueing(isElsewhere ? elsewhere(counters) : counters, {
    maxWaitMs: 1000,
    maxWaiting: 10,
    pollMs: isElsewhere ? 100 : null,
    monotonicMs: time.now,
    later: time.later,
    random: () => 0.5,
    draining: draining.signal,
    ...changes,
  });
  const told: string[] = [];
  /** Asks as this caller; what it is told is noted under the name. */
  const ask = (name: string, callerKey: string, limits: readonly Limit[]) => {
    const id = newId();
    const asker = new TestAsker();
    const note = (words: string): number => told.push(`${name} ${words}`);
    const verdict = admission.ask({ id, limits, budgets: [], worst: nothing }, callerKey, asker);
    const heard = (decided: Verdict): void => {
      const queued = "queuedMs" in decided ? ` after ${decided.queuedMs}` : "";
      note(decided.kind + queued);
    };
    if (verdict instanceof Promise) {
      verdict.then(heard, (error) => note(error instanceof Refusal ? error.code : String(error)));
    } else {
      heard(verdict);
    }
    return { id, asker, end: () => admission.settle(id, nothing), verdict };
  };
  return { time, admission, counters, told, ask, draining };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Enough for whatever is on its way. */
const turns = async (): Promise<void> => {
  for (let passed = 0; passed < 10; passed += 1) {
    await turn();
  }
};

describe("a request over its concurrency", () => {
  const one = [concurrency(1)];

  it("gets the place that is freed, and is told how long it waited", async () => {
    const { time, told, ask } = setUp();
    const first = ask("first", "device:a", one);
    ask("second", "device:a", one);
    time.advance(300);
    first.end();
    await turn();
    assert.deepEqual(told, ["first granted", "second granted after 300"]);
    assert.equal(time.pending, 0, "no timer is left");
  });

  it("is refused when its time is over, and its place in the queue is free again", async () => {
    const { time, told, ask } = setUp({ maxWaiting: 1 });
    ask("first", "device:a", one);
    ask("second", "device:a", one);
    ask("third", "device:a", one);
    time.advance(1000);
    await turn();
    const fourth = ask("fourth", "device:a", one);
    assert.ok(fourth.verdict instanceof Promise);
    assert.deepEqual(told, ["first granted", "third over_limit", "second over_limit after 1000"]);
  });

  it("takes a rate of requests once, and nothing when it gets no place", async () => {
    const limits = [requests(10), ...one];
    const { time, told, ask } = setUp();
    const first = ask("first", "device:a", limits);
    const second = ask("second", "device:a", limits);
    const third = ask("third", "device:a", limits);
    third.asker.leave();
    first.end();
    const granted = await second.verdict;
    assert.ok(granted.kind === "granted");
    assert.equal(granted.limits[0]?.remaining, 8);
    time.advance(5000);
    await turn();
    assert.deepEqual(told.slice(1), ["third invalid_request", "second granted after 0"]);
  });

  it("is refused by what else it is over, when its turn comes", async () => {
    const { told, ask } = setUp();
    const first = ask("first", "device:a", [requests(2), ...one]);
    ask("second", "device:a", [requests(2), ...one]);
    ask("third", "device:a", [requests(2), ...one]);
    first.end();
    await turn();
    assert.deepEqual(told.slice(1), ["second granted after 0", "third over_limit after 0"]);
  });

  it("leaves the queue at once with its caller", async () => {
    const { time, told, ask } = setUp({ maxWaiting: 1 });
    const first = ask("first", "device:a", one);
    const second = ask("second", "device:a", one);
    second.asker.leave();
    await turn();
    ask("third", "device:a", one);
    first.end();
    await turn();
    assert.deepEqual(told, ["first granted", "second invalid_request", "third granted after 0"]);
    assert.equal(time.pending, 0);
  });

  it("does not wait when its caller has left already", () => {
    const { admission, ask, time } = setUp();
    ask("first", "device:a", one);
    const gone = new TestAsker();
    gone.left = true;
    const asked = { id: newId(), limits: one, budgets: [], worst: nothing };
    const verdict = admission.ask(asked, "device:a", gone);
    assert.ok(!(verdict instanceof Promise) && verdict.kind === "over_limit");
    assert.equal(time.pending, 0);
  });

  it("is sent away as draining when the relay stops, and nobody waits from then on", async () => {
    const { told, ask, draining, time } = setUp();
    ask("first", "device:a", one);
    ask("second", "device:a", one);
    draining.abort();
    await turn();
    ask("third", "device:a", one);
    await turn();
    assert.deepEqual(told, ["first granted", "second draining", "third draining"]);
    assert.equal(time.pending, 0);
  });
});

describe("callers that wait for the same places", () => {
  const shared = [concurrency(1, relay)];

  it("are served in rotation, each in its order, and nobody overtakes", async () => {
    const { told, ask } = setUp();
    const running = [ask("g0", "device:greedy", shared)];
    for (const index of [1, 2, 3]) {
      running.push(ask(`g${index}`, "device:greedy", shared));
    }
    running.push(ask("m1", "device:modest", shared), ask("m2", "device:modest", shared));
    const order = ["g0", "g1", "m1", "g2", "m2", "g3"];
    for (const name of order) {
      assert.equal(told.at(-1)?.split(" ")[0], name);
      const at = ["g0", "g1", "g2", "g3", "m1", "m2"].indexOf(name);
      running[at]?.end();
      await turn();
    }
    assert.equal(told.length, 6);
  });

  it("do not stand in the way of those that wait for others", async () => {
    const { told, ask } = setUp();
    const room = concurrency(3, relay);
    ask("a1", "device:a", [room, concurrency(1, device("a"))]);
    ask("a2", "device:a", [room, concurrency(1, device("a"))]);
    ask("b1", "device:b", [room, concurrency(1, device("b"))]);
    assert.deepEqual(told, ["a1 granted", "b1 granted"]);
  });

  it("do not find a place taken that was freed while nobody waited for it", async () => {
    const { told, ask, time } = setUp();
    const first = ask("a1", "device:a", [concurrency(1, device("a"))]);
    ask("a2", "device:a", [concurrency(1, device("a"))]);
    time.advance(1000);
    await turn();
    first.end();
    ask("b1", "device:b", [concurrency(1, device("b"))]);
    ask("b2", "device:b", [concurrency(1, device("b"))]);
    ask("a3", "device:a", [concurrency(1, device("a"))]);
    assert.equal(told.at(-1), "a3 granted");
  });

  it("share a full queue: who has fewer waiting takes the place of the newest of another's", async () => {
    const { told, ask, admission } = setUp({ maxWaiting: 3 });
    ask("g0", "device:greedy", shared);
    for (const index of [1, 2, 3]) {
      ask(`g${index}`, "device:greedy", shared);
    }
    const early = (key: string) => admission.refusedAlready(shared, key)?.kind ?? "may wait";
    assert.equal(early("device:greedy"), "over_limit");
    assert.equal(early("device:modest"), "may wait");
    ask("g4", "device:greedy", shared);
    ask("m1", "device:modest", shared);
    await turn();
    assert.deepEqual(told, ["g0 granted", "g4 over_limit", "g3 over_limit after 0"]);
  });

  it("are refused early by their other limits all the same", async () => {
    const { ask, admission } = setUp();
    const limits = [requests(1), ...shared];
    ask("first", "device:a", limits);
    const early = admission.refusedAlready(limits, "device:a");
    assert.ok(early?.kind === "over_limit" && early.state.limit.kind === "requests");
  });
});

describe("places that other processes free", () => {
  const one = [concurrency(1)];

  it("are found by asking again now and then", async () => {
    const { told, ask, counters, time } = setUp({ isElsewhere: true });
    const theirs = { id: newId(), limits: one, budgets: [], worst: nothing };
    assert.equal((counters.ask(theirs) as Verdict).kind, "granted");
    ask("ours", "device:a", one);
    await time.pass(250);
    assert.deepEqual(told, []);
    counters.settle(theirs.id, nothing);
    await time.pass(150);
    assert.match(told.join(), /^ours granted after 3\d0$/);
    assert.equal(time.pending, 0);
  });

  it("go to those that wait, not to a newcomer", async () => {
    const { told, ask, counters, time } = setUp({ isElsewhere: true });
    const theirs = { id: newId(), limits: one, budgets: [], worst: nothing };
    assert.equal((counters.ask(theirs) as Verdict).kind, "granted");
    ask("ours", "device:a", one);
    await time.pass(30);
    counters.settle(theirs.id, nothing);
    ask("newcomer", "device:b", one);
    await time.pass(200);
    assert.match(told.join(), /^ours granted after 1\d0$/);
  });

  it("are given back when the caller left while it was asked for one", async () => {
    const { told, ask, counters } = setUp({ isElsewhere: true });
    const first = ask("first", "device:a", one);
    await first.verdict;
    const second = ask("second", "device:a", one);
    await turns();
    first.end();
    second.asker.leave();
    await turns();
    assert.deepEqual(told, ["first granted", "second invalid_request"]);
    const next = { id: newId(), limits: one, budgets: [], worst: nothing };
    assert.equal((counters.ask(next) as Verdict).kind, "granted");
  });
});

type Step =
  | Readonly<{ do: "ask"; caller: number }>
  | Readonly<{ do: "end"; at: number }>
  | Readonly<{ do: "leave"; at: number }>
  | Readonly<{ do: "pass"; ms: number }>;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("ask" as const), caller: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant("end" as const), at: fc.nat(50) }),
      fc.record({ do: fc.constant("leave" as const), at: fc.nat(50) }),
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat(400) }) },
);

for (const isElsewhere of [false, true]) {
  describe(`whatever callers do, decided ${isElsewhere ? "elsewhere" : "here"}`, () => {
    it("no limit is exceeded, order is kept, everyone is told, and nothing is left over", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          await live(steps, isElsewhere);
        }),
        { numRuns: isElsewhere ? 100 : 300 },
      );
    });
  });
}

type Lived = { id: RequestId; caller: number; asker: TestAsker; state: string };

const live = async (steps: readonly Step[], isElsewhere: boolean): Promise<void> => {
  const { admission, counters, time } = setUp({ isElsewhere, maxWaiting: 5 });
  const limits = (caller: number) => [concurrency(3, relay), concurrency(2, device(`d${caller}`))];
  const all: Lived[] = [];
  const running = (): Lived[] => all.filter(({ state }) => state === "granted");
  for (const act of steps) {
    if (act.do === "ask") {
      const lived: Lived = {
        id: newId(),
        caller: act.caller,
        asker: new TestAsker(),
        state: "asked",
      };
      all.push(lived);
      const asked = { id: lived.id, limits: limits(act.caller), budgets: [], worst: nothing };
      const verdict = admission.ask(asked, `device:d${act.caller}`, lived.asker);
      const heard = ({ kind }: Verdict): void => {
        const earlier = all.slice(0, all.indexOf(lived));
        const overtaken = earlier.some(
          (one) => one.caller === lived.caller && one.state === "asked",
        );
        // In order within a caller; what is decided elsewhere may be told a little later.
        assert.ok(isElsewhere || kind !== "granted" || !overtaken, "overtaken");
        lived.state = kind;
      };
      if (verdict instanceof Promise) {
        verdict.then(heard, () => {
          lived.state = "sent away";
        });
      } else {
        heard(verdict);
      }
    } else if (act.do === "end") {
      const over = running()[act.at % Math.max(1, running().length)];
      if (over !== undefined) {
        over.state = "over";
        admission.settle(over.id, nothing);
      }
    } else if (act.do === "leave") {
      const waiting = all.filter(({ state }) => state === "asked");
      waiting[act.at % Math.max(1, waiting.length)]?.asker.leave();
    } else if (act.do === "pass") {
      time.advance(act.ms);
    }
    await turn();
    assert.ok(running().length <= 3);
    for (const caller of [0, 1, 2, 3]) {
      assert.ok(running().filter((one) => one.caller === caller).length <= 2);
    }
  }
  const isOver = (): boolean => all.every(({ state }) => state !== "asked" && state !== "granted");
  for (let rounds = 0; !isOver(); rounds += 1) {
    assert.ok(rounds < 200, "it never ends");
    for (const one of running()) {
      one.state = "over";
      admission.settle(one.id, nothing);
    }
    await time.pass(300, 100);
    await turns();
  }
  await turns();
  assert.equal(time.pending, 0, "no timer is left");
  for (const _ of [1, 2, 3]) {
    const asked = { id: newId(), limits: [concurrency(3, relay)], budgets: [], worst: nothing };
    assert.equal((counters.ask(asked) as Verdict).kind, "granted", "no place is lost");
  }
};
