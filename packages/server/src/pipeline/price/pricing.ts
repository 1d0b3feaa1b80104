import type { EpochMs, MicroUsd } from "@claude-relay/contract";
import type { BodyFacts, Tokens, Usage } from "../types.ts";
import { createPriceBound, tokenBound } from "./price-bound.ts";
import { createPriceLookup, type PriceLookup } from "./price-lookup.ts";
import { addTokens, one, type PriceSum, percentOf, times, totalOf } from "./price-sum.ts";
import type { PriceTable, Rates } from "./price-table.ts";

/** Why a price is not simply the list price. */
type PriceFlag = "unknown_model" | "unknown_fast_rate" | "priority_tier";

export interface PriceBook {
  /** What a response cost; `at` is when the request started. `model` names who answered, null if nobody knows. */
  price(asked: Readonly<{ model: string | null; usage: Usage; at: EpochMs }>): Readonly<{
    costMicroUsd: MicroUsd;
    flag: PriceFlag | null;
  }>;
  /** The most a request can cost; see `price-bound.ts` for what that covers. */
  worstCase(asked: Readonly<{ facts: BodyFacts; bodyBytes: number; at: EpochMs }>): MicroUsd;
  /** The most tokens of any kind a request can use, by the same assumptions. */
  worstTokens(asked: Readonly<{ facts: BodyFacts; bodyBytes: number }>): number;
}

/**
 * Prices usage by the table, exactly, rounding up once per request. Iterations are priced each by its own model,
 * and what the totals have beyond them by the model that answered. An unknown model costs the highest rates.
 */
export const createPriceBook = (table: PriceTable): PriceBook => {
  const lookup = createPriceLookup(table);
  const regional = percentOf(table.regionalPercent);
  const batch = percentOf(table.batchPercent);

  return {
    price({ model, usage, at }) {
      const sum: PriceSum = { exact: 0 };
      const isFast = usage.speed !== null && usage.speed !== "standard";
      const flags = new FlagKeeper();
      for (const iteration of usage.iterations) {
        addPrice(sum, iteration, iteration.model ?? model, at, isFast, lookup, flags);
      }
      const rest = usage.iterations.length === 0 ? usage : beyondIterations(usage);
      if (rest !== null) {
        addPrice(sum, rest, model, at, isFast, lookup, flags);
      }
      if (usage.serviceTier === "priority") {
        flags.raise("priority_tier");
      }
      const geoFactor = isRegional(usage.inferenceGeo) ? regional : one;
      const factor = usage.serviceTier === "batch" ? times(geoFactor, batch) : geoFactor;
      return {
        costMicroUsd: totalOf(sum, factor, usage.webSearchRequests * table.webSearch),
        flag: flags.flag,
      };
    },
    worstCase: createPriceBound(table, lookup),
    worstTokens: (asked) => tokenBound(asked, table.contextTokens),
  };
};

/** Keeps the gravest flag: the first of this order. */
class FlagKeeper {
  flag: PriceFlag | null = null;

  raise(flag: PriceFlag): void {
    if (this.flag === null || (flag === "unknown_model" && this.flag !== flag)) {
      this.flag = flag;
    }
  }
}

/** `not_available` is what models older than the setting report. */
const isRegional = (geo: string | null): boolean =>
  geo !== null && geo !== "global" && geo !== "not_available";

const addPrice = (
  sum: PriceSum,
  tokens: Tokens,
  model: string | null,
  at: EpochMs,
  isFast: boolean,
  lookup: PriceLookup,
  flags: FlagKeeper,
): void => {
  const { entry, isKnown } = lookup.find(model ?? "", at);
  if (!isKnown) {
    flags.raise("unknown_model");
  } else if (isFast && entry.fast === null) {
    flags.raise("unknown_fast_rate");
  }
  const { longContext } = entry;
  const isLong = longContext !== null && promptTokens(tokens) > longContext.abovePromptTokens;
  addAt(
    sum,
    tokens,
    isLong ? longContext.rates : entry.rates,
    isFast ? lookup.fastRates(entry) : null,
  );
};

const promptTokens = (tokens: Tokens): number =>
  tokens.inputTokens +
  tokens.cacheReadInputTokens +
  tokens.cacheCreation5mInputTokens +
  tokens.cacheCreation1hInputTokens;

/** When both fast and long-context rates could apply, each dimension takes the dearer. */
const addAt = (sum: PriceSum, tokens: Tokens, rates: Rates, fast: Rates | null): void => {
  const most = (rate: number, fastRate: number | undefined): number =>
    Math.max(rate, fastRate ?? 0);
  addTokens(sum, tokens.inputTokens, most(rates.input, fast?.input));
  addTokens(sum, tokens.outputTokens, most(rates.output, fast?.output));
  addTokens(sum, tokens.cacheReadInputTokens, most(rates.cacheRead, fast?.cacheRead));
  addTokens(sum, tokens.cacheCreation5mInputTokens, most(rates.cacheWrite5m, fast?.cacheWrite5m));
  addTokens(sum, tokens.cacheCreation1hInputTokens, most(rates.cacheWrite1h, fast?.cacheWrite1h));
};

/**
 * What the totals have that no iteration accounts for, or null when nothing: an answer that broke off after its
 * last list of iterations, say. Iterations may hold more than the totals (advisor, compaction); never less is due.
 */
const beyondIterations = (usage: Usage): Tokens | null => {
  const listed = (dimension: keyof Tokens): number =>
    usage.iterations.reduce((sum, iteration) => sum + iteration[dimension], 0);
  const rest = {
    inputTokens: Math.max(0, usage.inputTokens - listed("inputTokens")),
    outputTokens: Math.max(0, usage.outputTokens - listed("outputTokens")),
    cacheReadInputTokens: Math.max(0, usage.cacheReadInputTokens - listed("cacheReadInputTokens")),
    cacheCreation5mInputTokens: Math.max(
      0,
      usage.cacheCreation5mInputTokens - listed("cacheCreation5mInputTokens"),
    ),
    cacheCreation1hInputTokens: Math.max(
      0,
      usage.cacheCreation1hInputTokens - listed("cacheCreation1hInputTokens"),
    ),
  };
  return promptTokens(rest) + rest.outputTokens === 0 ? null : rest;
};
