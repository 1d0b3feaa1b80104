import type { PolicyId } from "@claude-relay/contract";
import type { Kysely, Selectable } from "kysely";
import type { PolicyRecord, PolicyStore } from "../pipeline/owner-ports.ts";
import { fromJson, toJson } from "./json-column.ts";
import { createRowStore } from "./row-store.ts";
import type { PoliciesTable, Tables } from "./schema.ts";

/** Policies, over any Kysely dialect. */
export const createPolicyStore = (db: Kysely<Tables>): PolicyStore =>
  createRowStore<PolicyId, PolicyRecord, PoliciesTable>(db, {
    table: "policies",
    toRow,
    toShown: toPolicy,
    taken: () => "There is a policy for this scope already: change that one.",
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
