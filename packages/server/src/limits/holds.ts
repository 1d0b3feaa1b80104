import type { EpochMs, RequestId } from "@claude-relay/contract";
import type { Amounts, Budget, Limit, Scope } from "../pipeline/admission.ts";
import { heldOf, keptOf, spentOfHold } from "./amounts.ts";
import type { BudgetCounter, Slot } from "./budget-counter.ts";
import type { LimitCounter, Moment } from "./limit-counter.ts";

/** What one request holds of one budget. Follows the budget when its counter is built anew. */
export type Booking = {
  counter: BudgetCounter;
  unit: Budget["unit"];
  slot: Slot;
  held: number;
};

/** All that one request holds until it is over. `limits` and `counters` go together. */
export type Hold = Readonly<{
  id: RequestId;
  /** Whose use it is. */
  scopes: readonly Scope[];
  askedAt: EpochMs;
  worst: Amounts;
  limits: readonly Limit[];
  counters: readonly LimitCounter[];
  /** More are added for budgets that are set meanwhile. */
  bookings: Booking[];
}>;

/** Turns what was held into what was used; `null`: upstream was never called. */
export const settleHold = (hold: Hold, used: Amounts | null, now: Moment): void => {
  const { limits, counters, bookings, worst } = hold;
  for (let index = 0; index < limits.length; index += 1) {
    const limit = limits[index] as Limit;
    const held = heldOf(limit, worst);
    counters[index]?.settle(held, keptOf(limit, held, used), now, hold.askedAt);
  }
  for (const { counter, slot, unit, held } of bookings) {
    counter.settle(slot, held, spentOfHold(unit, held, used));
  }
};

/** Whether a request counts for budgets of this scope. */
export const isUseOf = ({ scopes }: Pick<Hold, "scopes">, { scope }: Budget): boolean =>
  scopes.some(({ kind, id }) => kind === scope.kind && id === scope.id);
