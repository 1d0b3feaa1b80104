import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { emptyUsage, estimateInputTokens, type UsageReport } from "./usage.ts";
import { createJsonMeter } from "./usage-json.ts";

const read = (body: string | object, cuts: readonly number[] = []): UsageReport => {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const meter = createJsonMeter();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    meter.push(bytes.subarray(from, cut));
    assert.equal(meter.atEventBoundary, false);
    from = cut;
  }
  return meter.report();
};

const message = {
  model: "claude-opus-5-5",
  id: "msg_1",
  type: "message",
  role: "assistant",
  content: [
    { type: "text", text: 'fake "usage":{"output_tokens":999} and {"type":"error"}' },
    {
      type: "tool_use",
      id: "t",
      name: "n",
      input: { usage: { output_tokens: 998 }, model: "x", type: "error" },
    },
  ],
  stop_reason: "end_turn",
  usage: {
    input_tokens: 12,
    cache_creation_input_tokens: 8,
    cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 5 },
    cache_read_input_tokens: 6,
    output_tokens: 34,
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
    service_tier: "standard",
  },
};

describe("metering an answer in one piece", () => {
  it("reads the top-level usage and model, whatever the content says", () => {
    const report = read(message);
    assert.deepEqual(report, {
      usage: {
        ...emptyUsage,
        inputTokens: 12,
        outputTokens: 34,
        cacheReadInputTokens: 6,
        cacheCreation5mInputTokens: 3,
        cacheCreation1hInputTokens: 5,
        webSearchRequests: 2,
        serviceTier: "standard",
      },
      responseModel: "claude-opus-5-5",
      complete: true,
      started: true,
      errorType: null,
      estimatedOutputTokens: 0,
    });
    assert.deepEqual(read(JSON.stringify(message, null, 2)), report);
    assert.deepEqual(read(`${JSON.stringify(message)}\n`), report);
  });

  it("reads the same however it is cut", () => {
    const length = JSON.stringify(message).length;
    const expected = read(message);
    for (let cut = 0; cut <= length; cut++) {
      assert.deepEqual(read(message, [cut]), expected);
    }
    fc.assert(
      fc.property(fc.array(fc.nat(length)), (cuts) => {
        assert.deepEqual(
          read(
            message,
            cuts.toSorted((a, b) => a - b),
          ),
          expected,
        );
      }),
    );
  });

  it("estimates an answer that broke off", () => {
    const whole = JSON.stringify(message);
    for (const length of [1, 100, whole.length - 1]) {
      const report = read(whole.slice(0, length));
      assert.ok(!report.complete && report.started);
      assert.equal(report.usage.outputTokens, Math.ceil((length * 2) / 7));
    }
    assert.ok(!read("").started);
  });

  it("names the error of an error body, which costs nothing", () => {
    const report = read({
      type: "error",
      error: { type: "overloaded_error", message: "m" },
      request_id: "r",
    });
    assert.equal(report.errorType, "overloaded_error");
    assert.deepEqual(report.usage, emptyUsage);
    assert.ok(!report.complete && !report.started);
  });

  it("takes a token count for no message", () => {
    const report = read({ input_tokens: 14 });
    assert.ok(!report.complete && !report.started);
    assert.deepEqual(report.usage, emptyUsage);
  });

  it("believes no broken count", () => {
    const report = read({ ...message, usage: { input_tokens: -1, output_tokens: "34" } });
    assert.ok(!report.complete);
    assert.equal(report.usage.inputTokens, 0);
    assert.ok(report.usage.outputTokens > 0);
  });
});

/** Objects written by hand, so that a key may come twice or be misspelt. */
const members = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom("type", "model", "usage", "error", "id") },
      fc.constantFrom(
        ...["content", "request_id", "stop_reason", "new", "__proto__"],
        ...["Type", "MODEL", "u\\u0073age", "u\u017fage"],
      ),
    ),
    fc.oneof(
      fc.constantFrom('"message"', '"error"', '"claude-opus-5-5"', '"mödel"', "null", "1.0", "[]"),
      fc.constantFrom(
        '{"output_tokens":3,"input_tokens":4}',
        '{"output_tokens":3,"output_tokens":9}',
        '{"type":"overloaded_error","message":"m"}',
        '{"output_tokens": 3}',
        '{"output_tokens":3}}',
      ),
      fc.json(),
    ),
  ),
  { maxLength: 6 },
);

describe("an answer that is parsed", () => {
  it("reads as one that is scanned", () => {
    fc.assert(
      fc.property(members, (all) => {
        const body = `{${all.map(([key, value]) => `"${key}":${value}`).join(",")}}`;
        // Long bodies are scanned.
        const [parsed, scanned] = [read(body), read(body + " ".repeat(8 * 1024))];
        const { usage, estimatedOutputTokens, ...rest } = scanned;
        assert.deepEqual({ ...parsed, ...rest }, parsed);
        if (estimatedOutputTokens === 0) {
          assert.deepEqual(parsed.usage, usage);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the estimate of input tokens", () => {
  it("is one token for four bytes, rounded up", () => {
    assert.deepEqual([0, 1, 4, 5, 4000].map(estimateInputTokens), [0, 1, 1, 2, 1000]);
  });
});
