import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxEventBytes } from "./sse-scan.ts";
import { count, event, ordinary, read, start, stop, text } from "./test-stream.ts";

describe("metering a stream", () => {
  it("takes input from message_start and the final output from message_delta", () => {
    const report = read(ordinary);
    assert.deepEqual(
      { ...report, usage: null },
      {
        usage: null,
        responseModel: "claude-opus-5-5",
        complete: true,
        started: true,
        errorType: null,
        estimatedOutputTokens: 0,
      },
    );
    assert.deepEqual(report.usage, {
      inputTokens: 25,
      outputTokens: 15,
      cacheReadInputTokens: 7,
      cacheCreation5mInputTokens: 0,
      cacheCreation1hInputTokens: 0,
      webSearchRequests: 0,
      webFetchRequests: 0,
      serviceTier: "standard",
      speed: null,
      inferenceGeo: null,
      iterations: [],
    });
  });

  it("lets a message_delta restate every count, and sums nothing", () => {
    const { usage } = read(
      start({
        input_tokens: 10,
        cache_creation_input_tokens: 300,
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
        output_tokens: 1,
      }) +
        count({ input_tokens: 40, output_tokens: 5 }, null) +
        count({
          input_tokens: 50,
          cache_read_input_tokens: 9,
          cache_creation_input_tokens: 300,
          output_tokens: 20,
          server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 },
          speed: "fast",
          inference_geo: "us",
        }) +
        stop,
    );
    assert.equal(usage.inputTokens, 50);
    assert.equal(usage.outputTokens, 20);
    assert.equal(usage.cacheReadInputTokens, 9);
    assert.equal(usage.cacheCreation5mInputTokens, 100);
    assert.equal(usage.cacheCreation1hInputTokens, 200);
    assert.equal(usage.webSearchRequests, 3);
    assert.equal(usage.webFetchRequests, 1);
    assert.equal(usage.speed, "fast");
    assert.equal(usage.inferenceGeo, "us");
  });

  it("takes cache writes of unknown lifetime for five minutes, beyond known ones for the same", () => {
    const writes = (usage: object): [number, number] => {
      const found = read(start(usage) + count({ output_tokens: 1 }) + stop).usage;
      return [found.cacheCreation5mInputTokens, found.cacheCreation1hInputTokens];
    };
    assert.deepEqual(writes({ cache_creation_input_tokens: 70 }), [70, 0]);
    assert.deepEqual(writes({ cache_creation_input_tokens: 70, cache_creation: null }), [70, 0]);
    const only1h = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 50 };
    assert.deepEqual(writes({ cache_creation_input_tokens: 70, cache_creation: only1h }), [0, 70]);
  });

  it("keeps the whole last list of iterations, each with its model", () => {
    const entry = (model: string | null, input: number) => ({
      type: "message",
      model,
      input_tokens: input,
      output_tokens: 2,
      cache_read_input_tokens: 3,
      cache_creation_input_tokens: 9,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 5 },
    });
    const { usage } = read(
      start({ input_tokens: 1, output_tokens: 1, iterations: null }) +
        count({ output_tokens: 2, iterations: [entry("old", 1)] }, null) +
        count({ output_tokens: 4, iterations: [entry("claude-opus-5-5", 10), entry(null, 20)] }) +
        stop,
    );
    const common = {
      outputTokens: 2,
      cacheReadInputTokens: 3,
      cacheCreation5mInputTokens: 4,
      cacheCreation1hInputTokens: 5,
    };
    assert.deepEqual(usage.iterations, [
      { ...common, inputTokens: 10, model: "claude-opus-5-5" },
      { ...common, inputTokens: 20, model: null },
    ]);
  });

  it("ignores counts that are no counts", () => {
    for (const bad of [-1, 1.5, "7", null, 2 ** 53, true, [], {}]) {
      const { usage } = read(
        start({ input_tokens: 25, output_tokens: 1 }) +
          count({ output_tokens: 15, input_tokens: bad, cache_read_input_tokens: bad }) +
          stop,
      );
      assert.equal(usage.inputTokens, 25);
      assert.equal(usage.cacheReadInputTokens, 0);
    }
    const { complete } = read(start({ input_tokens: 1 }) + count({ output_tokens: -5 }) + stop);
    assert.ok(!complete);
  });

  it("names the error that ends a stream", () => {
    const overloaded = event({
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
    });
    const report = read(start({ input_tokens: 25, output_tokens: 1 }) + text("abc") + overloaded);
    assert.equal(report.errorType, "overloaded_error");
    assert.ok(!report.complete);
    assert.ok(report.started);
    assert.equal(read('event: error\ndata: {"type":"error"}\n\n').errorType, "api_error");
  });
});

describe("a stream that breaks off", () => {
  it("is estimated by what was delivered, at least one token a delta", () => {
    const report = read(start({ input_tokens: 25, output_tokens: 1 }) + text("a").repeat(8));
    assert.ok(!report.complete);
    assert.equal(report.estimatedOutputTokens, 8);
    assert.equal(report.usage.outputTokens, 8);
    const long = read(start({ input_tokens: 25, output_tokens: 1 }) + text("x".repeat(700)));
    assert.equal(long.usage.outputTokens, 200);
  });

  it("adds to upstream's last count only what came after it", () => {
    const counted = start({ input_tokens: 25, output_tokens: 1 }) + text("x".repeat(700));
    assert.equal(read(counted + count({ output_tokens: 150 })).usage.outputTokens, 150);
    assert.equal(
      read(counted + count({ output_tokens: 150 }, null) + text("x".repeat(70))).usage.outputTokens,
      170,
    );
  });

  it("counts the hidden thinking that upstream announces, and no signatures or citations", () => {
    const begin = start({ input_tokens: 25, output_tokens: 0 });
    const delta = (fields: object): string =>
      event({ type: "content_block_delta", index: 12, delta: fields });
    const hidden = delta({ type: "thinking_delta", thinking: "", estimated_tokens: 50 });
    assert.equal(read(begin + hidden + hidden).estimatedOutputTokens, 102);
    const shown = delta({
      type: "thinking_delta",
      thinking: "x".repeat(70),
      estimated_tokens: null,
    });
    assert.equal(read(begin + shown).estimatedOutputTokens, 20);
    const signature = delta({ type: "signature_delta", signature: "E".repeat(5000) });
    const citation = delta({ type: "citations_delta", citation: { cited_text: "x".repeat(5000) } });
    assert.equal(read(begin + signature + citation).estimatedOutputTokens, 0);
    const input = delta({ type: "input_json_delta", partial_json: "x".repeat(70) });
    assert.ok(read(begin + input).estimatedOutputTokens <= 21);
  });

  it("is not complete with message_stop alone, nor without it", () => {
    assert.ok(!read(start({ input_tokens: 1, output_tokens: 1 }) + text("abc") + stop).complete);
    assert.ok(!read(start({ input_tokens: 1 }) + count({ output_tokens: 3 })).complete);
    assert.ok(!read(ordinary.slice(0, -1)).complete);
  });

  it("is not complete when a counted event was too long or broken", () => {
    const tooLong = count({ output_tokens: 3, padding: "x".repeat(maxEventBytes) });
    const begin = start({ input_tokens: 1, output_tokens: 1 });
    assert.ok(!read(begin + tooLong + count({ output_tokens: 3 }) + stop).complete);
    assert.ok(!read(`${begin}event: message_delta\ndata: {"usage"\n\n${ordinary}`).complete);
  });
});
