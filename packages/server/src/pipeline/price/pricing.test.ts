import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs, type ModelId } from "@claude-relay/contract";
import type { Tokens, Usage } from "../types.ts";
import { emptyUsage } from "../usage/usage.ts";
import { listPrices, type PriceTable } from "./price-table.ts";
import { createPriceBook } from "./pricing.ts";

const book = createPriceBook(listPrices);
const now = epochMs(Date.parse("2026-11-21T00:00:00Z"));
const cost = (model: string | null, usage: Partial<Usage>, at = now): number =>
  book.price({ model, usage: { ...emptyUsage, ...usage }, at }).costMicroUsd;
const flag = (model: string | null, usage: Partial<Usage> = {}): string | null =>
  book.price({ model, usage: { ...emptyUsage, ...usage }, at: now }).flag;

const million = 1_000_000;
const each = (model: string, more: Partial<Usage> = {}, tokens = million): number[] =>
  (
    [
      "inputTokens",
      "outputTokens",
      "cacheCreation5mInputTokens",
      "cacheCreation1hInputTokens",
      "cacheReadInputTokens",
    ] as const
  ).map((dimension) => cost(model, { ...more, [dimension]: tokens }));

const dollars = (...amounts: number[]): number[] =>
  amounts.map((amount) => Math.round(amount * million));

/** USD per million tokens: input, output, 5-minute write, 1-hour write, read. From Anthropic's price list. */
const known: Record<string, number[]> = {
  "claude-fable-5-2": dollars(8, 40, 10, 16, 0.2),
  "claude-fable-5-1": dollars(10, 50, 12.5, 20, 0.25),
  "claude-mythos-5-1": dollars(10, 50, 12.5, 20, 0.25),
  "claude-fable-5": dollars(10, 50, 12.5, 20, 1),
  "claude-mythos-5": dollars(10, 50, 12.5, 20, 1),
  "claude-opus-5-5": dollars(4, 20, 5, 8, 0.2),
  "claude-opus-5": dollars(5, 25, 6.25, 10, 0.5),
  "claude-opus-4-8": dollars(5, 25, 6.25, 10, 0.5),
  "claude-opus-4-7": dollars(5, 25, 6.25, 10, 0.5),
  "claude-opus-4-6": dollars(5, 25, 6.25, 10, 0.5),
  "claude-opus-4-5": dollars(5, 25, 6.25, 10, 0.5),
  "claude-sonnet-5-5": dollars(2, 10, 2.5, 4, 0.1),
  "claude-sonnet-5": dollars(2, 10, 2.5, 4, 0.2),
  "claude-sonnet-4-6": dollars(3, 15, 3.75, 6, 0.3),
  "claude-sonnet-4-5": dollars(3, 15, 3.75, 6, 0.3),
  "claude-haiku-4-5": dollars(1, 5, 1.25, 2, 0.1),
};

describe("list prices", () => {
  for (const [model, expected] of Object.entries(known)) {
    it(`of ${model}`, () => {
      assert.deepEqual(each(model), expected);
      assert.equal(flag(model), null);
    });
  }

  it("of claude-haiku-5-5 rise for the whole request once the prompt is over 100,000 tokens", () => {
    assert.deepEqual(
      each("claude-haiku-5-5", {}, 100_000),
      dollars(0.01, 0.05, 0.0125, 0.02, 0.001),
    );
    const prompt = { inputTokens: 50_000, cacheReadInputTokens: 50_000, outputTokens: million };
    assert.equal(cost("claude-haiku-5-5", prompt), 5_000 + 500 + 500_000);
    assert.equal(
      cost("claude-haiku-5-5", { ...prompt, cacheCreation5mInputTokens: 1 }),
      25_000 + 2_500 + 2_500_000 + 1,
    );
  });

  it("follow their dates: sonnet-5-5 reads cost half from 2026-10-07", () => {
    const reads = { cacheReadInputTokens: million };
    assert.equal(cost("claude-sonnet-5-5", reads, epochMs(Date.parse("2026-10-07") - 1)), 200_000);
    assert.equal(cost("claude-sonnet-5-5", reads, epochMs(Date.parse("2026-10-07"))), 100_000);
    assert.equal(cost("claude-fable-5-2", reads, epochMs(0)), 200_000);
  });

  it("count web searches beside tokens, without any factor", () => {
    assert.equal(cost("claude-opus-5-5", { webSearchRequests: 3, webFetchRequests: 9 }), 30_000);
    const usage = { inputTokens: million, webSearchRequests: 1, inferenceGeo: "us" };
    assert.equal(cost("claude-opus-5-5", usage), 4_410_000);
  });

  it("are doubled in fast mode, cache included", () => {
    const fast = { speed: "fast" };
    assert.deepEqual(each("claude-opus-5-5", fast), dollars(8, 40, 10, 16, 0.4));
    assert.deepEqual(each("claude-opus-5", fast), dollars(10, 50, 12.5, 20, 1));
    assert.deepEqual(each("claude-opus-5", { speed: "standard" }), known["claude-opus-5"]);
    assert.equal(flag("claude-opus-5", fast), null);
    assert.equal(flag("claude-sonnet-5", fast), "unknown_fast_rate");
    assert.deepEqual(each("claude-fable-5", fast), dollars(20, 100, 25, 40, 2));
  });

  it("are a tenth higher in one region and half in a batch", () => {
    assert.equal(cost("claude-opus-5-5", { inputTokens: million, inferenceGeo: "us" }), 4_400_000);
    for (const inferenceGeo of ["global", "not_available", null]) {
      assert.equal(cost("claude-opus-5-5", { inputTokens: million, inferenceGeo }), 4_000_000);
    }
    assert.equal(
      cost("claude-opus-5-5", { outputTokens: million, serviceTier: "batch" }),
      10_000_000,
    );
    const both = { outputTokens: million, serviceTier: "batch", inferenceGeo: "us" };
    assert.equal(cost("claude-opus-5-5", both), 11_000_000);
    assert.equal(flag("claude-opus-5-5", { serviceTier: "priority" }), "priority_tier");
  });

  it("round up, once per request", () => {
    assert.equal(cost("claude-haiku-5-5", { cacheReadInputTokens: 1 }), 1);
    assert.equal(cost("claude-haiku-5-5", { cacheReadInputTokens: 100 }), 1);
    assert.equal(cost("claude-haiku-5-5", { cacheReadInputTokens: 101 }), 2);
    assert.equal(cost("claude-opus-5-5", { inputTokens: 1, cacheReadInputTokens: 1 }), 5);
    assert.equal(cost("claude-opus-5-5", {}), 0);
  });
});

