/** What upstream itself has counted, in micro-dollars and in tokens: the other side of every budget. */
import { epochMs, type ModelId } from "@claude-relay/contract";
import { listPrices } from "../../packages/server/src/pipeline/price/price-table.ts";
import { createPriceBook } from "../../packages/server/src/pipeline/price/pricing.ts";
import { emptyUsage } from "../../packages/server/src/pipeline/usage/usage.ts";
import type { Simulator } from "../../packages/server/src/upstreams/simulator/server.ts";

const book = createPriceBook(listPrices);
const now = epochMs(Date.parse("2026-11-21T12:00:00Z"));

export type Billed = Readonly<{ microUsd: number; tokens: number; requests: number }>;

/** The sum of all bills. For scenarios without iterations and web searches. */
export const billedBy = ({ bills }: Pick<Simulator, "bills">): Billed => {
  let microUsd = 0;
  let tokens = 0;
  for (const { model, usage } of bills.values()) {
    const { ephemeral_5m_input_tokens: written5m, ephemeral_1h_input_tokens: written1h } =
      usage.cache_creation;
    const counted = {
      ...emptyUsage,
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      cacheReadInputTokens: usage.cache_read_input_tokens,
      cacheCreation5mInputTokens: written5m,
      cacheCreation1hInputTokens: written1h,
      inferenceGeo: usage.inference_geo,
    };
    microUsd += book.price({ model: model as ModelId, usage: counted, at: now }).costMicroUsd;
    tokens +=
      usage.input_tokens +
      usage.output_tokens +
      usage.cache_read_input_tokens +
      written5m +
      written1h;
  }
  return { microUsd, tokens, requests: bills.size };
};
