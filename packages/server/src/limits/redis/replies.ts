import type {
  Ask,
  Budget,
  BudgetState,
  Limit,
  LimitState,
  Verdict,
} from "../../pipeline/admission.ts";
import { amountOf } from "../amounts.ts";
import type { ScriptReply } from "./connection.ts";
import { type CounterWindow, resetsAt } from "./counter-window.ts";

/** What the script `ask` answers (lua/ask.ts). */
export type AskReply =
  | { readonly kind: "verdict"; readonly verdict: Verdict; readonly now: number }
  /** These of the budgets asked have no counter yet. */
  | { readonly kind: "unknown"; readonly indexes: readonly number[]; readonly now: number }
  /** Our clock put the request into a window that is not Redis's. */
  | { readonly kind: "time"; readonly now: number }
  | { readonly kind: "epoch" | "rebuilding" | "gone" };

export const readAskReply = (
  reply: ScriptReply,
  ask: Ask,
  windows: readonly CounterWindow[],
): AskReply => {
  const now = Number(reply[1]);
  switch (reply[0]) {
    case "ok":
      return { kind: "verdict", now, verdict: granted(reply, ask, windows) };
    case "limit":
      return { kind: "verdict", now, verdict: overLimit(reply, ask) };
    case "budget":
      return { kind: "verdict", now, verdict: overBudget(reply, ask, windows) };
    case "unknown":
      return { kind: "unknown", now, indexes: reply.slice(2).map(Number) };
    case "time":
      return { kind: "time", now };
    case "epoch":
    case "rebuilding":
    case "gone":
      return { kind: reply[0] };
    default:
      throw new Error(`Redis answered ${String(reply[0])}`);
  }
};

const granted = (reply: ScriptReply, ask: Ask, windows: readonly CounterWindow[]): Verdict => {
  const ofBudgets = 2 + ask.limits.length * 2;
  return {
    kind: "granted",
    limits: ask.limits.map((limit, index) => limitState(limit, reply, 2 + index * 2)),
    budgets: ask.budgets.map((budget, index) =>
      budgetState(budget, windows[index], reply, ofBudgets + index * 3),
    ),
  };
};

const overLimit = (reply: ScriptReply, ask: Ask): Verdict => ({
  kind: "over_limit",
  state: limitState(at(ask.limits, reply[2]), reply, 3),
  retryAfterMs: Number(reply[5]),
});

const overBudget = (reply: ScriptReply, ask: Ask, windows: readonly CounterWindow[]): Verdict => {
  const budget = at(ask.budgets, reply[2]);
  return {
    kind: "over_budget",
    state: budgetState(budget, windows[Number(reply[2])], reply, 3),
    wanted: amountOf(budget.unit, ask.worst),
  };
};

const limitState = (limit: Limit, reply: ScriptReply, index: number): LimitState => ({
  limit,
  remaining: Number(reply[index]),
  resetMs: Number(reply[index + 1]),
});

/** Reads spent, held and the oldest part in use. */
export const budgetState = (
  budget: Budget,
  window: CounterWindow | undefined,
  reply: ScriptReply,
  index: number,
): BudgetState => {
  const [spent, held, oldest] = [reply[index], reply[index + 1], reply[index + 2]].map(Number);
  if (window === undefined || spent === undefined || held === undefined || oldest === undefined) {
    throw new RangeError("Redis told less than was asked");
  }
  const left = Math.max(0, budget.limit - spent - held);
  return { budget, held, spent, left, resetsAt: resetsAt(budget, window, oldest) };
};

const at = <T>(list: readonly T[], index: unknown): T => {
  const item = list[Number(index)];
  if (item === undefined) {
    throw new RangeError(`Redis named the ${String(index)}th of ${list.length}`);
  }
  return item;
};
