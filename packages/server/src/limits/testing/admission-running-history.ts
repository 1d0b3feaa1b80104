import assert from "node:assert/strict";
import fc from "fast-check";
import type { Admission, Ask, Budget, Scope, SpentOf } from "../../pipeline/admission.ts";
import { amountOf } from "../amounts.ts";
import { askFor, budget, device, dollars, noon, relay } from "./admission-harness.ts";

const user: Scope = { kind: "user", id: "ada" };
const session: Scope = { kind: "session", id: "s" };
const deviceA = device("a");
const callers: readonly (readonly Scope[])[] = [
  [deviceA, user, relay],
  [deviceA, user, relay, session],
  [device("b"), user, relay],
  [{ kind: "app_key", id: "a" }, relay, session],
];
const scopes = [...new Set(callers.flat())];

/** One step of a history in which budgets come and go. */
export const aRunningStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      caller: fc.constantFrom(...callers),
      amount: fc.integer({ min: 0, max: 60 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      which: fc.nat(),
      percent: fc.option(fc.integer({ min: 0, max: 100 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("set" as const),
      scope: fc.constantFrom(...scopes),
      unit: fc.constantFrom("micro_usd" as const, "tokens" as const),
      window: fc.constantFrom("total" as const, "month" as const),
      limit: fc.integer({ min: 0, max: 300 }),
      // While it is filled for the first time a request ends.
      endsMeanwhile: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("change" as const),
      which: fc.nat(),
      window: fc.constantFrom("day" as const, "week" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("look" as const) }) },
);
type Step = typeof aRunningStep extends fc.Arbitrary<infer T> ? T : never;

type Row = Readonly<{ ask: Ask; used: Ask["worst"] }>;

/** What must be so: everything of a budget's scope counts, whether or not the budget was there when it was asked. */
export class RunningHistory {
  #admission: Admission | null = null;
  readonly #open: Ask[] = [];
  readonly #rows: Row[] = [];
  #budgets: readonly Budget[] = [];
  #set = 0;
  #endsMeanwhile = false;

  readonly spentOf: SpentOf = async (own, from, except) => {
    if (this.#endsMeanwhile) {
      this.#endsMeanwhile = false;
      this.#settle(0, 50);
      await Promise.resolve();
    }
    return this.#rows
      .filter(({ ask }) => isOf(ask, own) && !except.has(ask.id))
      .map(({ used }) => ({ at: from > noon ? from : noon, amount: amountOf(own.unit, used) }));
  };

  async walk(admission: Admission, steps: readonly Step[]): Promise<void> {
    this.#admission = admission;
    for (const step of steps) {
      await this.#take(admission, step);
    }
    await this.#look(admission);
    while (this.#open.length > 0) {
      this.#settle(0, 100);
    }
    await this.#look(admission);
  }

  async #take(admission: Admission, step: Step): Promise<void> {
    switch (step.do) {
      case "ask":
        return this.#ask(admission, step.caller, step.amount);
      case "settle":
        return this.#settle(step.which, step.percent);
      case "set": {
        const { scope, unit, window, limit } = step;
        this.#set += 1;
        this.#endsMeanwhile = step.endsMeanwhile;
        const own = budget(limit, { id: `b${this.#set}`, scope, unit, window: { kind: window } });
        this.#budgets = [...this.#budgets, own];
        return;
      }
      case "change": {
        const [own, at] = this.#pick(step.which);
        if (own !== undefined) {
          this.#budgets = this.#budgets.with(at, { ...own, window: { kind: step.window } });
        }
        return;
      }
      case "remove": {
        const [own] = this.#pick(step.which);
        if (own !== undefined) {
          this.#budgets = this.#budgets.filter(({ id }) => id !== own.id);
          admission.forget(own.id);
        }
        return;
      }
      case "look":
        return this.#look(admission);
    }
  }

  async #ask(admission: Admission, caller: readonly Scope[], amount: number): Promise<void> {
    const budgets = this.#budgets.filter(({ scope }) => caller.includes(scope));
    const worst = { ...dollars(amount), tokens: amount + 1 };
    const ask = { ...askFor(worst, { budgets }), scopes: caller };
    const { kind } = await admission.ask(ask);
    // What ended meanwhile only left more room.
    const fits = budgets.every((own) => {
      const { held, spent } = this.#stands(own);
      return held + spent + amountOf(own.unit, worst) <= own.limit;
    });
    assert.equal(kind, fits ? "granted" : "over_budget");
    if (kind === "granted") {
      this.#open.push(ask);
    }
  }

  /** As the line does: first the ledger, then the hold. */
  #settle(which: number, percent: number | null): void {
    const [ask] = this.#open.splice(which % Math.max(1, this.#open.length), 1);
    if (ask === undefined) {
      return;
    }
    const part = (amount: number): number => Math.floor((amount * (percent ?? 0)) / 100);
    const { microUsd, tokens } = ask.worst;
    const used = { ...dollars(part(microUsd)), tokens: part(tokens) };
    if (percent !== null) {
      this.#rows.push({ ask, used });
    }
    this.#admission?.settle(ask.id, percent === null ? null : used);
  }

  #pick(which: number): readonly [Budget | undefined, number] {
    const at = which % Math.max(1, this.#budgets.length);
    return [this.#budgets[at], at];
  }

  async #look(admission: Admission): Promise<void> {
    const states = await admission.states(this.#budgets);
    assert.deepEqual(
      states.map(({ held, spent }) => ({ held, spent })),
      this.#budgets.map((own) => this.#stands(own)),
    );
  }

  #stands(own: Budget): { held: number; spent: number } {
    const sum = (amounts: readonly number[]): number => amounts.reduce((all, one) => all + one, 0);
    return {
      held: sum(
        this.#open.filter((ask) => isOf(ask, own)).map(({ worst }) => amountOf(own.unit, worst)),
      ),
      spent: sum(
        this.#rows.filter(({ ask }) => isOf(ask, own)).map(({ used }) => amountOf(own.unit, used)),
      ),
    };
  }
}

const isOf = ({ scopes: of }: Ask, { scope }: Budget): boolean => of?.includes(scope) ?? false;
