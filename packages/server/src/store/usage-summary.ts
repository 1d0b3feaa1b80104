import type { MicroUsd } from "@claude-relay/contract";
import { type Expression, type ExpressionBuilder, type Kysely, type RawBuilder, sql } from "kysely";
import type {
  UsageDimension,
  UsageFilter,
  UsageGroup,
  UsageSummary,
  UsageTotals,
} from "../pipeline/ports.ts";
import type { Tables } from "./schema.ts";
import { matching } from "./usage-filter.ts";

type Query = UsageFilter & Readonly<{ groupBy?: readonly UsageDimension[] | undefined }>;
type Raw = Readonly<Record<string, string | number | null>>;

const mostGroups = 10_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Each dimension's value as SQL: plain columns, and times cut with arithmetic that every database shares. */
const dimensionSql: Readonly<Record<UsageDimension, RawBuilder<string | number | null>>> = {
  device: sql`case when caller_kind = 'device' then caller_id end`,
  app_key: sql`case when caller_kind = 'app_key' then caller_id end`,
  router: sql`case when caller_kind = 'router' then caller_id end`,
  user: sql.ref("user_id"),
  organization: sql.ref("organization_id"),
  model: sql.ref("model"),
  answering_model: sql`coalesce(response_model, model)`,
  operation: sql.ref("operation"),
  upstream: sql.ref("upstream"),
  day: sql`started_at - started_at % ${sql.lit(dayMs)}`,
  hour: sql`started_at - started_at % ${sql.lit(hourMs)}`,
  status: sql.ref("status"),
  accuracy: sql.ref("accuracy"),
};

/** Where the caller got no whole answer, unless it left by itself. A row without a status is of a dead process. */
const failed = sql`status >= 400 or error_type is not null or ending in ('upstream_broke', 'process_died')`;

const summed = [
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation_5m_input_tokens",
  "cache_creation_1h_input_tokens",
  "web_search_requests",
  "web_fetch_requests",
] as const;

/** A subscription's calls are priced for comparison, and not billed. */
const billed = sql<number>`case when price_flag = 'subscription' then 0 else cost_micro_usd end`;

/** Sums, counts and latency percentiles over the matching ledger rows, whole and by group. */
export const summarizeUsage = async (db: Kysely<Tables>, query: Query): Promise<UsageSummary> => {
  const { groupBy = [], ...filter } = query;
  const dimensions = [...new Set(groupBy)];
  const [totals] = await summarize(db, filter, []);
  if (totals === undefined) {
    throw new Error("a sum without groups always has one row");
  }
  if (dimensions.length === 0) {
    return { totals: withoutGroup(totals), groups: [], truncated: false };
  }
  const groups = await summarize(db, filter, dimensions);
  return {
    totals: withoutGroup(totals),
    groups: groups.slice(0, mostGroups),
    truncated: groups.length > mostGroups,
  };
};

const summarize = async (
  db: Kysely<Tables>,
  filter: UsageFilter,
  dimensions: readonly UsageDimension[],
): Promise<UsageGroup[]> => {
  const sums = (await sumQuery(db, filter, dimensions).execute()) as Raw[];
  const percentiles = (await percentileQuery(db, filter, dimensions).execute()) as Raw[];
  const byGroup = new Map(percentiles.map((row) => [groupKey(row, dimensions), row]));
  return sums.map((row) => ({
    group: Object.fromEntries(dimensions.map((name) => [name, shown(name, row[`by_${name}`])])),
    ...totalsOf(row, byGroup.get(groupKey(row, dimensions))),
  }));
};

const sumQuery = (
  db: Kysely<Tables>,
  filter: UsageFilter,
  dimensions: readonly UsageDimension[],
) => {
  let query = db
    .selectFrom("requests")
    .where(matching(filter))
    .select((is) => [
      is.fn.countAll<number>().as("requests"),
      countWhere(is, failed).as("errors"),
      countWhere(is, sql`accuracy = 'estimated'`).as("estimated"),
      is.fn.sum<number>(billed).as("cost_micro_usd"),
      is.fn.sum<number>("cost_micro_usd").as("list_price_micro_usd"),
      ...summed.map((column) => is.fn.sum<number>(column).as(column)),
    ])
    .limit(mostGroups + 1);
  for (const name of dimensions) {
    query = query
      .select(dimensionSql[name].as(`by_${name}`))
      .groupBy(dimensionSql[name])
      // As SQLite does by itself; Postgres has them last.
      .orderBy(dimensionSql[name], (order) => order.asc().nullsFirst());
  }
  return query;
};

