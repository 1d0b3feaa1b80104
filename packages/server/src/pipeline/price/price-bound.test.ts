import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs, type ModelId } from "@claude-relay/contract";
import fc from "fast-check";
import type { BodyFacts, ReachableModel, Tokens, Usage } from "../types.ts";
import { emptyUsage } from "../usage/usage.ts";
import {
  assumedAdvisorTokens,
  assumedToolResultTokens,
  assumedToolUses,
  hiddenPromptTokens,
} from "./price-bound.ts";
import { listPrices } from "./price-table.ts";
import { createPriceBook } from "./pricing.ts";

const book = createPriceBook(listPrices);
const now = epochMs(Date.parse("2026-11-21T00:00:00Z"));

const factsOf = (more: Partial<BodyFacts> = {}): BodyFacts => {
  const model = (more.model ?? "claude-opus-5-5") as ModelId;
  return {
    model,
    maxTokens: 1000,
    stream: true,
    models: [{ field: "model", model }],
    serverToolUses: 0,
    speed: null,
    serviceTier: null,
    inferenceGeo: "global",
    ...more,
  };
};
const bound = (more: Partial<BodyFacts>, bodyBytes = 10_000 - hiddenPromptTokens): number =>
  book.worstCase({ facts: factsOf(more), bodyBytes, at: now });

const fallback = (model: string, maxTokens: number | null = null): ReachableModel => ({
  field: "fallbacks[0].model",
  model: model as ModelId,
  maxTokens,
  speed: null,
});
const main: ReachableModel = { field: "model", model: "claude-opus-5-5" as ModelId };

describe("the worst case of a request", () => {
  it("is every byte written to the dearest cache, and max_tokens of output", () => {
    assert.equal(bound({}), 10_000 * 8 + 1000 * 20);
    assert.equal(bound({ maxTokens: null }), 80_000);
  });

  it("is regional unless the request rules that out, since a workspace may default to it", () => {
    assert.equal(bound({ inferenceGeo: null }), 110_000);
    assert.equal(bound({ inferenceGeo: "us" }), 110_000);
  });

  it("is fast when the request or a fallback asks for it", () => {
    assert.equal(bound({ speed: "fast" }), 200_000);
    assert.equal(bound({ speed: "standard" }), 100_000);
    const slow = bound({ models: [main, fallback("claude-opus-5-5")] });
    assert.equal(
      bound({ models: [main, { ...fallback("claude-opus-5-5"), speed: "fast" }] }),
      2 * slow,
    );
  });

  it("adds every fallback, with its own max_tokens", () => {
    const prompt = 10_000 + 1000 + 5000;
    assert.equal(
      bound({ models: [main, fallback("claude-opus-5-5", 5000)] }),
      2 * prompt * 8 + 6000 * 20,
    );
    assert.ok(
      bound({ models: [main, fallback("default")] }) >
        bound({ models: [main, fallback("claude-opus-5")] }),
    );
  });

  it("adds a pass and a search for every server-tool use", () => {
    const prompt = 10_000 + 2 * assumedToolResultTokens + 1000;
    assert.equal(bound({ serverToolUses: 2 }), 3 * prompt * 8 + 1000 * 20 + 2 * 10_000);
    assert.equal(bound({ serverToolUses: null }), bound({ serverToolUses: assumedToolUses }));
  });

  it("adds an advisor's calls", () => {
    const advisor: ReachableModel = { field: "tools[0].model", model: "claude-fable-5" as ModelId };
    const capped = bound({ serverToolUses: 1, models: [main, { ...advisor, maxTokens: 500 }] });
    const open = bound({ serverToolUses: 1, models: [main, advisor] });
    assert.ok(capped > bound({ serverToolUses: 1 }) + 500 * 50);
    assert.ok(open > capped + (assumedAdvisorTokens - 500) * 50);
  });

  it("takes long-context rates once the prompt may be long", () => {
    const model = "claude-haiku-5-5" as ModelId;
    const haiku: Partial<BodyFacts> = { model, maxTokens: 0, models: [{ field: "model", model }] };
    assert.equal(bound(haiku, 100_000 - hiddenPromptTokens), 20_000);
    assert.equal(bound(haiku, 100_001 - hiddenPromptTokens), 100_001);
    const oneUse = 60_000 - hiddenPromptTokens - assumedToolResultTokens;
    assert.equal(bound({ ...haiku, serverToolUses: 1 }, oneUse), 120_000 + 10_000);
  });

  it("reads no more than the longest prompt a model takes", () => {
    assert.equal(bound({ maxTokens: 0 }, 30_000_000), 8_000_000);
  });

  it("takes the longest prompt when upstream holds a part of it", () => {
    assert.equal(bound({ maxTokens: 0, promptElsewhere: true }, 100), 8_000_000);
  });

  it("stays a whole number for absurd requests", () => {
    const most = bound({ maxTokens: 1e9, serverToolUses: 1e12 }, 32 * 1024 * 1024);
    assert.ok(Number.isSafeInteger(most) && most > 1e12);
  });
});

