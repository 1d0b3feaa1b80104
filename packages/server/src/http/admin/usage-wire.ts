import { UsageReport, UsageRequest } from "@claude-relay/contract";
import type {
  RequestRow,
  UsageDimension,
  UsageFilter,
  UsageGroup,
  UsageSummary,
} from "../../pipeline/ports.ts";

/** The sums as JSON. */
export const wireSummary = (
  { totals, groups, truncated }: UsageSummary,
  groupBy: readonly UsageDimension[],
  { from, to }: UsageFilter,
) => ({
  from: time(from),
  to: time(to),
  totals,
  groups: groups.map(({ group, ...sums }) => ({ group: wireGroup(group, groupBy), ...sums })),
  truncated,
});

/** The sums as rows of CSV: the groups, or the totals when nothing is grouped. */
export const summaryRows = (
  { totals, groups }: UsageSummary,
  groupBy: readonly UsageDimension[],
): Record<string, unknown>[] =>
  groupBy.length === 0
    ? [flat({}, totals)]
    : groups.map(({ group, ...sums }) => flat(wireGroup(group, groupBy), sums));

/** The columns of those rows. */
export const summaryColumns = (groupBy: readonly UsageDimension[]): string[] => [
  ...groupBy.map(wireName),
  ...Object.keys(UsageReport.properties.totals.properties).filter((name) => name !== "duration_ms"),
  ...percentiles.map(([column]) => column),
];

const percentiles = [
  ["duration_ms_p50", "p50"],
  ["duration_ms_p95", "p95"],
  ["duration_ms_p99", "p99"],
] as const;

const wireGroup = (group: UsageGroup["group"], groupBy: readonly UsageDimension[]) =>
  Object.fromEntries(groupBy.map((name) => [wireName(name), group[name] ?? null]));

const wireName = (dimension: UsageDimension): string =>
  dimension === "organization" ? "org" : dimension;

const time = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();

/** The columns of a ledger row as CSV. */
export const requestColumns: readonly string[] = Object.keys(UsageRequest.properties);

/** One ledger row as JSON and CSV show it. */
export const wireRow = ({ caller_id, ...row }: RequestRow) => ({
  ...row,
  device_id: row.caller_kind === "device" ? caller_id : null,
  app_key: row.caller_kind === "app_key" ? caller_id : null,
  router: row.caller_kind === "router" ? caller_id : null,
  cost_micro_usd: row.price_flag === "subscription" ? 0 : row.cost_micro_usd,
  list_price_micro_usd: row.cost_micro_usd,
  started_at: new Date(row.started_at).toISOString(),
  finished_at: time(row.finished_at),
  iterations: row.iterations === null ? null : row.iterations.map(wireIteration),
});

const wireIteration = (part: NonNullable<RequestRow["iterations"]>[number]) => ({
  model: part.model,
  input_tokens: part.inputTokens,
  output_tokens: part.outputTokens,
  cache_read_input_tokens: part.cacheReadInputTokens,
  cache_creation_5m_input_tokens: part.cacheCreation5mInputTokens,
  cache_creation_1h_input_tokens: part.cacheCreation1hInputTokens,
});

const flat = (
  group: Readonly<Record<string, unknown>>,
  {
    duration_ms,
    ...totals
  }: Readonly<Record<string, unknown>> &
    Readonly<{ duration_ms: Readonly<{ p50: number; p95: number; p99: number }> | null }>,
): Record<string, unknown> => ({
  ...group,
  ...totals,
  ...Object.fromEntries(percentiles.map(([column, name]) => [column, duration_ms?.[name] ?? null])),
});
