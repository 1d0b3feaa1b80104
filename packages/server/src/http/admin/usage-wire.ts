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

const wireGroup = (group: UsageGroup["group"], groupBy: readonly UsageDimension[]) =>
  Object.fromEntries(groupBy.map((name) => [wireName(name), group[name] ?? null]));

const wireName = (dimension: UsageDimension): string =>
  dimension === "organization" ? "org" : dimension;

const time = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();

/** One ledger row as JSON and CSV show it. */
export const wireRow = (row: RequestRow) => ({
  ...row,
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
  duration_ms_p50: duration_ms?.p50 ?? null,
  duration_ms_p95: duration_ms?.p95 ?? null,
  duration_ms_p99: duration_ms?.p99 ?? null,
});
