/** Events as upstream writes them, and a short answer made of them: for tests only. */
import type { UsageReport } from "./usage.ts";
import { createSseMeter } from "./usage-sse.ts";

export const event = (data: Record<string, unknown>): string =>
  `event: ${data["type"]}\ndata: ${JSON.stringify(data)}\n\n`;

export const start = (usage: object, model = "claude-opus-5-5"): string =>
  event({ type: "message_start", message: { type: "message", model, content: [], usage } });
export const text = (delta: string, index = 0): string =>
  event({ type: "content_block_delta", index, delta: { type: "text_delta", text: delta } });
export const count = (usage: object, stopReason: string | null = "end_turn"): string =>
  event({ type: "message_delta", delta: { stop_reason: stopReason, stop_sequence: null }, usage });
export const stop = event({ type: "message_stop" });
export const ping = event({ type: "ping" });

export const read = (stream: string | Buffer, cuts: readonly number[] = []): UsageReport => {
  const bytes = Buffer.from(stream as string);
  const meter = createSseMeter();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    meter.push(bytes.subarray(from, cut));
    from = cut;
  }
  return meter.report();
};

export const ordinary =
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
