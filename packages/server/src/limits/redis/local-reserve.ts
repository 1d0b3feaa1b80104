import type { BudgetId, RequestId } from "@claude-relay/contract";
import type { Amounts, Ask, Budget, BudgetState } from "../../pipeline/admission.ts";
import { amountOf, isWhole, spentOfHold } from "../amounts.ts";

type Options = Readonly<{
  /** Of what was left when Redis last said so, this part may be granted without it, by all instances together. */
  share: number;
  /** How many instances share it. */
  instances: () => number;
  maxBudgets?: number;
}>;

type Known = {
  readonly state: BudgetState;
  /** Granted here since; held and spent. */
  granted: number;
};

/**
 * What may be granted of each budget while Redis is away: a small part of what was left, once. It is not renewed
 * before Redis has said how the budget stands, by when it has been told what was granted.
 */
export class LocalReserve {
  readonly #options: Options;
  readonly #known = new Map<BudgetId, Known>();
  readonly #held = new Map<RequestId, readonly (readonly [Known, Budget, number])[]>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** How Redis says that a budget stands. */
  saw(state: BudgetState): void {
    const { id } = state.budget;
    this.#known.delete(id);
    this.#known.set(id, { state, granted: 0 });
    if (this.#known.size > (this.#options.maxBudgets ?? 100_000)) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
  }

  knows({ id }: Budget): boolean {
    return this.#known.has(id);
  }

  /** As last said, and what was granted here since. */
  stateOf(budget: Budget): BudgetState | null {
    const known = this.#known.get(budget.id);
    if (known === undefined) {
      return null;
    }
    const held = known.state.held + known.granted;
    const left = Math.max(0, budget.limit - known.state.spent - held);
    return { ...known.state, budget, held, left };
  }

  fits({ budgets, worst }: Ask): boolean {
    return budgets.every((budget) => {
      const wanted = amountOf(budget.unit, worst);
      return isWhole(wanted) && wanted <= this.#left(budget);
    });
  }

  take({ id, budgets, worst }: Ask): void {
    const taken: [Known, Budget, number][] = [];
    for (const budget of budgets) {
      const known = this.#known.get(budget.id);
      if (known !== undefined) {
        const amount = amountOf(budget.unit, worst);
        known.granted += amount;
        taken.push([known, budget, amount]);
      }
    }
    this.#held.set(id, taken);
  }

  settle(id: RequestId, used: Amounts | null): void {
    for (const [known, budget, held] of this.#held.get(id) ?? []) {
      known.granted += spentOfHold(budget.unit, held, used) - held;
    }
    this.#held.delete(id);
  }

  forget(id: BudgetId): void {
    this.#known.delete(id);
  }

  #left({ id, limit }: Budget): number {
    const known = this.#known.get(id);
    if (known === undefined) {
      return 0;
    }
    const { share, instances } = this.#options;
    const { spent, held } = known.state;
    const left = Math.max(0, limit - spent - held);
    return Math.floor((left * share) / instances()) - known.granted;
  }
}
