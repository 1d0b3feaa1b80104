import type { RequestId } from "@claude-relay/contract";
import { epochMs } from "@claude-relay/contract";
import type { Kysely, Selectable } from "kysely";
import type { Page, PageQuery, RequestRow, UsageFilter } from "../pipeline/ports.ts";
import { decodeCursor, pageLimit, toPage } from "./cursor.ts";
import { fromJson } from "./json-column.ts";
import type { RequestsTable, Tables } from "./schema.ts";
import { matching } from "./usage-filter.ts";

/** Ledger rows, newest first by start. Rows that arrive while a caller pages never shift its pages. */
export const listRequestRows = async (
  db: Kysely<Tables>,
  { limit, cursor, ...filter }: UsageFilter & PageQuery,
): Promise<Page<RequestRow>> => {
  let query = db.selectFrom("requests").selectAll().where(matching(filter));
  query = query
    .orderBy("started_at", "desc")
    .orderBy("id", "desc")
    .limit(pageLimit(limit) + 1);
  if (cursor !== undefined) {
    const [time, id] = decodeCursor(cursor);
    const startedAt = epochMs(time);
    query = query
      .where("started_at", "<=", startedAt)
      .where((is) => is.or([is("started_at", "<", startedAt), is("id", "<", id as RequestId)]));
  }
  return toPage(await query.execute(), limit, toRequestRow, (row) => [row.started_at, row.id]);
};

const toRequestRow = (row: Selectable<RequestsTable>): RequestRow => ({
  ...row,
  stream: row.stream === 1,
  iterations: fromJson<NonNullable<RequestRow["iterations"]>>(row.iterations),
});
