import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { maxEventBytes } from "./sse-scan.ts";
import { count, event, ordinary, ping, read, start, stop, text } from "./test-stream.ts";
import { createSseMeter } from "./usage-sse.ts";

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
        if (cut % 7 === 0) {
          assert.deepEqual(read(bytes.subarray(0, cut), single), whole);
        }
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
    if (data === "") {
      continue;
    }
    const parsed = JSON.parse(data);
    const usage = parsed.message?.usage ?? (parsed.type === "message_delta" ? parsed.usage : {});
    for (const [key, value] of Object.entries(usage)) {
      tokens[key] = value as number;
    }
    if (parsed.type === "message_delta") {
      output = parsed.usage.output_tokens;
    }
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
        for (const part of parts) {
          meter.push(Buffer.from(part));
        }
        const { usage, estimatedOutputTokens } = meter.report();
        for (const value of [...Object.values(usage), estimatedOutputTokens]) {
          if (typeof value === "number") {
            assert.ok(Number.isSafeInteger(value) && value >= 0);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("has its boundaries after blank lines only, whatever ends a line", () => {
    const boundaries = (stream: string): string => {
      const meter = createSseMeter();
      return [...stream]
        .map((byte) => {
          meter.push(Buffer.from(byte));
          return meter.atEventBoundary ? "|" : ".";
        })
        .join("");
    };
    assert.equal(boundaries("id: 1\ndata: 2\n\n"), "..............|");
    assert.equal(boundaries("id: 1\rdata: 2\r\r"), "..............|");
    assert.equal(boundaries("id: 1\r\ndata: 2\r\n\r\n"), "................||");
    assert.equal(boundaries(": x\n\n"), "...||");
    const meter = createSseMeter();
    meter.push(Buffer.from("id: 1\n"));
    meter.push(Buffer.from(text("abc")));
    assert.ok(meter.atEventBoundary);
  });

  it("keeps a bounded part of an event of endless lines", () => {
    const meter = createSseMeter();
    meter.push(Buffer.from("event: message_delta\n"));
    const line = Buffer.from(`data: ${"x".repeat(65_536)}\n`);
    const before = process.memoryUsage().heapUsed;
    for (let sent = 0; sent < 256 * maxEventBytes; sent += line.length) {
      meter.push(line);
    }
    assert.ok(process.memoryUsage().heapUsed - before < 64 * maxEventBytes);
    meter.push(Buffer.from(`\n${ordinary}`));
    assert.equal(meter.report().usage.outputTokens, 15);
    assert.ok(!meter.report().complete);
  });

  it("keeps a bounded part of an endless event", () => {
    const meter = createSseMeter();
    meter.push(Buffer.from("event: message_delta\ndata: "));
    const chunk = Buffer.alloc(65_536, "x");
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 64 * maxEventBytes; sent += chunk.length) {
      meter.push(chunk);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 * maxEventBytes);
    assert.ok(!meter.atEventBoundary);
    meter.push(Buffer.from(`\n\n${ordinary}`));
    assert.ok(meter.atEventBoundary);
    assert.equal(meter.report().usage.outputTokens, 15);
    assert.ok(!meter.report().complete);
  });
});
