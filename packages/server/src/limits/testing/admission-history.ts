import assert from "node:assert/strict";
import { epochMs, type RequestId } from "@claude-relay/contract";
import fc from "fast-check";
import type { Admission, Amounts, Ask, Budget } from "../../pipeline/admission.ts";
import {
  askFor,
  budget,
  concurrency,
  day,
  device,
  hour,
  minute,
  nothing,
  type Opened,
  relay,
} from "./admission-harness.ts";
import type { AdmissionModel } from "./admission-model.ts";

const budgets: readonly Budget[] = [
  budget(300, { id: "total", scope: relay }),
  budget(100, { id: "day", window: { kind: "day" } }),
  budget(200, { id: "week", window: { kind: "week" } }),
  budget(250, { id: "month", window: { kind: "month" }, unit: "tokens" }),
  budget(120, { id: "rolling", window: { kind: "rolling", hours: 3 }, scope: device("b") }),
];

/** Asked by every request. */
const places = concurrency(6, relay);

const anAmount = fc.integer({ min: 0, max: 60 });
/** One step of a random history. */
export const aStep = fc.oneof(
  fc.record({
    do: fc.constant("ask" as const),
    microUsd: anAmount,
    tokens: anAmount,
    of: fc.subarray([...budgets], { minLength: 1 }),
  }),
  fc.record({ do: fc.constant("askAgain" as const), which: fc.nat() }),
  // Of what was held, so many percent; null gives it back.
  fc.record({
    do: fc.constant("settle" as const),
    which: fc.nat(),
    percent: fc.option(fc.integer({ min: 0, max: 100 })),
  }),
  fc.record({ do: fc.constant("settleAgain" as const), which: fc.nat() }),
  fc.record({
    do: fc.constant("advance" as const),
    ms: fc.oneof(
      fc.integer({ min: 0, max: 5 * minute }),
      fc.integer({ min: 0, max: 4 * hour }),
      fc.integer({ min: 0, max: 40 * day }),
    ),
  }),
  fc.record({ do: fc.constant("crash" as const) }),
);
type Step = typeof aStep extends fc.Arbitrary<infer T> ? T : never;

/** One random history, walked in the implementation and in the model. */
export class History {
  readonly #opened: Opened;
  readonly #model: AdmissionModel;
  #admission: Admission;
  readonly #asks: Ask[] = [];

  constructor(opened: Opened, model: AdmissionModel) {
    this.#opened = opened;
    this.#model = model;
    this.#admission = opened.admission;
  }

  async walk(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#take(step);
      await this.#compare();
    }
    for (const { id, worst } of this.#model.openAsks()) {
      this.#settle(id, worst);
    }
    await this.#compare();
    for (const { held } of await this.#admission.states(budgets)) {
      assert.equal(held, 0);
    }
    for (const own of budgets) {
      assert.ok(this.#model.worstWindow(own) <= own.limit, `${own.id} was overshot`);
    }
    await this.#admission.close();
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case "ask": {
        const { microUsd, tokens, of } = step;
        const ask = askFor({ ...nothing, microUsd, tokens }, { budgets: of, limits: [places] });
        this.#asks.push(ask);
        return this.#ask(ask);
      }
      case "askAgain": {
        const open = pick(this.#model.openAsks(), step.which);
        assert.ok(open === undefined || (await this.#admission.ask(open)).kind === "granted");
        return;
      }
      case "settle": {
        const open = pick(this.#model.openAsks(), step.which);
        const { percent } = step;
        if (open !== undefined) {
          this.#settle(open.id, percent === null ? null : part(open.worst, percent));
        }
        return;
      }
      case "settleAgain": {
        const open = new Set(this.#model.openAsks().map(({ id }) => id));
        const over = pick(
          this.#asks.filter(({ id }) => !open.has(id)),
          step.which,
        );
        if (over !== undefined) {
          this.#admission.settle(over.id, over.worst);
        }
        return;
      }
      case "advance":
        await this.#opened.advance(step.ms);
        this.#model.now = epochMs(this.#model.now + step.ms);
        return;
      case "crash":
        return this.#crash();
    }
  }

  async #ask(ask: Ask): Promise<void> {
    const open = this.#model.openAsks().length;
    const verdict = await this.#admission.ask(ask);
    if (open === places.max) {
      assert.equal(verdict.kind, "over_limit");
      return;
    }
    assert.equal(verdict.kind, this.#model.isGranted(ask) ? "granted" : "over_budget");
    if (verdict.kind === "granted") {
      assert.equal(verdict.limits[0]?.remaining, places.max - open - 1);
      this.#model.take(ask);
    }
  }

  #settle(id: RequestId, used: Amounts | null): void {
    this.#model.settle(id, used);
    this.#admission.settle(id, used);
  }

  /** What was open is settled to its worst case, as the ledger's recovery does. */
  async #crash(): Promise<void> {
    if (this.#opened.restart === undefined) {
      return;
    }
    const open = this.#model.openAsks();
    this.#admission = await this.#opened.restart();
    for (const { id, worst } of open) {
      this.#settle(id, worst);
    }
  }

  async #compare(): Promise<void> {
    const states = await this.#admission.states(budgets);
    assert.deepEqual(
      states.map(({ held, spent }) => ({ held, spent })),
      budgets.map((own) => this.#model.stands(own)),
    );
  }
}

const pick = <T>(from: readonly T[], which: number): T | undefined => from[which % from.length];

const part = (worst: Amounts, percent: number): Amounts => ({
  ...nothing,
  microUsd: Math.floor((worst.microUsd * percent) / 100),
  tokens: Math.floor((worst.tokens * percent) / 100),
});
