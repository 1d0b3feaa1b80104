/**
 * The bytes the upstream answers with: what Anthropic's Messages API sends, with its headers,
 * built once. The upstream writes them and verify.ts compares what came through a server with them.
 */

export const MODEL = "claude-sonnet-5";

/** Anthropic's response headers, as a caller with an API key gets them (made-up values). */
const COMMON_HEADERS = [
  "date: Thu, 19 Nov 2026 10:00:00 GMT",
  "request-id: req_011CTbenchbenchbenchbenc",
  "anthropic-organization-id: 00000000-0000-4000-8000-000000000000",
  "anthropic-ratelimit-requests-limit: 4000",
  "anthropic-ratelimit-requests-remaining: 3999",
  "anthropic-ratelimit-requests-reset: 2026-11-19T10:00:01Z",
  "anthropic-ratelimit-input-tokens-limit: 2000000",
  "anthropic-ratelimit-input-tokens-remaining: 2000000",
  "anthropic-ratelimit-input-tokens-reset: 2026-11-19T10:00:01Z",
  "anthropic-ratelimit-output-tokens-limit: 400000",
  "anthropic-ratelimit-output-tokens-remaining: 400000",
  "anthropic-ratelimit-output-tokens-reset: 2026-11-19T10:00:01Z",
  "strict-transport-security: max-age=31536000; includeSubDomains; preload",
  "connection: keep-alive",
];

const usage = (outputTokens: number) => ({
  input_tokens: 25,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: outputTokens,
  service_tier: "standard",
});

/** A whole message, about 400 bytes with the default text. */
export function messageJson(text = "Hello! How can I help you today?"): string {
  return JSON.stringify({
    id: "msg_01BenchBenchBenchBenchBen",
    type: "message",
    role: "assistant",
    model: MODEL,
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: usage(12),
  });
}

const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const DELTA = event("content_block_delta", {
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text: "a few words" },
});

const OPENING = [
  event("message_start", {
    type: "message_start",
    message: {
      id: "msg_01BenchBenchBenchBenchBen",
      type: "message",
      role: "assistant",
      model: MODEL,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: usage(1),
    },
  }),
  event("content_block_start", {
    type: "content_block_start",
    index: 0,
    content_block: { type: "text", text: "" },
  }),
  event("ping", { type: "ping" }),
];

const CLOSING = [
  event("content_block_stop", { type: "content_block_stop", index: 0 }),
  event("message_delta", {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 12 },
  }),
  event("message_stop", { type: "message_stop" }),
];

/** The events of a streamed message with this many deltas, as text. */
export function streamText(deltas: number): string {
  return OPENING.join("") + DELTA.repeat(deltas) + CLOSING.join("");
}

/** Every event's own opening and closing, besides its deltas. */
export const FRAME_EVENTS = OPENING.length + CLOSING.length;

/** One HTTP chunk per event, as Anthropic's edge sends them. */
const chunked = (events: readonly string[]): string =>
  events.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`).join("");

const head = (lines: readonly string[]): string =>
  `HTTP/1.1 200 OK\r\n${[...lines, ...COMMON_HEADERS].join("\r\n")}\r\n\r\n`;

/** The wire bytes of a JSON answer with this body. */
export function jsonAnswer(body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(head(["content-type: application/json", `content-length: ${length}`]) + body);
}

/** The wire bytes of a stream in three parts: head and opening, one delta, and the end. */
export const STREAM_PARTS = {
  opening: Buffer.from(
    head([
      "content-type: text/event-stream; charset=utf-8",
      "cache-control: no-cache",
      "transfer-encoding: chunked",
    ]) + chunked(OPENING),
  ),
  delta: Buffer.from(chunked([DELTA])),
  closing: Buffer.from(`${chunked(CLOSING)}0\r\n\r\n`),
} as const;
