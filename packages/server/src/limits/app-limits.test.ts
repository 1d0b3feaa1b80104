import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AppKeyId, type DeviceId, epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import type { AppKeyCaller, AppKeyPolicy, DeviceCaller } from "../pipeline/types.ts";
import { createAppLimits } from "./app-limits.ts";

const day = 24 * 3_600_000;
const midnight = Date.parse("2026-11-21T00:00:00Z");

const key = (id: string, policy: Partial<AppKeyPolicy> = {}): AppKeyCaller => ({
  kind: "app_key",
  id: id as AppKeyId,
  userId: null,
  organizationId: null,
  policy: {
    models: null,
    requestsPerMinute: null,
    requestsPerDay: null,
    concurrency: null,
    doors: null,
    ...policy,
  },
});

type Limits = {
  globalDaily?: number | null;
  globalConcurrency?: number;
  used?: [string, number][];
};

const setUp = ({ globalDaily = null, globalConcurrency = 1000, used = [] }: Limits = {}) => {
  const time = { ms: midnight + 1000 };
  const limits = createAppLimits({
    globalDaily,
    globalConcurrency,
    now: () => epochMs(time.ms),
    usedToday: new Map(used.map(([id, count]) => [id as AppKeyId, count])),
  });
  return { time, limits };
};

const refusal = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    const { code, message, details } = error as {
      code: string;
      message: string;
      details: { retryAfterSeconds: number; headers?: Record<string, string> };
    };
    return { code, message, wait: details.retryAfterSeconds, headers: details.headers };
  }
  return null;
};

describe("the apps' limits", () => {
  it("are not for devices", () => {
    const { limits } = setUp({ globalDaily: 1, globalConcurrency: 1 });
    limits.enter(key("a"));
    const device: DeviceCaller = {
      kind: "device",
      id: "device-1" as DeviceId,
      userId: null,
      organizationId: null,
      policy: { models: null, requestsPerMinute: null },
    };
    assert.equal(limits.enter(device), null);
  });

  it("let a key make its calls of a day, then none until midnight UTC", () => {
    const { limits, time } = setUp();
    const caller = key("a", { requestsPerDay: 2 });
    limits.enter(caller)?.();
    limits.enter(caller)?.();
    const refused = refusal(() => limits.enter(caller));
    assert.equal(refused?.code, "rate_limited");
    assert.match(refused?.message ?? "", /app key's limit of 2 calls a day/);
    assert.equal(refused?.wait, day / 1000 - 1);
    assert.deepEqual(refused?.headers, { "x-should-retry": "false" });
    assert.equal(
      refusal(() => limits.enter(key("b", { requestsPerDay: 2 }))),
      null,
    );
    time.ms = midnight + day - 1;
    assert.equal(refusal(() => limits.enter(caller))?.wait, 1);
    time.ms = midnight + day;
    assert.equal(
      refusal(() => limits.enter(caller)),
      null,
    );
  });

  it("hold for all apps together, too, and say which limit it was", () => {
    const { limits, time } = setUp({ globalDaily: 2 });
    limits.enter(key("a"));
    limits.enter(key("b"));
    assert.match(refusal(() => limits.enter(key("c")))?.message ?? "", /GLOBAL_DAILY/);
    time.ms += day;
    assert.equal(
      refusal(() => limits.enter(key("c"))),
      null,
    );
  });

  it("count what an earlier process used of the day", () => {
    const { limits } = setUp({
      globalDaily: 4,
      used: [
        ["a", 2],
        ["b", 1],
      ],
    });
    assert.match(
      refusal(() => limits.enter(key("a", { requestsPerDay: 2 })))?.message ?? "",
      /app key's/,
    );
    assert.equal(
      refusal(() => limits.enter(key("b", { requestsPerDay: 2 }))),
      null,
    );
    assert.match(refusal(() => limits.enter(key("c")))?.message ?? "", /GLOBAL_DAILY/);
  });

  it("hold for calls at once: a place is free when its call is over", () => {
    const { limits } = setUp({ globalConcurrency: 3 });
    const caller = key("a", { concurrency: 1 });
    const leave = limits.enter(caller);
    const refused = refusal(() => limits.enter(caller));
    assert.deepEqual(
      [refused?.code, refused?.wait, refused?.headers],
      ["rate_limited", 1, undefined],
    );
    leave?.();
    assert.equal(
      refusal(() => limits.enter(caller)),
      null,
    );
    limits.enter(key("b"));
    limits.enter(key("c"));
    assert.match(refusal(() => limits.enter(key("d")))?.message ?? "", /GLOBAL_CONCURRENCY/);
  });

  it("take a call that is said to be over twice for one", () => {
    const { limits } = setUp({ globalConcurrency: 2 });
    const leave = limits.enter(key("a", { concurrency: 2 }));
    limits.enter(key("a", { concurrency: 2 }));
    leave?.();
    leave?.();
    assert.notEqual(limits.enter(key("b")), null);
    assert.equal(refusal(() => limits.enter(key("b")))?.code, "rate_limited");
  });

  it("keep a call's place over midnight", () => {
    const { limits, time } = setUp({ globalConcurrency: 1 });
    const leave = limits.enter(key("a"));
    time.ms += day;
    assert.match(refusal(() => limits.enter(key("a")))?.message ?? "", /GLOBAL_CONCURRENCY/);
    leave?.();
    assert.equal(
      refusal(() => limits.enter(key("a"))),
      null,
    );
  });
});

type Step =
  | { do: "enter"; app: number }
  | { do: "leave"; call: number }
  | { do: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("enter" as const), app: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("leave" as const), call: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(day) }) },
);

it("no order of calls, ends and midnights passes a limit, and a refused call counts against none", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.record({
        daily: fc.integer({ min: 1, max: 5 }),
        atOnce: fc.integer({ min: 1, max: 3 }),
        globalDaily: fc.integer({ min: 1, max: 8 }),
        globalConcurrency: fc.integer({ min: 1, max: 4 }),
      }),
      (steps, { daily, atOnce, globalDaily, globalConcurrency }) => {
        const { limits, time } = setUp({ globalDaily, globalConcurrency });
        const caller = (app: number) =>
          key(`app-${app}`, { requestsPerDay: daily, concurrency: atOnce });
        const running: { app: number; leave: (() => void) | null }[] = [];
        let today: number[] = [];
        let dayNumber = Math.floor(time.ms / day);
        for (const now of steps) {
          if (now.do === "wait") {
            time.ms += now.ms;
            if (Math.floor(time.ms / day) !== dayNumber) {
              dayNumber = Math.floor(time.ms / day);
              today = [];
            }
          } else if (now.do === "leave") {
            const [over] = running.splice(now.call % Math.max(1, running.length), 1);
            over?.leave?.();
            over?.leave?.();
          } else {
            const { app } = now;
            const own = today.filter((one) => one === app).length;
            const ownRunning = running.filter((one) => one.app === app).length;
            const room =
              own < daily &&
              today.length < globalDaily &&
              ownRunning < atOnce &&
              running.length < globalConcurrency;
            let leave: (() => void) | null = null;
            const refused = refusal(() => {
              leave = limits.enter(caller(app));
            });
            // Both ways: what has room is let in, so that nothing refused was counted.
            assert.equal(refused === null, room);
            if (room) {
              today.push(app);
              running.push({ app, leave });
            }
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
