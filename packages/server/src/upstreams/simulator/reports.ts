import type { BilledSum, Billing, TokenType } from "./billing.ts";
import { each, tokenTypes } from "./billing.ts";
import { findModel } from "./models.ts";
import { dayMs, pageToken, type ReportQuery, readReportQuery, rfc3339 } from "./report-query.ts";

type Result = Readonly<Record<string, unknown>>;

const usageGroups = [
  ...["account_id", "api_key_id", "context_window", "inference_geo", "model"],
  ...["service_account_id", "service_tier", "workspace_id"],
];
const costGroups = ["workspace_id", "description"];

/**
 * `GET /v1/organizations/usage_report/messages`: tokens by day, as JSON text.
 * https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report
 * @throws ApiError 400
 */
export const usageReport = (query: URLSearchParams, billing: Billing, now: number): string => {
  const asked = readReportQuery(query, usageGroups, now);
  return paged(asked, billing.sums(), (sums) => usageResults(sums, asked.groupBy));
};

/**
 * `GET /v1/organizations/cost_report`: cost by day, without what priority capacity did, as JSON text.
 * https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report
 * @throws ApiError 400
 */
export const costReport = (query: URLSearchParams, billing: Billing, now: number): string => {
  const asked = readReportQuery(query, costGroups, now);
  return paged(asked, billing.sums(), (sums) => {
    const items = costItems(sums, billing);
    return asked.groupBy.has("description") ? items.map(costResult) : wholeCost(items);
  });
};

/** A page of daily buckets, those without results too. */
const paged = (
  { from, to, limit }: ReportQuery,
  sums: readonly BilledSum[],
  resultsOf: (sums: readonly BilledSum[]) => readonly Result[],
): string => {
  const end = Math.min(to, from + limit * dayMs);
  const data = [];
  for (let start = from; start < end; start += dayMs) {
    const day = rfc3339(start).slice(0, 10);
    data.push({
      starting_at: rfc3339(start),
      ending_at: rfc3339(start + dayMs),
      results: resultsOf(sums.filter((sum) => sum.day === day)),
    });
  }
  const more = end < to;
  return JSON.stringify({ data, has_more: more, next_page: more ? pageToken(end) : null });
};

const usageResults = (sums: readonly BilledSum[], by: ReadonlySet<string>): Result[] => {
  const dimension = (name: string, value: string) => (by.has(name) ? value : null);
  const keyed = sums.map((sum) => ({
    sum,
    key: {
      api_key_id: null,
      context_window: dimension("context_window", sum.context_window),
      inference_geo: dimension("inference_geo", sum.inference_geo),
      model: dimension("model", sum.model),
      service_tier: dimension("service_tier", sum.service_tier),
      workspace_id: null,
    },
  }));
  const groups = Map.groupBy(keyed, ({ key }) => JSON.stringify(key));
  return [...groups.values()].map((group) => {
    const tokens = each((type) => total(group, ({ sum }) => sum.tokens[type]));
    return {
      ...group[0]?.key,
      uncached_input_tokens: tokens.uncached_input_tokens,
      cache_creation: {
        ephemeral_1h_input_tokens: tokens["cache_creation.ephemeral_1h_input_tokens"],
        ephemeral_5m_input_tokens: tokens["cache_creation.ephemeral_5m_input_tokens"],
      },
      cache_read_input_tokens: tokens.cache_read_input_tokens,
      output_tokens: tokens.output_tokens,
      server_tool_use: { web_search_requests: total(group, ({ sum }) => sum.webSearches) },
    };
  });
};

const total = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

type CostItem = Readonly<{ of: BilledSum | null; tokenType: TokenType | null; cost: bigint }>;

const costItems = (sums: readonly BilledSum[], billing: Billing): CostItem[] => {
  const inReport = sums.filter(({ service_tier }) => service_tier !== "priority");
  const items: CostItem[] = inReport.flatMap((of) =>
    tokenTypes
      .filter((tokenType) => of.cost[tokenType] > 0n)
      .map((tokenType) => ({ of, tokenType, cost: of.cost[tokenType] })),
  );
  const searches = total(sums, ({ webSearches }) => webSearches);
  return searches === 0
    ? items
    : [...items, { of: null, tokenType: null, cost: billing.searchCost(searches) }];
};

const tokenWords: Readonly<Record<TokenType, string>> = {
  uncached_input_tokens: "Input Tokens",
  output_tokens: "Output Tokens",
  cache_read_input_tokens: "Input Tokens, Cache Read",
  "cache_creation.ephemeral_5m_input_tokens": "Input Tokens, Cache Write",
  "cache_creation.ephemeral_1h_input_tokens": "Input Tokens, Cache Write 1h",
};

const costResult = ({ of, tokenType, cost }: CostItem): Result => ({
  amount: cents(cost),
  context_window: of?.context_window ?? null,
  cost_type: tokenType === null ? "web_search" : "tokens",
  currency: "USD",
  description:
    of === null || tokenType === null
      ? "Web Search Usage"
      : `${nameOf(of.model)} Usage - ${tokenWords[tokenType]}`,
  inference_geo: null,
  model: of?.model ?? null,
  service_tier: of?.service_tier ?? null,
  token_type: tokenType,
  workspace_id: null,
});

/** Everything in one result, as without `group_by[]`. */
const wholeCost = (items: readonly CostItem[]): Result[] =>
  items.length === 0
    ? []
    : [
        {
          ...costResult({ of: null, tokenType: null, cost: 0n }),
          amount: cents(items.reduce((sum, { cost }) => sum + cost, 0n)),
          cost_type: null,
          description: null,
        },
      ];

const nameOf = (model: string): string => {
  try {
    return findModel(model).displayName;
  } catch {
    // A scenario's model.
    return model;
  }
};

/** `123.78912`: cents with as many digits as they have. */
const cents = (exact: bigint): string => {
  const digits = String(exact).padStart(13, "0");
  const fraction = digits.slice(-12).replace(/0+$/, "");
  return fraction === "" ? digits.slice(0, -12) : `${digits.slice(0, -12)}.${fraction}`;
};
