import assert from "node:assert/strict";
import { epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import type { Redis } from "ioredis";
import type { RedisServer } from "../../../../../../test/harness/redis.ts";
import type { Budget } from "../../../pipeline/admission.ts";
import {
  askFor,
  budget,
  device,
  dollars,
  relay,
  stateOf,
} from "../../testing/admission-harness.ts";
import { type TestInstance, type TestLedger, until } from "../test-setup.ts";

const two = [
  budget(100, { id: "a", scope: device("a") }),
  budget(60, { id: "b", scope: device("b"), window: { kind: "month" } }),
];
const late = budget(130, { id: "late", scope: relay });

/** What can happen to two instances. */
export const aStep = fc.record({
  instance: fc.constantFrom(0 as const, 1 as const),
  do: fc.constantFrom("ask", "ask", "ask", "settle", "settle", "wait", "flush", "hang"),
  amount: fc.integer({ min: 1, max: 30 }),
  of: fc.subarray(two, { minLength: 1 }),
  percent: fc.option(fc.integer({ min: 0, max: 100 })),
});
export type Step = typeof aStep extends fc.Arbitrary<infer T> ? T : never;

type Options = Readonly<{
  pair: readonly [TestInstance, TestInstance];
  ledger: TestLedger;
  prefix: string;
  localShare: number;
  /** Before which step a further budget is set, of which all that runs is. */
  setsAt?: number;
  server: RedisServer;
  client: Redis;
}>;

/** Two instances whose asks, ends and flushes overlap. */
export class Mingling {
  readonly #pair: readonly [TestInstance, TestInstance];
  readonly #ledger: TestLedger;
  readonly #prefix: string;
  readonly #localShare: number;
  readonly #setsAt: number;
  #late: readonly Budget[] = [];
  readonly #server: RedisServer;
  readonly #client: Redis;
  #running: Promise<unknown>[] = [];

  constructor({ pair, ledger, prefix, localShare, setsAt, server, client }: Options) {
    this.#pair = pair;
    this.#ledger = ledger;
    this.#prefix = prefix;
    this.#localShare = localShare;
    this.#setsAt = setsAt ?? Infinity;
    this.#server = server;
    this.#client = client;
  }

  async walk(steps: readonly Step[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      if (index === this.#setsAt) {
        this.#late = [{ ...late, createdAt: epochMs(Date.now()) }];
      }
      await this.#take(step);
      for (const own of two) {
        const { held, spent } = this.#stands(own);
        const most = own.limit * (1 + this.#localShare);
        assert.ok(held + spent <= most, `${own.id}: ${held} held, ${spent} spent`);
      }
    }
    await this.#idle();
    await Promise.all(this.#pair.map(({ admission }) => admission.whenUp()));
    await this.#agree();
    for (const instance of this.#pair) {
      instance.settleAll();
    }
    await this.#agree();
  }

  async #take({ do: act, instance, amount, of, percent }: Step): Promise<void> {
    const acting = this.#pair[instance];
    switch (act) {
      case "ask":
        this.#running.push(
          acting.ask({
            ...askFor(dollars(amount), { budgets: [...of, ...this.#late] }),
            scopes: [...of.map(({ scope }) => scope), relay],
          }),
        );
        return;
      case "settle": {
        const [ask] = acting.open.values();
        if (ask !== undefined) {
          const used = Math.floor((ask.worst.microUsd * (percent ?? 0)) / 100);
          acting.settle(ask.id, percent === null ? null : dollars(used));
        }
        return;
      }
      case "wait":
        return this.#idle();
      case "hang":
        // What is on its way is done late, or never.
        this.#server.pause();
        await this.#idle();
        this.#server.resume();
        return;
      default: {
        const names = await this.#client.keys(`{${this.#prefix}}:*`);
        if (names.length > 0) {
          await this.#client.del(...names);
        }
      }
    }
  }

  async #idle(): Promise<void> {
    await Promise.all(this.#running.splice(0));
  }

  /** Redis comes to say what is true. */
  async #agree(): Promise<void> {
    for (const own of [...two, ...this.#late]) {
      for (const { admission } of this.#pair) {
        await until(async () => {
          const { held, spent } = await stateOf(admission, own);
          return JSON.stringify({ held, spent }) === JSON.stringify(this.#stands(own));
        });
      }
    }
  }

  #stands(own: Budget): { held: number; spent: number } {
    const held = this.#pair.reduce((sum, instance) => sum + instance.held(own), 0);
    return { held, spent: this.#ledger.spent(own) };
  }
}
