import type { EpochMs } from "@claude-relay/contract";
import type { PriceEntry, PriceTable, Rates } from "./price-table.ts";

/** A model's price at a moment; `isKnown` is false for the dearest of everything, charged for unknown models. */
type FoundPrice = Readonly<{ entry: PriceEntry; isKnown: boolean }>;

export type PriceLookup = Readonly<{
  find(model: string, at: EpochMs): FoundPrice;
  /** The entry's fast rates; a model not known to have any is charged the dearest, at least twice its own. */
  fastRates(entry: PriceEntry): Rates;
}>;

/** Model ids remembered; callers choose them, so their number must be bounded. */
const maxRemembered = 1000;

/** Builds the search for a model's price: once per id, then a map look-up. */
export const createPriceLookup = (table: PriceTable): PriceLookup => {
  const byModel = groupByModel(table.entries);
  const remembered = new Map<string, readonly PriceEntry[]>();
  const dearest: FoundPrice = { entry: dearestEntry(table.entries), isKnown: false };

  const entriesOf = (model: string): readonly PriceEntry[] | undefined => {
    const known = remembered.get(model);
    if (known !== undefined) {
      return known;
    }
    const entries = spellingsOf(model)
      .map((spelling) => byModel.get(spelling))
      .find((found) => found !== undefined);
    if (entries !== undefined) {
      if (remembered.size >= maxRemembered) {
        remembered.clear();
      }
      remembered.set(model, entries);
    }
    return entries;
  };

  return {
    find(model, at) {
      const entries = entriesOf(model);
      if (entries === undefined) {
        return dearest;
      }
      // Before its first known price a model is taken to have cost the same.
      const entry = entries.find(({ from }) => from <= at) ?? (entries.at(-1) as PriceEntry);
      return { entry, isKnown: true };
    },
    fastRates: (entry) =>
      entry.fast ??
      maxRates([maxRates([entry.rates, entry.rates], 2), dearest.entry.fast ?? entry.rates]),
  };
};

/** Newest first. */
const groupByModel = (entries: readonly PriceEntry[]): Map<string, readonly PriceEntry[]> => {
  const byModel = Map.groupBy(entries, ({ model }) => model);
  for (const group of byModel.values()) {
    group.sort((a, b) => b.from - a.from);
  }
  return byModel;
};

/**
 * The id itself, then without what does not change the price: a context suffix (`[1m]`), a date
 * (`-20250929`, `@20250929`) or `-latest`. No prefix is ever matched: opus-5-5 is not an opus-5.
 */
const spellingsOf = (model: string): string[] => {
  const bare = model.replace(/\[[^[\]]*\]$/, "");
  return [model, bare, bare.replace(/(?:[-@]\d{8}|-latest)$/, "")];
};

/** The highest rate of every dimension, whoever has it. */
const dearestEntry = (entries: readonly PriceEntry[]): PriceEntry => ({
  model: "unknown",
  from: 0 as EpochMs,
  rates: maxRates(
    entries.flatMap(({ rates, longContext }) => [rates, longContext?.rates ?? rates]),
  ),
  longContext: null,
  fast: maxRates(entries.flatMap(({ rates, fast }) => [maxRates([rates], 2), fast ?? rates])),
});

const dimensions = ["input", "output", "cacheWrite5m", "cacheWrite1h", "cacheRead"] as const;

/** The highest rate of each dimension, times `factor`. */
const maxRates = (all: readonly Rates[], factor = 1): Rates =>
  Object.fromEntries(
    dimensions.map((dimension) => [
      dimension,
      factor * all.reduce((most, rates) => Math.max(most, rates[dimension]), 0),
    ]),
  ) as Rates;
