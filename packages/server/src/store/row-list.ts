import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { Page, PageQuery } from "../pipeline/ports.ts";
import { decodeCursor, pageLimit, toPage } from "./cursor.ts";
import type { Tables } from "./schema.ts";

/** The tables whose rows have an id and a time of making. */
type ListedTable =
  | "app_keys"
  | "budgets"
  | "enrollment_codes"
  | "organizations"
  | "policies"
  | "routers"
  | "users";

/**
 * A page of a table's rows, newest first.
 * @throws Refusal `invalid_request` for a cursor that is none, or a limit that is too large
 */
export const listRows = async <Table extends ListedTable, Shown>(
  tables: Kysely<Tables>,
  table: Table,
  { limit, cursor }: PageQuery,
  show: (row: Selectable<Tables[Table]>) => Shown,
): Promise<Page<Shown>> => {
  // What the tables have in common is all that is named here.
  const db = tables as unknown as Kysely<{ listed: Tables[ListedTable] }>;
  const rows = await db
    .selectFrom(table as "listed")
    .selectAll()
    .where(after(cursor))
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(pageLimit(limit) + 1)
    .execute();
  return toPage(
    rows,
    limit,
    (row) => show(row as Selectable<Tables[Table]>),
    (row) => [row.created_at, row.id],
  );
};

/**
 * The rows after a cursor in a list that is newest first (`created_at`, then `id`, both falling).
 * @throws Refusal `invalid_request` for a cursor that is none
 */
export const after = (cursor: string | undefined): RawBuilder<boolean> => {
  if (cursor === undefined) {
    return sql<boolean>`1 = 1`;
  }
  const [time, id] = decodeCursor(cursor);
  return sql<boolean>`(created_at < ${time} or (created_at = ${time} and id < ${id}))`;
};
