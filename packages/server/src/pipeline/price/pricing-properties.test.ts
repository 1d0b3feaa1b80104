import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import fc from "fast-check";
import type { Usage } from "../types.ts";
import { emptyUsage } from "../usage/usage.ts";
import { listPrices } from "./price-table.ts";
import { createPriceBook } from "./pricing.ts";

const book = createPriceBook(listPrices);
const now = epochMs(Date.parse("2026-11-21T00:00:00Z"));
const cost = (model: string, usage: Partial<Usage>): number =>
  book.price({ model, usage: { ...emptyUsage, ...usage }, at: now }).costMicroUsd;

const count = fc.oneof(fc.nat(2000), fc.nat(2_000_000), fc.maxSafeNat());
const anyTokens = fc.record({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheCreation5mInputTokens: count,
  cacheCreation1hInputTokens: count,
});
const models = [
  ...["claude-fable-5-2", "claude-opus-5-5", "claude-opus-5", "claude-sonnet-5-5"],
  "claude-haiku-5-5",
  "who-knows",
];
const anyUsage: fc.Arbitrary<Usage> = fc
  .record({
    tokens: anyTokens,
    webSearchRequests: fc.nat(20),
    serviceTier: fc.constantFrom(null, "standard", "batch"),
    speed: fc.constantFrom(null, "standard", "fast"),
    inferenceGeo: fc.constantFrom(null, "us", "global"),
  })
  .map(({ tokens, ...more }) => ({ ...emptyUsage, ...tokens, ...more }));

describe("any price", () => {
  it("is whole, not negative, and 0 only for nothing", () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), anyUsage, (model, usage) => {
        const amount = cost(model, usage);
        const isNothing = Object.values(usage).every(
          (value) => typeof value !== "number" || value === 0,
        );
        assert.ok(Number.isSafeInteger(amount) && amount >= 0);
        assert.equal(amount === 0, isNothing);
      }),
      { numRuns: 2000 },
    );
  });

  it("never falls when more is used", () => {
    const dimension = fc.constantFrom(
      ...(["inputTokens", "outputTokens", "cacheReadInputTokens", "webSearchRequests"] as const),
      ...(["cacheCreation5mInputTokens", "cacheCreation1hInputTokens"] as const),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        anyUsage,
        dimension,
        fc.nat(500_000),
        (model, usage, key, more) => {
          const least = Math.min(usage[key], Number.MAX_SAFE_INTEGER - more);
          assert.ok(
            cost(model, { ...usage, [key]: least + more }) >=
              cost(model, { ...usage, [key]: least }),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is exact to the micro-dollar, against arithmetic in BigInt", () => {
    fc.assert(
      fc.property(anyTokens, fc.constantFrom(null, "us"), (tokens, inferenceGeo) => {
        const sum =
          BigInt(tokens.inputTokens) * 4_000_000n +
          BigInt(tokens.outputTokens) * 20_000_000n +
          BigInt(tokens.cacheReadInputTokens) * 200_000n +
          BigInt(tokens.cacheCreation5mInputTokens) * 5_000_000n +
          BigInt(tokens.cacheCreation1hInputTokens) * 8_000_000n;
        const [over, under] = inferenceGeo === null ? [1n, 1_000_000n] : [11n, 10_000_000n];
        const exact = (sum * over + under - 1n) / under;
        const capped = exact > 4_000_000_000_000_000n ? 4_000_000_000_000_000n : exact;
        assert.equal(BigInt(cost("claude-opus-5-5", { ...tokens, inferenceGeo })), capped);
      }),
      { numRuns: 2000 },
    );
  });
});
