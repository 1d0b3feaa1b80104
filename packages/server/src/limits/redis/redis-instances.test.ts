import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { RedisServer, redisMissing } from "../../../../../test/harness/redis.ts";
import {
  askFor,
  assertStands,
  budget,
  concurrency,
  dollars,
} from "../testing/admission-harness.ts";
import type { RedisAdmissionOptions } from "./redis-admission.ts";
import {
  bothKnowEachOther,
  instanceOptions,
  patient,
  realClock,
  TestInstance,
  TestLedger,
  until,
} from "./test-setup.ts";
import { aStep, Mingling, type Step } from "./testing/mingling.ts";

const server = new RedisServer();
let client: Redis;
let prefixes = 0;

const newPrefix = (): string => {
  prefixes += 1;
  return `instances-${prefixes}`;
};

const connect = async (
  t: TestContext | null,
  ledger: TestLedger,
  options: Partial<RedisAdmissionOptions>,
): Promise<TestInstance> => {
  const instance = new TestInstance(ledger, instanceOptions(server.url, ledger, options));
  t?.after(() => instance.admission.close());
  await instance.admission.whenUp();
  return instance;
};

describe("several instances over one Redis", { skip: redisMissing, timeout: 120_000 }, () => {
  before(async () => {
    await server.start();
    client = server.client();
  });
  after(async () => {
    client.disconnect();
    await server.remove();
  });

  it("grant exactly 10 of 200 asks at once from three processes against a budget for 10", async (t) => {
    const prefix = newPrefix();
    const children = Array.from({ length: 3 }, () =>
      fork(new URL("testing/asking-process.ts", import.meta.url), [server.url, prefix]),
    );
    t.after(() => children.map((child) => child.kill()));
    await Promise.all(children.map((child) => said(child, "ready")));
    const tallies = children.map((child) => said(child, "granted"));
    for (const [index, child] of children.entries()) {
      child.send({ asks: index === 0 ? 68 : 66 });
    }
    const granted = (await Promise.all(tallies)).map(Number);
    assert.equal(
      granted.reduce((sum, count) => sum + count, 0),
      10,
    );
    const watcher = await connect(t, new TestLedger(), { prefix });
    await assertStands(watcher.admission, budget(10), { held: 10, spent: 0 });
  });

  const mingle = async (
    steps: readonly Step[],
    options: Readonly<{ localShare: number; patienceMs?: number; setsAt?: number }>,
  ): Promise<void> => {
    const ledger = new TestLedger();
    const prefix = newPrefix();
    const { setsAt: _, ...own } = options;
    const each = { prefix, heartbeatMs: 10, ...own };
    const pair = [await connect(null, ledger, each), await connect(null, ledger, each)] as const;
    try {
      await bothKnowEachOther(client, prefix);
      await new Mingling({ pair, ledger, prefix, server, client, ...options }).walk(steps);
    } finally {
      await Promise.all(pair.map(({ admission }) => admission.close()));
    }
  };

  it("never overshoot and end at what was used, however asks, ends and flushes mingle", async () => {
    const calm = aStep.filter((step) => step.do !== "hang");
    await fc.assert(
      fc.asyncProperty(fc.array(calm, { minLength: 5, maxLength: 50 }), (steps) =>
        mingle(steps, { localShare: 0, patienceMs: 2_000 }),
      ),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it("count on a budget that is set in between all that runs then, on either instance", async () => {
    const calm = aStep.filter((step) => step.do !== "hang");
    await fc.assert(
      fc.asyncProperty(
        fc.array(calm, { minLength: 5, maxLength: 50 }),
        fc.nat({ max: 40 }),
        (steps, setsAt) => mingle(steps, { localShare: 0, patienceMs: 2_000, setsAt }),
      ),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it("count nothing twice and forget nothing when Redis hangs in between", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 5, maxLength: 30 }), (steps) =>
        mingle(steps, { localShare: 0.2 }),
      ),
      { numRuns: 15, endOnFailure: true },
    );
  });

  it("take nothing for an ask that comes after its request is known to be over", async (t) => {
    const options = { prefix: newPrefix(), localShare: 0 };
    const ledger = new TestLedger();
    const one = await connect(t, ledger, options);
    const other = await connect(t, ledger, { ...options, patienceMs: 2_000 });
    const budgets = [budget(100)];
    await one.ask(askFor(dollars(0), { budgets }));
    server.pause();
    const lost = askFor(dollars(40), { budgets });
    assert.equal((await one.ask(lost)).kind, "unavailable");
    server.resume();
    await one.admission.whenUp();
    await other.admission.whenUp();
    // As if a broken connection's bytes were read last.
    assert.equal((await other.ask(lost)).kind, "unavailable");
    await assertStands(other.admission, budget(100), { held: 0, spent: 0 });
  });

  it("leave no name in Redis that would stay for ever", async (t) => {
    const prefix = newPrefix();
    const one = await connect(t, new TestLedger(), { prefix, heartbeatMs: 10, ...patient });
    const budgets = [
      { ...budget(100, { id: "total" }), createdAt: realClock.now() },
      budget(100, { id: "day", window: { kind: "day" } }),
      budget(100, { id: "rolling", window: { kind: "rolling", hours: 5 } }),
    ];
    const asks = Array.from({ length: 3 }, () =>
      askFor(dollars(10), { budgets, limits: [concurrency(9)] }),
    );
    for (const ask of asks) {
      assert.equal((await one.ask(ask)).kind, "granted");
    }
    one.settle(asks[0]!.id, dollars(5));
    await until(async () => (await client.pttl(`{${prefix}}:alive`)) > 0);
    await until(async () => {
      const names = await client.keys(`{${prefix}}:*`);
      const lasting = await Promise.all(
        names.map(async (name) => (await client.pttl(name)) === -1),
      );
      return names.length > 10 && !lasting.includes(true);
    });
  });
});

const said = (child: ChildProcess, word: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.on("message", (message: Record<string, unknown>) => {
      if (word in message) {
        resolve(message[word]);
      }
    });
    void once(child, "exit").then(([code]) => reject(new Error(`the process exited (${code})`)));
  });
