import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { maxEventBytes } from "./sse-scan.ts";
import type { UsageReport } from "./usage.ts";
import { createSseMeter } from "./usage-sse.ts";

const event = (data: Record<string, unknown>): string =>
  `event: ${data["type"]}\ndata: ${JSON.stringify(data)}\n\n`;

const start = (usage: object, model = "claude-opus-5-5"): string =>
  event({ type: "message_start", message: { type: "message", model, content: [], usage } });
const text = (delta: string, index = 0): string =>
  event({ type: "content_block_delta", index, delta: { type: "text_delta", text: delta } });
const count = (usage: object, stopReason: string | null = "end_turn"): string =>
  event({ type: "message_delta", delta: { stop_reason: stopReason, stop_sequence: null }, usage });
const stop = event({ type: "message_stop" });
const ping = event({ type: "ping" });

const read = (stream: string | Buffer, cuts: readonly number[] = []): UsageReport => {
  const bytes = Buffer.from(stream as string);
  const meter = createSseMeter();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    meter.push(bytes.subarray(from, cut));
    from = cut;
  }
  return meter.report();
};

const ordinary =
  start({
    input_tokens: 25,
    cache_read_input_tokens: 7,
    output_tokens: 1,
    service_tier: "standard",
  }) +
  event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
  ping +
  text("Hello, wörld 😀") +
  text('event: message_delta\ndata: {"usage":{"output_tokens":9999}}\n\n') +
  event({ type: "content_block_stop", index: 0 }) +
  count({ output_tokens: 15 }) +
  stop;

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

const spellings: Record<string, (stream: string) => string> = {
  "CRLF line ends": (stream) => stream.replaceAll("\n", "\r\n"),
  "CR line ends": (stream) => stream.replaceAll("\n", "\r"),
  "no space after the colon": (stream) => stream.replace(/^(event|data): /gm, "$1:"),
  "comments and unknown fields": (stream) =>
    stream.replace(/^data/gm, ": a comment\nid: 7\nretry: 10\ndata"),
  "no event names": (stream) => stream.replace(/^event: .*\n/gm, ""),
  "data before the name": (stream) => stream.replace(/^(event: .*)\n(data: .*)\n/gm, "$2\n$1\n"),
  "data on several lines": (stream) => stream.replace(/^data: \{"type"/gm, 'data: {\ndata: "type"'),
  "a byte order mark": (stream) => `\ufeff${stream}`,
  "unknown events": (stream) => stream.replaceAll(ping, 'event: new_thing\ndata: {"usage":1}\n\n'),
  "blank lines": (stream) => stream.replaceAll("\n\n", "\n\n\n\n"),
};

describe("a stream reads the same", () => {
  const expected = read(ordinary);
  for (const [name, respell] of Object.entries(spellings)) {
    it(`with ${name}`, () => assert.deepEqual(read(respell(ordinary)), expected));
  }

  it("cut at every byte, whole or broken off there", () => {
    for (const stream of [ordinary, spellings["CRLF line ends"]!(ordinary)]) {
      const bytes = Buffer.from(stream);
      for (let cut = 0; cut <= bytes.length; cut++) {
        assert.deepEqual(read(bytes, [cut]), expected, `cut at ${cut}`);
        const whole = read(bytes.subarray(0, cut));
        const single = Array.from({ length: cut }, (_, at) => at);
        if (cut % 7 === 0) assert.deepEqual(read(bytes.subarray(0, cut), single), whole);
      }
    }
  });
});

/** A reference that splits the whole text and parses every event. */
const naive = (stream: string) => {
  const tokens: Record<string, number> = {};
  let output = 0;
  let isStopped = false;
  for (const block of stream.split("\n\n").slice(0, -1)) {
    const data = block
      .split("\n")
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).replace(/^ /, ""))
      .join("\n");
    if (data === "") continue;
    const parsed = JSON.parse(data);
    const usage = parsed.message?.usage ?? (parsed.type === "message_delta" ? parsed.usage : {});
    for (const [key, value] of Object.entries(usage)) tokens[key] = value as number;
    if (parsed.type === "message_delta") output = parsed.usage.output_tokens;
    isStopped = isStopped || parsed.type === "message_stop";
  }
  return { ...tokens, output_tokens: output, isStopped };
};

