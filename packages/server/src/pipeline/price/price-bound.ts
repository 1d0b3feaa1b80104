import type { EpochMs, MicroUsd } from "@claude-relay/contract";
import type { BodyFacts, ReachableModel } from "../types.ts";
import type { PriceLookup } from "./price-lookup.ts";
import { addTokens, one, type PriceSum, percentOf, totalOf } from "./price-sum.ts";
import type { PriceTable, Rates } from "./price-table.ts";

/** Tokens upstream adds to a prompt by itself: tool instructions and the like have a few hundred. */
export const hiddenPromptTokens = 2_048;
/** Server-tool uses taken for "unbounded". An assumption: upstream documents no limit. */
export const assumedToolUses = 10;
/** What one server-tool use adds to the prompt of the passes after it. An assumption: pages have no fixed size. */
export const assumedToolResultTokens = 25_000;
/** The output of one advisor call that sets no `max_tokens`: the largest default. */
export const assumedAdvisorTokens = 128_000;

/**
 * Builds the bound on a request's cost, reserved before it is forwarded:
 * every byte of the body is at most one input token, at the dearest of the input, cache-write and cache-read
 * rates; every model of the fallback chain reads the whole prompt and writes its `max_tokens`; every server-tool
 * use makes one more pass over the prompt by the dearest model, one web search, and one call of each advisor.
 *
 * It holds for prompts that are in the body as text; a continued `thread` is taken for the longest prompt there is.
 * Not bounded by the body, and so covered only as far as the slack of about four bytes a token goes: small images
 * of many pixels, PDFs of many pages, files and pages named by id or URL, compaction.
 */
export const createPriceBound = (table: PriceTable, lookup: PriceLookup) => {
  const regional = percentOf(table.regionalPercent);

  return (asked: Readonly<{ facts: BodyFacts; bodyBytes: number; at: EpochMs }>): MicroUsd => {
    const { facts, bodyBytes, at } = asked;
    const uses = facts.serverToolUses ?? assumedToolUses;
    const prompt = promptBound(facts, bodyBytes, uses, table.contextTokens);
    const mayBeFast = asksForSpeed(facts);
    const sum: PriceSum = { exact: 0 };
    let dearestInput = 0;
    for (const model of facts.models) {
      // A response without iterations shows all its passes as one prompt, which may cross into long context.
      const rates = boundOf(lookup, model, at, (1 + uses) * prompt, mayBeFast);
      const input = Math.max(rates.input, rates.cacheWrite5m, rates.cacheWrite1h, rates.cacheRead);
      dearestInput = Math.max(dearestInput, input);
      const calls = isAnswering(model) ? 1 : uses;
      addTokens(sum, calls * prompt, input);
      addTokens(sum, calls * outputBound(model, facts), rates.output);
    }
    addTokens(sum, uses * prompt, dearestInput);
    // A workspace may keep inference regional by default, so only "global" rules the surcharge out.
    const factor = facts.inferenceGeo === "global" ? one : regional;
    return totalOf(sum, factor, uses * table.webSearch);
  };
};

/** The most tokens of any kind, by the same assumptions: every pass over the prompt, and all that is written. */
export const tokenBound = (
  { facts, bodyBytes }: Readonly<{ facts: BodyFacts; bodyBytes: number }>,
  contextTokens: number,
): number => {
  const uses = facts.serverToolUses ?? assumedToolUses;
  const prompt = promptBound(facts, bodyBytes, uses, contextTokens);
  let tokens = uses * prompt;
  for (const model of facts.models) {
    tokens += (isAnswering(model) ? 1 : uses) * (prompt + outputBound(model, facts));
  }
  return tokens;
};

/** Whether the model answers itself (`model`, `fallbacks`) rather than advise as a tool. */
const isAnswering = ({ field }: ReachableModel): boolean =>
  field === "model" || field.startsWith("fallbacks");

const outputBound = (model: ReachableModel, facts: BodyFacts): number => {
  if (!isAnswering(model)) {
    return model.maxTokens ?? assumedAdvisorTokens;
  }
  return model.field === "model"
    ? (facts.maxTokens ?? 0)
    : (model.maxTokens ?? facts.maxTokens ?? 0);
};

/** The longest prompt of any pass: the body, what tools found, and what was written before. */
const promptBound = (
  facts: BodyFacts,
  bodyBytes: number,
  uses: number,
  contextTokens: number,
): number => {
  if (facts.promptElsewhere === true) {
    return contextTokens;
  }
  let tokens = bodyBytes + hiddenPromptTokens + uses * assumedToolResultTokens;
  if (facts.models.length > 1 || uses > 0) {
    for (const model of facts.models) {
      tokens += outputBound(model, facts);
    }
  }
  return Math.min(tokens, contextTokens);
};

const asksForSpeed = (facts: BodyFacts): boolean =>
  isFast(facts.speed) || facts.models.some(({ speed }) => isFast(speed ?? null));

const isFast = (speed: string | null): boolean => speed !== null && speed !== "standard";

const boundOf = (
  lookup: PriceLookup,
  { model }: ReachableModel,
  at: EpochMs,
  prompt: number,
  mayBeFast: boolean,
): Rates => {
  const { entry } = lookup.find(model, at);
  const { longContext, rates } = entry;
  const isLong = longContext !== null && prompt > longContext.abovePromptTokens;
  const all = [
    rates,
    isLong ? longContext.rates : rates,
    mayBeFast ? lookup.fastRates(entry) : rates,
  ];
  const most = (dimension: keyof Rates): number => Math.max(...all.map((each) => each[dimension]));
  return {
    input: most("input"),
    output: most("output"),
    cacheWrite5m: most("cacheWrite5m"),
    cacheWrite1h: most("cacheWrite1h"),
    cacheRead: most("cacheRead"),
  };
};
