import { type EpochMs, epochMs } from "@claude-relay/contract";

/** Whole micro-dollars per million tokens: 5 USD per million is 5_000_000. */
export type Rates = Readonly<{
  input: number;
  output: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  cacheRead: number;
}>;

/** What a model costs from a moment on, until a later entry of the same model. */
export type PriceEntry = Readonly<{
  /** The id without a date, e.g. `claude-opus-5-5`; a dated id has an entry of its own only if it differs. */
  model: string;
  from: EpochMs;
  rates: Rates;
  /** Rates of the whole request once its prompt (input and cache together) is longer than this. */
  longContext: Readonly<{ abovePromptTokens: number; rates: Rates }> | null;
  /** Rates at `speed: "fast"`; null when the model is not known to have it. */
  fast: Rates | null;
}>;

export type PriceTable = Readonly<{
  entries: readonly PriceEntry[];
  /** Micro-dollars per web search. */
  webSearch: number;
  /** Percent of the token price when inference is kept in one region (`inference_geo`). */
  regionalPercent: number;
  /** Percent of the token price in a batch. */
  batchPercent: number;
  /** No model takes a longer prompt. */
  contextTokens: number;
}>;

/** US dollars per million tokens, as Anthropic's price list has them. */
const usd = (
  input: number,
  output: number,
  cacheWrite5m: number,
  cacheWrite1h: number,
  cacheRead: number,
): Rates => ({
  input: microUsdOf(input),
  output: microUsdOf(output),
  cacheWrite5m: microUsdOf(cacheWrite5m),
  cacheWrite1h: microUsdOf(cacheWrite1h),
  cacheRead: microUsdOf(cacheRead),
});

const microUsdOf = (dollars: number): number => Math.round(dollars * 1_000_000);

const entry = (
  model: string,
  rates: Rates,
  more: Partial<Pick<PriceEntry, "from" | "longContext" | "fast">> = {},
): PriceEntry => ({ model, rates, from: epochMs(0), longContext: null, fast: null, ...more });

const since = (date: string): { from: EpochMs } => ({ from: epochMs(Date.parse(date)) });

const fable5 = usd(10, 50, 12.5, 20, 1);
const fable51 = usd(10, 50, 12.5, 20, 0.25);
const opus5 = usd(5, 25, 6.25, 10, 0.5);
const sonnet4 = usd(3, 15, 3.75, 6, 0.3);

/**
 * Anthropic's list prices as of 2026-11-20. The cache-read rate is no fixed share of the input rate, so each
 * is written out. Fast mode doubles every rate. `claude-mythos-5-2`, `claude-mythos-preview` and models older
 * than 4.5 have no price here: they are charged at the highest rates and flagged.
 * https://platform.claude.com/docs/en/about-claude/pricing
 */
export const listPrices: PriceTable = {
  entries: [
    entry("claude-fable-5-2", usd(8, 40, 10, 16, 0.2), since("2026-11-09")),
    entry("claude-fable-5-1", fable51),
    entry("claude-mythos-5-1", fable51),
    entry("claude-fable-5", fable5),
    entry("claude-mythos-5", fable5),
    entry("claude-opus-5-5", usd(4, 20, 5, 8, 0.2), { fast: usd(8, 40, 10, 16, 0.4) }),
    entry("claude-opus-5", opus5, { fast: usd(10, 50, 12.5, 20, 1) }),
    entry("claude-opus-4-8", opus5),
    entry("claude-opus-4-7", opus5),
    entry("claude-opus-4-6", opus5),
    entry("claude-opus-4-5", opus5),
    entry("claude-sonnet-5-5", usd(2, 10, 2.5, 4, 0.2)),
    entry("claude-sonnet-5-5", usd(2, 10, 2.5, 4, 0.1), since("2026-10-07")),
    entry("claude-sonnet-5", usd(2, 10, 2.5, 4, 0.2)),
    entry("claude-sonnet-4-6", sonnet4),
    entry("claude-sonnet-4-5", sonnet4),
    entry("claude-haiku-5-5", usd(0.1, 0.5, 0.125, 0.2, 0.01), {
      longContext: { abovePromptTokens: 100_000, rates: usd(0.5, 2.5, 0.625, 1, 0.05) },
    }),
    entry("claude-haiku-4-5", usd(1, 5, 1.25, 2, 0.1)),
  ],
  webSearch: 10_000,
  regionalPercent: 110,
  batchPercent: 50,
  contextTokens: 1_000_000,
};
