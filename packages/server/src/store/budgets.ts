import type { BudgetId } from "@claude-relay/contract";
import type { Kysely, Selectable } from "kysely";
import type { BudgetWindow } from "../pipeline/admission.ts";
import type { BudgetRecord, BudgetStore } from "../pipeline/owner-ports.ts";
import { createRowStore } from "./row-store.ts";
import type { BudgetsTable, Tables } from "./schema.ts";

/** Budgets as they were set, over any Kysely dialect. What was spent of them is in the ledger. */
export const createBudgetStore = (db: Kysely<Tables>): BudgetStore =>
  createRowStore<BudgetId, BudgetRecord, BudgetsTable>(db, {
    table: "budgets",
    toRow,
    toShown: toBudget,
    taken: () => "There is a budget of this id already.",
  });

const toBudget = (row: Selectable<BudgetsTable>): BudgetRecord => ({
  id: row.id,
  scope: { kind: row.scope, id: row.scope_id },
  unit: row.unit,
  limit: row.amount,
  window: toWindow(row),
  createdAt: row.created_at,
});

const toWindow = ({ window_kind: kind, window_hours: hours }: BudgetsTable): BudgetWindow =>
  kind === "rolling" ? { kind, hours: hours ?? 1 } : { kind };

const toRow = (budget: BudgetRecord): BudgetsTable => ({
  id: budget.id,
  scope: budget.scope.kind,
  scope_id: budget.scope.id,
  unit: budget.unit,
  amount: budget.limit,
  window_kind: budget.window.kind,
  window_hours: budget.window.kind === "rolling" ? budget.window.hours : null,
  created_at: budget.createdAt,
});