/** Nearest rank: the smallest duration that at least p % of the group's rows do not exceed. */
const percentileQuery = (
  db: Kysely<Tables>,
  filter: UsageFilter,
  dimensions: readonly UsageDimension[],
) => {
  const partition =
    dimensions.length === 0 ? sql`` : sql`partition by ${sql.join(dimensions.map(groupRef))}`;
  let ranked = db
    .selectFrom(durationQuery(db, filter, dimensions).as("counted"))
    .select([
      "duration_ms",
      sql<number>`sum(alike) over (${partition} order by duration_ms)`.as("place"),
      sql<number>`sum(alike) over (${partition})`.as("size"),
    ]);
  for (const name of dimensions) {
    ranked = ranked.select(groupRef(name).as(`by_${name}`));
  }
  let query = db
    .selectFrom(ranked.as("ranked"))
    .select([at(50).as("p50"), at(95).as("p95"), at(99).as("p99")]);
  for (const name of dimensions) {
    query = query.select(groupRef(name).as(`by_${name}`)).groupBy(groupRef(name));
  }
  return query;
};

/** How many rows took how long: over a million rows, ranking these is twice as fast as ranking each row. */
const durationQuery = (
  db: Kysely<Tables>,
  filter: UsageFilter,
  dimensions: readonly UsageDimension[],
) => {
  let query = db
    .selectFrom("requests")
    .where(matching(filter))
    .where("duration_ms", "is not", null)
    .select((is) => ["duration_ms", is.fn.countAll<number>().as("alike")])
    .groupBy("duration_ms");
  for (const name of dimensions) {
    query = query.select(dimensionSql[name].as(`by_${name}`)).groupBy(dimensionSql[name]);
  }
  return query;
};

const groupRef = (name: UsageDimension): RawBuilder<string | number | null> =>
  sql.ref(`by_${name}`);

const at = (percent: number): RawBuilder<number | null> =>
  sql`min(case when place * 100 >= size * ${sql.lit(percent)} then duration_ms end)`;

const countWhere = (is: ExpressionBuilder<Tables, "requests">, condition: Expression<unknown>) =>
  is.fn.sum<number>(sql<number>`case when ${condition} then 1 else 0 end`);

const groupKey = (row: Raw, dimensions: readonly UsageDimension[]): string =>
  JSON.stringify(dimensions.map((name) => row[`by_${name}`] ?? null));

const totalsOf = (row: Raw, percentiles: Raw | undefined): UsageTotals => ({
  requests: Number(row["requests"]),
  errors: Number(row["errors"]),
  estimated: Number(row["estimated"]),
  input_tokens: Number(row["input_tokens"]),
  output_tokens: Number(row["output_tokens"]),
  cache_read_input_tokens: Number(row["cache_read_input_tokens"]),
  cache_creation_5m_input_tokens: Number(row["cache_creation_5m_input_tokens"]),
  cache_creation_1h_input_tokens: Number(row["cache_creation_1h_input_tokens"]),
  web_search_requests: Number(row["web_search_requests"]),
  web_fetch_requests: Number(row["web_fetch_requests"]),
  cost_micro_usd: Number(row["cost_micro_usd"]) as MicroUsd,
  list_price_micro_usd: Number(row["list_price_micro_usd"]) as MicroUsd,
  duration_ms:
    percentiles === undefined || percentiles["p50"] === null
      ? null
      : {
          p50: Number(percentiles["p50"]),
          p95: Number(percentiles["p95"]),
          p99: Number(percentiles["p99"]),
        },
});

const shown = (
  name: UsageDimension,
  value: string | number | null | undefined,
): string | number | null => {
  if (value === null || value === undefined) {
    return null;
  }
  if (name === "day") {
    return new Date(Number(value)).toISOString().slice(0, 10);
  }
  if (name === "hour") {
    return `${new Date(Number(value)).toISOString().slice(0, 19)}Z`;
  }
  return value;
};

const withoutGroup = ({ group: _group, ...totals }: UsageGroup): UsageTotals => totals;
