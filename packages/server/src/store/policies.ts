import type { Kysely, Selectable } from "kysely";
import type { PolicyRecord, PolicyStore } from "../pipeline/owner-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { pageLimit, toPage } from "./cursor.ts";
import { fromJson, toJson } from "./json-column.ts";
import { after } from "./row-list.ts";
import type { PoliciesTable, Tables } from "./schema.ts";

/** Policies, over any Kysely dialect. */
export const createPolicyStore = (db: Kysely<Tables>): PolicyStore => ({
  loadAll: async () => (await db.selectFrom("policies").selectAll().execute()).map(toPolicy),
  list: async ({ limit, cursor }) => {
    const rows = await db
      .selectFrom("policies")
      .selectAll()
      .where(after(cursor))
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(pageLimit(limit) + 1)
      .execute();
    return toPage(rows, limit, toPolicy, (row) => [row.created_at, row.id]);
  },
  insert: async (policy) => {
    const row = await db
      .insertInto("policies")
      .values(toRow(policy))
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) {
      throw new Refusal("conflict", "There is a policy for this scope already: change that one.");
    }
    return toPolicy(row);
  },
  replace: async (policy) => {
    const { created_at: _createdAt, ...columns } = toRow(policy);
    const row = await db
      .updateTable("policies")
      .set(columns)
      .where("id", "=", policy.id)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toPolicy(row);
  },
  remove: async (id) => {
    const { numDeletedRows } = await db
      .deleteFrom("policies")
      .where("id", "=", id)
      .executeTakeFirst();
    return Number(numDeletedRows) > 0;
  },
});

const toPolicy = (row: Selectable<PoliciesTable>): PolicyRecord => ({
  id: row.id,
  scope: { kind: row.scope, id: row.scope_id },
  models: fromJson<string[]>(row.models),
  requestsPerMinute: row.requests_per_minute,
  inputTokensPerMinute: row.input_tokens_per_minute,
  outputTokensPerMinute: row.output_tokens_per_minute,
  concurrency: row.concurrency,
  requestsPerDay: row.requests_per_day,
  onDisconnect: row.on_disconnect,
  bootstrap: row.bootstrap,
  createdAt: row.created_at,
});

const toRow = (policy: PolicyRecord): PoliciesTable => ({
  id: policy.id,
  scope: policy.scope.kind,
  scope_id: policy.scope.id,
  models: toJson(policy.models),
  requests_per_minute: policy.requestsPerMinute,
  input_tokens_per_minute: policy.inputTokensPerMinute,
  output_tokens_per_minute: policy.outputTokensPerMinute,
  concurrency: policy.concurrency,
  requests_per_day: policy.requestsPerDay,
  on_disconnect: policy.onDisconnect,
  bootstrap: policy.bootstrap,
  created_at: policy.createdAt,
});
