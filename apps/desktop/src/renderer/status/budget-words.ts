import type { BudgetStanding } from "../../bridge/usage.ts";
import { countWords, moneyWords } from "./money-words.ts";

/** The budget that will end first; null without any. */
export const tightestBudget = (budgets: readonly BudgetStanding[]): BudgetStanding | null =>
  budgets.reduce<BudgetStanding | null>(
    (tightest, one) =>
      tightest === null || one.remainingPercent < tightest.remainingPercent ? one : tightest,
    null,
  );

/** Whose budget, and how often it begins anew: `Your daily budget`. */
export const budgetName = ({ scope, window }: BudgetStanding): string =>
  `${owners[scope]} ${windowName(window)}budget`;

const owners: Readonly<Record<BudgetStanding["scope"], string>> = {
  device: "This device’s",
  user: "Your",
  organization: "Your organization’s",
  relay: "The relay’s",
};

const windowName = (window: string): string => {
  switch (window) {
    case "day":
      return "daily ";
    case "week":
      return "weekly ";
    case "month":
      return "monthly ";
    case "total":
      return "";
    default: {
      const hours = /^(\d+) hours?$/.exec(window)?.[1];
      return hours === undefined ? "" : `${hours}-hour `;
    }
  }
};

/** What is left, in its unit where that is known: `$1.20 of $5.00 left`. */
export const remainderWords = (budget: BudgetStanding): string => {
  const { limit, remaining, remainingPercent } = budget;
  if (limit === null || remaining === null) {
    return `${remainingPercent}% left`;
  }
  const words =
    budget.unit === "micro_usd" ? moneyWords : (count: number) => `${countWords(count)}`;
  const unit = budget.unit === "tokens" ? " tokens" : "";
  return `${words(Math.max(0, remaining))} of ${words(limit)}${unit} left`;
};

/** How much care a budget asks for. */
export const budgetMood = ({ remainingPercent }: BudgetStanding): "fine" | "low" | "empty" => {
  if (remainingPercent <= 0) {
    return "empty";
  }
  return remainingPercent < 15 ? "low" : "fine";
};