describe("the most tokens of a request", () => {
  const most = (more: Partial<BodyFacts>, bodyBytes: number): number =>
    book.worstTokens({ facts: factsOf(more), bodyBytes });

  it("are every byte, what upstream adds, and max_tokens", () => {
    assert.equal(most({}, 500), 500 + hiddenPromptTokens + 1000);
    assert.equal(most({ maxTokens: null }, 500), 500 + hiddenPromptTokens);
  });

  it("are those of every model that may answer, each after what the others wrote", () => {
    const prompt = 500 + hiddenPromptTokens + 1000 + 5000;
    const models = [main, fallback("claude-opus-5", 5000)];
    assert.equal(most({ models }, 500), 2 * prompt + 6000);
  });

  it("are those of a pass for every server-tool use, over what it found", () => {
    const prompt = 500 + hiddenPromptTokens + 2 * assumedToolResultTokens + 1000;
    assert.equal(most({ serverToolUses: 2 }, 500), 3 * prompt + 1000);
    const unbounded = most({ serverToolUses: assumedToolUses }, 500);
    assert.equal(most({ serverToolUses: null }, 500), unbounded);
  });

  it("are the model's whole context where the body does not bound the prompt, and never more", () => {
    const context = listPrices.contextTokens;
    assert.equal(most({ promptElsewhere: true }, 500), context + 1000);
    assert.equal(most({}, 30_000_000), context + 1000);
  });
});

const model = fc.constantFrom(
  ...[
    "claude-opus-5-5",
    "claude-opus-5",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-fable-5-1",
    "unknown",
  ],
);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const shares = fc.tuple(share, share, share, share);

/** Splits at most `prompt` tokens over the four kinds of input. */
const tokensOf = (
  prompt: number,
  output: number,
  [a, b, c, d]: [number, number, number, number],
): Tokens => {
  const total = Math.max(1, a + b + c + d);
  const part = (portion: number): number => Math.floor((prompt * portion) / total);
  return {
    inputTokens: part(a),
    cacheReadInputTokens: part(b),
    cacheCreation5mInputTokens: part(c),
    cacheCreation1hInputTokens: part(d),
    outputTokens: output,
  };
};

/** As upstream reports several passes when it lists no iterations. */
const sumOf = (passes: readonly Tokens[]): Tokens => {
  const total = (key: keyof Tokens): number => passes.reduce((sum, pass) => sum + pass[key], 0);
  return {
    inputTokens: total("inputTokens"),
    outputTokens: total("outputTokens"),
    cacheReadInputTokens: total("cacheReadInputTokens"),
    cacheCreation5mInputTokens: total("cacheCreation5mInputTokens"),
    cacheCreation1hInputTokens: total("cacheCreation1hInputTokens"),
  };
};

const request = fc.record({
  model,
  fallbacks: fc.array(fc.record({ model, maxTokens: fc.option(fc.nat(100_000)) }), {
    maxLength: 2,
  }),
  advisor: fc.option(fc.record({ model, maxTokens: fc.nat(10_000) })),
  maxTokens: fc.nat(100_000),
  bodyBytes: fc.nat(400_000),
  uses: fc.nat(3),
  speed: fc.constantFrom(null, "fast"),
  inferenceGeo: fc.constantFrom(null, "us", "global"),
  splits: fc.array(shares, { minLength: 20, maxLength: 20 }),
  isFlat: fc.boolean(),
});

describe("no usage a request can lead to", () => {
  it("costs more than the worst case, in money or in tokens", () => {
    fc.assert(
      fc.property(request, (asked) => {
        const models: ReachableModel[] = [
          { field: "model", model: asked.model as ModelId },
          ...asked.fallbacks.map((each) => fallback(each.model, each.maxTokens)),
          ...(asked.advisor === null
            ? []
            : [
                {
                  field: "tools[0].model",
                  model: asked.advisor.model as ModelId,
                  maxTokens: asked.advisor.maxTokens,
                },
              ]),
        ];
        const facts = factsOf({
          model: asked.model as ModelId,
          models,
          maxTokens: asked.maxTokens,
          serverToolUses: asked.uses,
          speed: asked.speed,
          inferenceGeo: asked.inferenceGeo,
        });

        // As upstream would go on: each model of the chain answers in full, tools are used in between.
        const splits = [...asked.splits];
        const next = (): [number, number, number, number] => splits.pop() ?? [1, 0, 0, 1];
        let prompt = asked.bodyBytes;
        const iterations: Usage["iterations"][number][] = [];
        for (const each of models.filter(({ field }) => !field.startsWith("tools"))) {
          const output = each.maxTokens ?? asked.maxTokens;
          iterations.push({ ...tokensOf(prompt, output, next()), model: each.model });
          prompt += output;
        }
        const last = iterations.at(-1)!;
        for (let use = 0; use < asked.uses; use++) {
          if (asked.advisor !== null) {
            const { model: advisor, maxTokens } = asked.advisor;
            iterations.push({ ...tokensOf(prompt, maxTokens, next()), model: advisor as ModelId });
          }
          prompt += assumedToolResultTokens;
          iterations.push({ ...tokensOf(prompt, 0, next()), model: last.model });
        }
        const isOneModel = asked.fallbacks.length === 0 && asked.advisor === null;
        const usage: Usage = {
          ...emptyUsage,
          ...(asked.isFlat && isOneModel ? sumOf(iterations) : { iterations }),
          webSearchRequests: asked.uses,
          speed: asked.speed,
          inferenceGeo: asked.inferenceGeo === null ? "us" : asked.inferenceGeo,
        };
        const { costMicroUsd } = book.price({ model: last.model, usage, at: now });
        assert.ok(costMicroUsd <= book.worstCase({ facts, bodyBytes: asked.bodyBytes, at: now }));
        const all = Object.values(sumOf(iterations)).reduce((sum, tokens) => sum + tokens, 0);
        assert.ok(all <= book.worstTokens({ facts, bodyBytes: asked.bodyBytes }));
      }),
      { numRuns: 3000 },
    );
  });
});
