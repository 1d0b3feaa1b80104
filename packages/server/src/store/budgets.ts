import type { Kysely, Selectable } from "kysely";
import type { BudgetWindow } from "../pipeline/admission.ts";
import type { BudgetRecord, BudgetStore } from "../pipeline/owner-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { pageLimit, toPage } from "./cursor.ts";
import { after } from "./row-list.ts";
import type { BudgetsTable, Tables } from "./schema.ts";

/** Budgets as they were set, over any Kysely dialect. What was spent of them is in the ledger. */
export const createBudgetStore = (db: Kysely<Tables>): BudgetStore => ({
  loadAll: async () => (await db.selectFrom("budgets").selectAll().execute()).map(toBudget),
  list: async ({ limit, cursor }) => {
    const rows = await db
      .selectFrom("budgets")
      .selectAll()
      .where(after(cursor))
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(pageLimit(limit) + 1)
      .execute();
    return toPage(rows, limit, toBudget, (row) => [row.created_at, row.id]);
  },
  insert: async (budget) => {
    const row = await db
      .insertInto("budgets")
      .values(toRow(budget))
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) {
      throw new Refusal("conflict", "There is a budget of this id already.");
    }
    return toBudget(row);
  },
  replace: async (budget) => {
    const { created_at: _createdAt, ...columns } = toRow(budget);
    const row = await db
      .updateTable("budgets")
      .set(columns)
      .where("id", "=", budget.id)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toBudget(row);
  },
  remove: async (id) => {
    const { numDeletedRows } = await db
      .deleteFrom("budgets")
      .where("id", "=", id)
      .executeTakeFirst();
    return Number(numDeletedRows) > 0;
  },
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
