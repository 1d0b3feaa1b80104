/**
 * Sees budgets fill up. It is fed with what requests are granted and what they used, and costs a look into a map
 * for each of their budgets.
 *
 * What counts is what is *spent*. What is held is a worst case, often ten times of what a request uses in the end:
 * with it every long answer would warn of money nobody spends. For the same reason the last of a budget is seldom
 * spent to the cent, so 100 % is also told when the budget refuses a request that a fresh one would grant.
 */
import type { BudgetId, EpochMs } from "@claude-relay/contract";
import type { Amounts, Budget, BudgetState, BudgetWindow } from "./admission.ts";

/** Percent of a budget at which its owner is warned. */
export const thresholds = [50, 80, 95, 100] as const;
export type Threshold = (typeof thresholds)[number];

export type BudgetWarning = Readonly<{
  budget: Budget;
  threshold: Threshold;
  /** Why: so much is spent, or a request was refused for want of the rest. */
  reason: "spent" | "refused";
  spent: number;
  resetsAt: EpochMs | null;
  at: EpochMs;
}>;

/** What was told of a budget before. */
export type Told = Readonly<{ threshold: number; spent: number; limit: number; at: EpochMs }>;

/** Where the window that is open now began. */
export type WindowStart = (window: BudgetWindow, now: EpochMs) => EpochMs;

type Options = Readonly<{
  now: () => EpochMs;
  windowStart: WindowStart;
  /** All that one step crossed, of one budget, the lowest first. Must not throw. */
  onWarnings: (warnings: readonly BudgetWarning[]) => void;
  /** Budgets watched at a time; those not seen for longest are forgotten, and remembered by the audit log. */
  maxBudgets?: number;
}>;

type Watched = {
  budget: Budget;
  resetsAt: EpochMs | null;
  /** As last heard, and what has been settled here since. */
  spent: number;
  told: readonly Told[];
};

/** Each threshold is told once in a window; of a rolling one, once in as many hours as it has. */
export class BudgetWatch {
  readonly #options: Options;
  readonly #watched = new Map<BudgetId, Watched>();
  readonly #maxBudgets: number;

  constructor(options: Options) {
    this.#options = options;
    this.#maxBudgets = options.maxBudgets ?? 10_000;
  }

  /** A request was granted: how its budgets stand. */
  granted(states: readonly BudgetState[]): void {
    for (const state of states) {
      this.#warn(this.#see(state), "spent");
    }
  }

  /** It is over. @param states as they were when it was granted */
  settled(states: readonly BudgetState[], used: Amounts): void {
    for (const { budget, resetsAt } of states) {
      const watched = this.#watched.get(budget.id);
      const amount = budget.unit === "tokens" ? used.tokens : used.microUsd;
      if (watched !== undefined && amount > 0 && this.#isOpen(budget, resetsAt)) {
        watched.spent += amount;
        this.#warn(watched, "spent");
      }
    }
  }

  /** A request was refused for what it wanted of a budget. */
  refused(state: BudgetState, wanted: number): void {
    const { limit } = state.budget;
    const watched = this.#see(state);
    this.#warn(watched, "spent");
    // One that no budget of this size can hold, or that only waits for others to end, says nothing of its end.
    if (wanted <= limit && state.spent + wanted > limit) {
      this.#warn(watched, "refused");
    }
  }

  forget(id: BudgetId): void {
    this.#watched.delete(id);
  }

  #see({ budget, spent, resetsAt }: BudgetState): Watched {
    const watched = this.#watched.get(budget.id);
    if (watched === undefined) {
      return this.#add({ budget, spent, resetsAt, told: [] });
    }
    const isSameWindow = watched.resetsAt === resetsAt && budget.window.kind !== "rolling";
    // An answer that was under way while something was settled here does not know of that yet.
    watched.spent = isSameWindow ? Math.max(watched.spent, spent) : spent;
    watched.budget = budget;
    watched.resetsAt = resetsAt;
    return watched;
  }

  #add(watched: Watched): Watched {
    this.#watched.set(watched.budget.id, watched);
    if (this.#watched.size > this.#maxBudgets) {
      const [oldest] = this.#watched.keys();
      this.#watched.delete(oldest as BudgetId);
    }
    return watched;
  }

  /** What was granted in a window that is over is no use of the one that is open. */
  #isOpen({ window }: Budget, resetsAt: EpochMs | null): boolean {
    return window.kind === "rolling" || resetsAt === null || this.#options.now() < resetsAt;
  }

  #warn(watched: Watched, reason: BudgetWarning["reason"]): void {
    const { budget, spent } = watched;
    if (reason === "spent" && !isReached(thresholds[0], spent, budget.limit)) {
      return;
    }
    const at = this.#options.now();
    const start = this.#options.windowStart(budget.window, at);
    const told = watched.told.filter((one) => one.at >= start);
    const due = thresholds.filter(
      (threshold) =>
        (reason === "refused" ? threshold === 100 : isReached(threshold, spent, budget.limit)) &&
        !isTold(told, threshold, budget.limit),
    );
    if (due.length > 0) {
      watched.told = [
        ...told,
        ...due.map((threshold) => ({ threshold, spent, limit: budget.limit, at })),
      ];
      const { resetsAt } = watched;
      this.#options.onWarnings(
        due.map((threshold) => ({ budget, threshold, reason, spent, resetsAt, at })),
      );
    }
  }
}

/** A budget of nothing never fills up. */
const isReached = (threshold: Threshold, spent: number, limit: number): boolean =>
  limit > 0 && spent / limit >= threshold / 100;

/**
 * Whether this is known already: it was told of this limit, or, of another one, with so much spent that this limit's
 * threshold was passed as well. So a raised limit warns anew when it fills up anew, and a changed one repeats nothing.
 */
export const isTold = (told: readonly Told[], threshold: Threshold, limit: number): boolean =>
  told.some(
    (one) =>
      (one.limit === limit && one.threshold === threshold) ||
      (one.threshold >= threshold && isReached(threshold, one.spent, limit)),
  );
