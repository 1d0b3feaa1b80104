import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MessageReader } from "./message-reader.ts";

const event = (data: object & { type: string }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const delta = (text: string): string =>
  event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } } as never);

const start = event({
  type: "message_start",
  message: {
    usage: {
      input_tokens: 25,
      cache_creation_input_tokens: 7,
      cache_read_input_tokens: 3,
      output_tokens: 1,
    },
  },
} as never);
const ending = (usage: object, stop_reason: string | null = "end_turn"): string =>
  event({ type: "message_delta", delta: { stop_reason }, usage } as never);
const stop = event({ type: "message_stop" });

const read = (chunks: readonly Buffer[]) => {
  const pieces: string[] = [];
  let pings = 0;
  const reader = new MessageReader({
    onText: (piece) => pieces.push(piece),
    onPing: () => {
      pings += 1;
    },
  });
  for (const chunk of chunks) {
    reader.push(chunk);
  }
  const { usage, stopReason, complete, error } = reader;
  return { pieces, pings, usage, stopReason, complete, error };
};

const readText = (text: string) => read([Buffer.from(text)]);

const whole = [
  start,
  event({ type: "ping" }),
  event({ type: "content_block_start", content_block: { type: "text", text: "" } } as never),
  delta("Grüße, "),
  delta("🦊"),
  event({ type: "content_block_stop", index: 0 } as never),
  ending({ output_tokens: 15 }),
  stop,
].join("");

describe("a Messages stream", () => {
  it("is read for its text, its count and its end", () => {
    assert.deepEqual(readText(whole), {
      pieces: ["Grüße, ", "🦊"],
      pings: 1,
      usage: {
        input_tokens: 25,
        output_tokens: 15,
        cache_read_input_tokens: 3,
        cache_creation_input_tokens: 7,
      },
      stopReason: "end_turn",
      complete: true,
      error: null,
    });
  });

  it("is read the same however it is cut, inside characters too", () => {
    const bytes = Buffer.from(whole);
    const expected = readText(whole);
    for (let at = 0; at <= bytes.length; at += 1) {
      assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), expected);
    }
    assert.deepEqual(read([...bytes].map((byte) => Buffer.from([byte]))), expected);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, n) => bytes.subarray(places[n], end));
        assert.deepEqual(read(chunks), expected);
      }),
    );
  });

  it("counts cumulatively: the last count of a field stands, and one left out or empty stays", () => {
    const counted = readText(
      start +
        ending({ output_tokens: 9, input_tokens: 30 }, null) +
        ending({ output_tokens: 12, cache_read_input_tokens: null }),
    );
    assert.deepEqual(counted.usage, {
      input_tokens: 30,
      output_tokens: 12,
      cache_read_input_tokens: 3,
      cache_creation_input_tokens: 7,
    });
    assert.equal(counted.stopReason, "end_turn");
  });

  it("without its last event is not complete", () => {
    const { complete, pieces } = readText(whole.slice(0, -stop.length));
    assert.equal(complete, false);
    assert.equal(pieces.join(""), "Grüße, 🦊");
  });

  it("tells of an error in it, word for word", () => {
    const error = { type: "overloaded_error", message: "Overloaded" };
    const broken = readText(start + delta("Hal") + event({ type: "error", error } as never));
    assert.deepEqual(broken.error, error);
    assert.equal(broken.complete, false);
    assert.deepEqual(readText(event({ type: "error" })).error, {
      type: "api_error",
      message: "Upstream failed mid-answer.",
    });
  });

  it("gives only text: thinking, tool input and signatures are not the answer", () => {
    const deltas = [
      { type: "thinking_delta", thinking: "hm" },
      { type: "signature_delta", signature: "x" },
      { type: "input_json_delta", partial_json: "{}" },
      { type: "text_delta", text: "yes" },
    ].map((one) => event({ type: "content_block_delta", index: 0, delta: one } as never));
    assert.deepEqual(readText(deltas.join("")).pieces, ["yes"]);
  });

  it("passes over what it does not know: other events, comments, broken and bare JSON", () => {
    const odd = `: hello\n\nevent: novelty\ndata: {"type":"novelty"}\n\ndata: {"type":\n\ndata: null\n\ndata: 5\n\ndata: [1]\n\n`;
    assert.deepEqual(readText(odd + whole), readText(whole));
  });
});
