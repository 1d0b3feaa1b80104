import { type EpochMs, epochMs } from "@claude-relay/contract";
import { type Static, Type } from "typebox";
import { Settings } from "typebox/system";
import { Value } from "typebox/value";
import { listPrices, type PriceEntry, type PriceTable, type Rates } from "./price-table.ts";

const strict = { additionalProperties: false };

/** At most 1,000 USD per million tokens keeps every price exactly computable. */
const Rate = Type.Integer({ minimum: 1, maximum: 1_000_000_000 });

const RatesFile = Type.Object(
  { input: Rate, output: Rate, cache_write_5m: Rate, cache_write_1h: Rate, cache_read: Rate },
  strict,
);

const PriceTableFile = Type.Object(
  {
    models: Type.Array(
      Type.Object(
        {
          model: Type.String({ pattern: "^[\\x21-\\x7e]{1,256}$" }),
          from: Type.Optional(Type.String()),
          rates: RatesFile,
          long_context: Type.Optional(
            Type.Object(
              { above_prompt_tokens: Type.Integer({ minimum: 1 }), rates: RatesFile },
              strict,
            ),
          ),
          fast: Type.Optional(RatesFile),
        },
        strict,
      ),
    ),
    web_search: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
    regional_percent: Type.Optional(Type.Integer({ minimum: 100, maximum: 1000 })),
    batch_percent: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    context_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
  },
  strict,
);

type PriceTableFile = Static<typeof PriceTableFile>;

/** A price file that cannot be used, with everything that is wrong in it. */
export class PriceTableFault extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the price table is not valid: ${faults.join("; ")}`);
    this.name = "PriceTableFault";
    this.faults = faults;
  }
}

/**
 * Reads an operator's price file. Rates are whole micro-dollars per million tokens, `from` an ISO 8601 date
 * (UTC) or date and time. A model in the file takes the place of all its entries in `base`; the rest stays.
 * @throws PriceTableFault listing every fault
 */
export const parsePriceTable = (json: unknown, base: PriceTable = listPrices): PriceTable => {
  const faults = shapeFaults(json);
  if (faults.length > 0) {
    throw new PriceTableFault(faults);
  }
  const file = json as PriceTableFile;
  const otherFaults = [...dateFaults(file), ...repeatFaults(file)];
  if (otherFaults.length > 0) {
    throw new PriceTableFault(otherFaults);
  }
  const replaced = new Set(file.models.map(({ model }) => model));
  return {
    entries: [
      ...base.entries.filter(({ model }) => !replaced.has(model)),
      ...file.models.map(entryOf),
    ],
    webSearch: file.web_search ?? base.webSearch,
    regionalPercent: file.regional_percent ?? base.regionalPercent,
    batchPercent: file.batch_percent ?? base.batchPercent,
    contextTokens: file.context_tokens ?? base.contextTokens,
  };
};

const shapeFaults = (json: unknown): string[] =>
  everyError(json)
    .filter(({ keyword }) => keyword !== "additionalProperties")
    .map(({ instancePath, keyword, message }) => {
      const at = instancePath === "" ? "the file" : instancePath;
      return keyword === "boolean" ? `${at}: unknown field` : `${at}: ${message}`;
    });

/** TypeBox stops at 8 errors unless told otherwise, and can be told only globally. */
const everyError = (json: unknown) => {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: 1000 });
  try {
    return Value.Errors(PriceTableFile, json);
  } finally {
    Settings.Set({ maxErrors });
  }
};

const dateFaults = (file: PriceTableFile): string[] =>
  file.models.flatMap(({ from }, index) =>
    from === undefined || timeOf(from) !== null
      ? []
      : [
          `/models/${index}/from: must be an ISO 8601 date, e.g. 2026-10-07 or 2026-10-07T00:00:00Z`,
        ],
  );

const repeatFaults = (file: PriceTableFile): string[] => {
  const seen = new Set<string>();
  return file.models.flatMap(({ model, from }, index) => {
    const key = `${model} ${from === undefined ? 0 : timeOf(from)}`;
    if (seen.has(key)) {
      return [`/models/${index}: ${model} has two prices from the same moment`];
    }
    seen.add(key);
    return [];
  });
};

/** `Date.parse` alone takes 30 February for 2 March. */
const timeOf = (iso: string): EpochMs | null => {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)?$/.test(iso)) {
    return null;
  }
  const time = Date.parse(iso);
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(iso.slice(0, 10))) {
    return null;
  }
  return epochMs(time);
};

const entryOf = (file: PriceTableFile["models"][number]): PriceEntry => ({
  model: file.model,
  from: file.from === undefined ? epochMs(0) : (timeOf(file.from) ?? epochMs(0)),
  rates: ratesOf(file.rates),
  longContext:
    file.long_context === undefined
      ? null
      : {
          abovePromptTokens: file.long_context.above_prompt_tokens,
          rates: ratesOf(file.long_context.rates),
        },
  fast: file.fast === undefined ? null : ratesOf(file.fast),
});

const ratesOf = (file: Static<typeof RatesFile>): Rates => ({
  input: file.input,
  output: file.output,
  cacheWrite5m: file.cache_write_5m,
  cacheWrite1h: file.cache_write_1h,
  cacheRead: file.cache_read,
});