const anyText = fc.string({ unit: "binary", maxLength: 40 });
const tokenCount = fc.nat(1_000_000);
const counts = fc.record(
  {
    input_tokens: tokenCount,
    cache_read_input_tokens: tokenCount,
    cache_creation_input_tokens: tokenCount,
  },
  { requiredKeys: [] },
);
const middle = fc.oneof(
  { weight: 5, arbitrary: anyText.map((delta) => text(delta)) },
  anyText.map((json) =>
    event({
      type: "content_block_delta",
      index: 3,
      delta: { type: "input_json_delta", partial_json: json },
    }),
  ),
  fc.constant(ping),
  fc.constant(": comment\n\n"),
  anyText.map((value) => event({ type: "brand_new", usage: { output_tokens: 1 }, value })),
  fc
    .record({ usage: counts, output: tokenCount })
    .map(({ usage, output }) => count({ ...usage, output_tokens: output }, null)),
);
const stream = fc
  .record({
    first: counts,
    all: fc.array(middle, { maxLength: 12 }),
    last: counts,
    output: tokenCount,
  })
  .map(
    ({ first, all, last, output }) =>
      start({ ...first, output_tokens: 1 }) +
      all.join("") +
      count({ ...last, output_tokens: output }) +
      stop,
  );

describe("any stream, cut anywhere,", () => {
  it("has the naive reader's usage and its event boundaries", () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 30 }), (whole, somewhere) => {
        const bytes = Buffer.from(whole);
        const cuts = somewhere.map((at) => at % bytes.length).toSorted((a, b) => a - b);
        const meter = createSseMeter();
        assert.ok(meter.atEventBoundary);
        let from = 0;
        for (const cut of [...cuts, bytes.length]) {
          meter.push(bytes.subarray(from, cut));
          from = cut;
          const seen = bytes.toString("latin1", 0, cut);
          const isBetween = cut === 0 || seen.endsWith("\n\n") || /\n\n: comment\n$/.test(seen);
          assert.equal(meter.atEventBoundary, isBetween, JSON.stringify(seen.slice(-30)));
        }
        const report = meter.report();
        const reference = naive(whole) as Record<string, unknown>;
        assert.equal(report.usage.inputTokens, reference["input_tokens"] ?? 0);
        assert.equal(report.usage.cacheReadInputTokens, reference["cache_read_input_tokens"] ?? 0);
        assert.equal(
          report.usage.cacheCreation5mInputTokens,
          reference["cache_creation_input_tokens"] ?? 0,
        );
        assert.equal(report.usage.outputTokens, reference["output_tokens"]);
        assert.equal(report.complete, reference["isStopped"]);
      }),
      { numRuns: 1000 },
    );
  });

  it("gives counts that are whole and not negative, even when the bytes are noise", () => {
    const noise = fc.array(
      fc.oneof(
        middle,
        fc.string({ unit: "binary" }),
        fc.constantFrom("\r", "\n", "data:", "event: error\n"),
      ),
    );
    fc.assert(
      fc.property(noise, (parts) => {
        const meter = createSseMeter();
        for (const part of parts) meter.push(Buffer.from(part));
        const { usage, estimatedOutputTokens } = meter.report();
        for (const value of [...Object.values(usage), estimatedOutputTokens]) {
          if (typeof value === "number") assert.ok(Number.isSafeInteger(value) && value >= 0);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps a bounded part of an endless event", () => {
    const meter = createSseMeter();
    meter.push(Buffer.from("event: message_delta\ndata: "));
    const chunk = Buffer.alloc(65_536, "x");
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 64 * maxEventBytes; sent += chunk.length) meter.push(chunk);
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 * maxEventBytes);
    assert.ok(!meter.atEventBoundary);
    meter.push(Buffer.from(`\n\n${ordinary}`));
    assert.ok(meter.atEventBoundary);
    assert.equal(meter.report().usage.outputTokens, 15);
    assert.ok(!meter.report().complete);
  });
});
