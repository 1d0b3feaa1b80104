import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import type { UsageFilter } from "../pipeline/ports.ts";
import type { Tables } from "./schema.ts";

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
    if (filter.device !== undefined) {
      conditions.push(is("device_id", "=", filter.device));
    }
    if (filter.user !== undefined) {
      conditions.push(is("user_id", "=", filter.user));
    }
    if (filter.organization !== undefined) {
      conditions.push(is("organization_id", "=", filter.organization));
    }
    if (filter.model !== undefined) {
      conditions.push(is("model", "=", filter.model));
    }
    if (filter.status !== undefined) {
      conditions.push(is("status", "=", filter.status));
    }
    return is.and(conditions);
  };
