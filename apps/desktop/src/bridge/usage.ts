/** What this device used, and what it may still use. Money is whole micro-dollars. */
export type UsageReport = Readonly<{
  /** Since midnight UTC. */
  today: Readonly<{
    requests: number;
    inputTokens: number;
    outputTokens: number;
    costMicroUsd: number;
  }>;
  budgets: readonly BudgetStanding[];
}>;

export type BudgetStanding = Readonly<{
  /** Whose budget it is: this device's own, its user's, or one it shares with others. */
  scope: "device" | "user" | "organization" | "relay";
  unit: "micro_usd" | "tokens";
  window: string;
  /** Null where others share the budget: what they spend is not this device's to know. */
  limit: number | null;
  remaining: number | null;
  /** 0–100, rounded down. */
  remainingPercent: number;
  /** Epoch milliseconds; null: never by itself. */
  resetsAt: number | null;
}>;
