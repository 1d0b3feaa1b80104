import { epochMs } from "@claude-relay/contract";
import { createPriceLookup } from "../../pipeline/price/price-lookup.ts";
import type { PriceTable, Rates } from "../../pipeline/price/price-table.ts";
import type { InputUsage, Usage } from "./wire.ts";

/** The kinds of token as the cost report names them. */
export const tokenTypes = [
  "uncached_input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation.ephemeral_5m_input_tokens",
  "cache_creation.ephemeral_1h_input_tokens",
] as const;
export type TokenType = (typeof tokenTypes)[number];

/** What was billed of one kind on one day. */
export type BilledSum = Readonly<{
  /** `2026-11-21`, UTC. */
  day: string;
  model: string;
  service_tier: "standard" | "priority";
  inference_geo: string;
  context_window: "0-200k" | "200k-1M";
  tokens: Readonly<Record<TokenType, number>>;
  /** In millionths of a millionth of a cent. */
  cost: Readonly<Record<TokenType, bigint>>;
  webSearches: number;
}>;

/** The simulator's books: sums by day, as few as there are days and models. */
export type Billing = Readonly<{
  add(model: string, usage: Usage): void;
  sums(): readonly BilledSum[];
  /** Exact cost of so many web searches, in the unit of `BilledSum.cost`. */
  searchCost(searches: number): bigint;
  clear(): void;
}>;

type Part = InputUsage & Readonly<{ output_tokens: number }>;

/** A micro-dollar is 10^8 millionths of a millionth of a cent; rates are per million tokens. */
const perMicroUsd = 10n ** 8n;
const perRate = perMicroUsd / 1_000_000n;

/**
 * Books what is billed, reckoned here from the rates alone and never rounded, as an account of its own beside
 * the relay's.
 * @param now milliseconds since the epoch
 */
export const createBilling = (now: () => number, prices: PriceTable): Billing => {
  const lookup = createPriceLookup(prices);
  const sums = new Map<string, BilledSum>();

  const book = (model: string, part: Part, usage: Usage, webSearches: number): void => {
    const at = now();
    const key = {
      day: new Date(at).toISOString().slice(0, 10),
      model,
      service_tier: usage.service_tier,
      inference_geo: usage.inference_geo,
      context_window: promptTokens(part) > 200_000 ? ("200k-1M" as const) : ("0-200k" as const),
    };
    const { entry } = lookup.find(model, epochMs(at));
    const long = entry.longContext;
    const rates =
      usage.speed === "fast"
        ? lookup.fastRates(entry)
        : long !== null && promptTokens(part) > long.abovePromptTokens
          ? long.rates
          : entry.rates;
    const percent = usage.inference_geo === "global" ? 100 : prices.regionalPercent;
    const id = JSON.stringify(key);
    const tokens = tokensOf(part);
    const cost = costOf(tokens, rates, percent);
    const before = sums.get(id);
    sums.set(id, {
      ...key,
      tokens: each((type) => (before?.tokens[type] ?? 0) + tokens[type]),
      cost: each((type) => (before?.cost[type] ?? 0n) + cost[type]),
      webSearches: (before?.webSearches ?? 0) + webSearches,
    });
  };

  return {
    add: (model, usage) => {
      const searches = usage.server_tool_use?.web_search_requests ?? 0;
      if (usage.iterations === undefined) {
        book(model, usage, usage, searches);
        return;
      }
      for (const [index, iteration] of usage.iterations.entries()) {
        book(iteration.model, iteration, usage, index === 0 ? searches : 0);
      }
    },
    sums: () => [...sums.values()],
    searchCost: (searches) => BigInt(searches) * BigInt(prices.webSearch) * perMicroUsd,
    clear: () => sums.clear(),
  };
};

const promptTokens = (part: Part): number =>
  part.input_tokens + part.cache_read_input_tokens + part.cache_creation_input_tokens;

const tokensOf = (part: Part): Record<TokenType, number> => ({
  uncached_input_tokens: part.input_tokens,
  output_tokens: part.output_tokens,
  cache_read_input_tokens: part.cache_read_input_tokens,
  "cache_creation.ephemeral_5m_input_tokens": part.cache_creation.ephemeral_5m_input_tokens,
  "cache_creation.ephemeral_1h_input_tokens": part.cache_creation.ephemeral_1h_input_tokens,
});

const costOf = (
  tokens: Readonly<Record<TokenType, number>>,
  rates: Rates,
  percent: number,
): Record<TokenType, bigint> => {
  const rateOf: Readonly<Record<TokenType, number>> = {
    uncached_input_tokens: rates.input,
    output_tokens: rates.output,
    cache_read_input_tokens: rates.cacheRead,
    "cache_creation.ephemeral_5m_input_tokens": rates.cacheWrite5m,
    "cache_creation.ephemeral_1h_input_tokens": rates.cacheWrite1h,
  };
  return each(
    (type) => (BigInt(tokens[type]) * BigInt(rateOf[type]) * perRate * BigInt(percent)) / 100n,
  );
};

export const each = <Value>(value: (type: TokenType) => Value): Record<TokenType, Value> =>
  Object.fromEntries(tokenTypes.map((type) => [type, value(type)])) as Record<TokenType, Value>;
