/**
 * Reads the answers of Anthropic's Usage and Cost Admin API. A shape that is not the documented one is
 * refused: taken for an empty report it would read as "nothing was billed".
 * https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report
 * https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report
 */
import type { BilledLine } from "../pipeline/reconcile.ts";
import { isCount, isJsonObject } from "../pipeline/usage/usage.ts";
import { microUsdOfCents, parseCents } from "./cents.ts";

type Json = Readonly<Record<string, unknown>>;

export type ReportBucket = Readonly<{ day: string; results: readonly Json[] }>;
export type ReportPage = Readonly<{ buckets: readonly ReportBucket[]; nextPage: string | null }>;

/** What the answer has that the documentation does not know; the message names the field. */
export class StrangeReport extends Error {}

/** One page of either report. @throws StrangeReport */
export const readPage = (text: string): ReportPage => {
  const page = parse(text);
  if (!isJsonObject(page) || !Array.isArray(page["data"])) {
    throw new StrangeReport("data is no list");
  }
  const { has_more: more, next_page: next } = page;
  if (typeof more !== "boolean" || (more && (typeof next !== "string" || next === ""))) {
    throw new StrangeReport("has_more and next_page do not fit");
  }
  return { buckets: page["data"].map(readBucket), nextPage: more ? String(next) : null };
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new StrangeReport("it is not JSON");
  }
};

const readBucket = (bucket: unknown): ReportBucket => {
  if (!isJsonObject(bucket) || !Array.isArray(bucket["results"])) {
    throw new StrangeReport("results is no list");
  }
  const day = /^(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?(?:Z|\+00:00)$/.exec(
    String(bucket["starting_at"]),
  );
  if (day?.[1] === undefined || !bucket["results"].every(isJsonObject)) {
    throw new StrangeReport("starting_at is no midnight in UTC, or a result is no object");
  }
  return { day: day[1], results: bucket["results"] };
};

/** The usage report, grouped by model, as lines. @throws StrangeReport */
export const usageLines = (buckets: readonly ReportBucket[]): BilledLine[] =>
  buckets.flatMap(({ day, results }) =>
    results.map((result) => ({
      day,
      costType: "tokens",
      model: nameIn(result, "model") ?? "unknown",
      amounts: {
        input_tokens: required(result, "uncached_input_tokens"),
        output_tokens: required(result, "output_tokens"),
        cache_read_input_tokens: required(result, "cache_read_input_tokens"),
        cache_creation_5m_input_tokens: within(
          result,
          "cache_creation",
          "ephemeral_5m_input_tokens",
        ),
        cache_creation_1h_input_tokens: within(
          result,
          "cache_creation",
          "ephemeral_1h_input_tokens",
        ),
        web_search_requests: within(result, "server_tool_use", "web_search_requests"),
      },
    })),
  );

/** The cost report, grouped by description, as lines: one a model for tokens, one a kind for the rest. @throws StrangeReport */
export const costLines = (buckets: readonly ReportBucket[]): BilledLine[] =>
  buckets.flatMap(({ day, results }) => {
    const sums = new Map<string, { costType: string; model: string | null; exact: bigint }>();
    for (const result of results) {
      const costType = nameIn(result, "cost_type") ?? "unknown";
      const model = costType === "tokens" ? (nameIn(result, "model") ?? "unknown") : null;
      const key = JSON.stringify([costType, model]);
      const sum = sums.get(key) ?? { costType, model, exact: 0n };
      sums.set(key, { ...sum, exact: sum.exact + centsIn(result) });
    }
    return [...sums.values()].map(({ costType, model, exact }) => ({
      day,
      costType,
      model,
      amounts: { cost_micro_usd: microUsdOfCents(exact) },
    }));
  });

const centsIn = (result: Json): bigint => {
  const { amount, currency } = result;
  const exact = typeof amount === "string" ? parseCents(amount) : null;
  if (exact === null || currency !== "USD") {
    throw new StrangeReport("amount is no decimal number of US cents");
  }
  return exact;
};

const required = (result: Json, field: string): number => {
  const value = result[field];
  if (!isCount(value)) {
    throw new StrangeReport(`${field} is no count`);
  }
  return value;
};

/** A count in an object that may be absent or null as a whole, which is 0. */
const within = (result: Json, object: string, field: string): number => {
  const value = result[object];
  if (value === null || value === undefined) {
    return 0;
  }
  if (!isJsonObject(value)) {
    throw new StrangeReport(`${object} is no object`);
  }
  return value[field] === undefined ? 0 : required(value, field);
};

const nameIn = (result: Json, field: string): string | null => {
  const value = result[field];
  if (value === null || value === undefined) {
    return null;
  }
  if (typeof value !== "string" || !/^[\x21-\x7e]{1,256}$/.test(value)) {
    throw new StrangeReport(`${field} is no name`);
  }
  return value;
};
