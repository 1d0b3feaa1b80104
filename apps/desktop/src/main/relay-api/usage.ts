import type { SessionClock } from "@claude-relay/client/device";
import type { Static } from "typebox";
import type { BudgetStanding, UsageReport } from "../../bridge/usage.ts";
import { printable } from "../printable.ts";
import { BudgetsPage, UsageSums } from "./relay-answers.ts";
import { type ReadRelay, RelayAnswerError } from "./relay-reader.ts";

type Budget = Static<typeof BudgetsPage>["data"][number];

/** What this device used since midnight UTC, and the budgets that bind it. @throws CallError */
export const readUsage = async (
  read: ReadRelay,
  clock: Pick<SessionClock, "now">,
): Promise<UsageReport> => {
  const today = new Date(clock.now()).toISOString().slice(0, 10);
  const [{ totals }, budgets] = await Promise.all([
    read(`/admin/usage?from=${today}`, UsageSums),
    readBudgets(read),
  ]);
  return {
    today: {
      requests: totals.requests,
      inputTokens:
        totals.input_tokens +
        totals.cache_read_input_tokens +
        totals.cache_creation_5m_input_tokens +
        totals.cache_creation_1h_input_tokens,
      outputTokens: totals.output_tokens,
      costMicroUsd: totals.cost_micro_usd,
    },
    budgets,
  };
};

/** More than a window can show, and more than bind any device. */
const mostBudgets = 100;

/** Older relays tell a device nothing of budgets. */
const readBudgets = async (read: ReadRelay): Promise<readonly BudgetStanding[]> => {
  try {
    const { data } = await read("/admin/budgets", BudgetsPage);
    return data.slice(0, mostBudgets).flatMap(standingOf);
  } catch (error) {
    if (error instanceof RelayAnswerError && (error.status === 403 || error.status === 404)) {
      return [];
    }
    throw error;
  }
};

const scopes = ["device", "user", "organization", "relay"] as const;

const standingOf = (budget: Budget): BudgetStanding[] => {
  // Of sessions and apps there are none here.
  const scope = scopes.find((known) => known === budget.scope);
  const resetsAt = budget.resets_at === null ? null : Date.parse(budget.resets_at);
  return scope === undefined
    ? []
    : [
        {
          scope,
          unit: budget.unit,
          window: windowWords(budget.window),
          limit: budget.limit,
          remaining: budget.remaining,
          remainingPercent: Math.min(100, Math.max(0, Math.floor(budget.remaining_percent))),
          resetsAt: Number.isNaN(resetsAt) ? null : resetsAt,
        },
      ];
};

const windowWords = (window: Budget["window"]): string =>
  typeof window === "string"
    ? printable(window)
    : `${window.rolling_hours} ${window.rolling_hours === 1 ? "hour" : "hours"}`;