describe("a model's id", () => {
  it("is found with a date, an alias, or a context suffix", () => {
    for (const spelling of [
      "claude-sonnet-4-5-20250929",
      "claude-sonnet-4-5@20250929",
      "claude-sonnet-4-5-latest",
      "claude-sonnet-4-5[1m]",
      "claude-sonnet-4-5-20250929[1m]",
    ]) {
      assert.equal(flag(spelling), null, spelling);
      assert.deepEqual(each(spelling), known["claude-sonnet-4-5"]);
    }
    assert.notDeepEqual(each("claude-opus-5-5"), each("claude-opus-5"));
  });

  it("is never found by a part of it", () => {
    for (const other of [
      "claude-opus-5-6",
      "claude-opus-5-55",
      "claude-opus",
      "xclaude-opus-5",
      "Claude-Opus-5",
      "claude-opus-5-2025092",
      "claude-mythos-5-2",
      "default",
      "",
      "__proto__",
    ]) {
      assert.equal(flag(other), "unknown_model", other);
    }
    assert.equal(flag(null), "unknown_model");
  });

  it("may have a price of its own for one date", () => {
    const entry = listPrices.entries[0]!;
    const table: PriceTable = {
      ...listPrices,
      entries: [...listPrices.entries, { ...entry, model: "claude-opus-5-20260101" }],
    };
    const found = (model: string): number =>
      createPriceBook(table).price({
        model,
        usage: { ...emptyUsage, inputTokens: million },
        at: now,
      }).costMicroUsd;
    assert.equal(found("claude-opus-5-20260101"), 8_000_000);
    assert.equal(found("claude-opus-5-20260102"), 5_000_000);
  });

  it("costs the highest rate of every dimension when unknown", () => {
    assert.deepEqual(each("who-knows"), dollars(10, 50, 12.5, 20, 1));
    assert.deepEqual(each("who-knows", { speed: "fast" }), dollars(20, 100, 25, 40, 2));
  });

  it("is remembered without limit on how many are asked for", () => {
    for (let n = 0; n < 3000; n++) {
      cost(`claude-opus-5-${String(n).padStart(8, "0")}`, { inputTokens: 1 });
    }
    assert.equal(cost("claude-opus-5-00000001", { inputTokens: million }), 5_000_000);
  });
});

describe("iterations", () => {
  const tokens = (inputTokens: number, outputTokens: number): Tokens => ({
    ...emptyUsage,
    inputTokens,
    outputTokens,
  });
  const iteration = (model: string | null, input: number, output: number) => ({
    ...tokens(input, output),
    model: model as ModelId | null,
  });

  it("are each priced by their own model, nameless ones by the answer's", () => {
    const usage = {
      ...tokens(300, 30),
      iterations: [iteration("claude-haiku-4-5", 100, 10), iteration(null, 200, 20)],
    };
    assert.equal(cost("claude-opus-5-5", usage), 100 + 50 + 800 + 400);
  });

  it("may bill more than the totals, and what the totals have beyond them is billed, too", () => {
    const iterations = [
      iteration("claude-opus-5-5", 100, 10),
      iteration("claude-fable-5-2", 1000, 100),
    ];
    assert.equal(cost("claude-opus-5-5", { ...tokens(100, 10), iterations }), 600 + 12_000);
    assert.equal(cost("claude-opus-5-5", { ...tokens(1100, 150), iterations }), 600 + 12_000 + 800);
  });

  it("take the long-context rates each by its own prompt", () => {
    const iterations = [iteration(null, 80_000, 0), iteration(null, 80_000, 0)];
    assert.equal(cost("claude-haiku-5-5", { ...tokens(160_000, 0), iterations }), 16_000);
  });

  it("flag an unknown model among them", () => {
    assert.equal(flag("claude-opus-5", { iterations: [iteration("x", 1, 1)] }), "unknown_model");
  });
});
