import type { EpochMs } from "@claude-relay/contract";
import type { Kysely } from "kysely";
import type { RowStore } from "../pipeline/owner-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { listRows } from "./row-list.ts";
import type { Tables } from "./schema.ts";

type ListedRow = Readonly<{ id: string; created_at: EpochMs }>;

type Options<Shown, Row> = Readonly<{
  table: "organizations" | "users" | "policies" | "budgets";
  toRow: (shown: Shown) => Row;
  toShown: (row: Row) => Shown;
  /** What an insert is refused with when the id, or what must be the only one, is there already. */
  taken: (shown: Shown) => string;
}>;

/** A store of rows with an id and a time of making, over any Kysely dialect. */
export const createRowStore = <Id extends string, Shown, Row extends ListedRow>(
  tables: Kysely<Tables>,
  { table, toRow, toShown, taken }: Options<Shown, Row>,
): RowStore<Id, Shown> => {
  // What the tables have in common is all that is named here; the rest is for `toRow` and `toShown`.
  const db = tables as unknown as Kysely<{ listed: ListedRow }>;
  const name = table as "listed";
  const show = (row: ListedRow): Shown => toShown(row as Row);
  return {
    loadAll: async () => (await db.selectFrom(name).selectAll().execute()).map(show),
    list: (query) => listRows(tables, table, query, show),
    insert: async (shown) => {
      const row = await db
        .insertInto(name)
        .values(toRow(shown))
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) {
        throw new Refusal("conflict", taken(shown));
      }
      return show(row);
    },
    replace: async (shown) => {
      const { created_at: _createdAt, ...columns } = toRow(shown);
      const row = await db
        .updateTable(name)
        .set(columns)
        .where("id", "=", columns.id)
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? null : show(row);
    },
    remove: async (id) => {
      const { numDeletedRows } = await db.deleteFrom(name).where("id", "=", id).executeTakeFirst();
      return Number(numDeletedRows) > 0;
    },
  };
};
