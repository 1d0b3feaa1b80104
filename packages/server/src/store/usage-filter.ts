import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import type { UsageFilter } from "../pipeline/ports.ts";
import type { RequestsTable, Tables } from "./schema.ts";

/** The column whose value each filter names. */
const columns = {
  callerKind: "caller_kind",
  callerId: "caller_id",
  user: "user_id",
  organization: "organization_id",
  session: "session_id",
  model: "model",
  operation: "operation",
  upstream: "upstream",
  status: "status",
} as const satisfies Record<
  Exclude<keyof UsageFilter, "from" | "to" | "except">,
  keyof RequestsTable
>;

/** The filter as a condition on `requests`; true for an empty filter. */
export const matching =
  (filter: UsageFilter) =>
  (is: ExpressionBuilder<Tables, "requests">): Expression<SqlBool> => {
    const conditions: Expression<SqlBool>[] = [];
    if (filter.from !== undefined) {
      conditions.push(is("started_at", ">=", filter.from));
    }
    if (filter.to !== undefined) {
      conditions.push(is("started_at", "<", filter.to));
    }
    if (filter.except !== undefined && filter.except.length > 0) {
      conditions.push(is("id", "not in", filter.except));
    }
    for (const field of Object.keys(columns) as (keyof typeof columns)[]) {
      const value = filter[field];
      if (value !== undefined) {
        conditions.push(is(is.ref(columns[field]), "=", is.val(value)));
      }
    }
    return is.and(conditions);
  };
