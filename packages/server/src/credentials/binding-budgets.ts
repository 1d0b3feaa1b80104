import type { Budget } from "../pipeline/admission.ts";
import type { BindingBudgets } from "../pipeline/owner-admin-ports.ts";
import type { BudgetRecord, Directory } from "../pipeline/owner-ports.ts";
import type { Caller } from "../pipeline/types.ts";
import type { BudgetCounters } from "./budget-admin.ts";

/** What a caller may know of budgets: those that bind it, and of the ones it shares no amounts. */
export const createBindingBudgets =
  (
    directory: Pick<Directory, "budgetsOf">,
    counters: Pick<BudgetCounters, "states">,
  ): BindingBudgets =>
  async (caller, sessionId) => {
    const budgets = [...directory.budgetsOf(caller, sessionId)].sort(newestFirst);
    const states = await counters.states(budgets);
    return states.map(({ budget, left, resetsAt }) => ({
      budget,
      remaining: left,
      resetsAt,
      isShared: isShared(budget, caller),
    }));
  };

/** A user's devices are all its own hands; an app key may serve many people, and a session is whoever names it. */
const isShared = ({ scope }: Budget, caller: Caller): boolean => {
  switch (scope.kind) {
    case "device":
    case "app_key":
    case "router":
      return false;
    case "user":
      return caller.kind !== "device";
    case "session":
    case "organization":
    case "relay":
      return true;
  }
};

type Dated = Pick<BudgetRecord, "id"> & Partial<Pick<BudgetRecord, "createdAt">>;

const newestFirst = (a: Dated, b: Dated): number =>
  (b.createdAt ?? 0) - (a.createdAt ?? 0) || (a.id < b.id ? 1 : -1);
