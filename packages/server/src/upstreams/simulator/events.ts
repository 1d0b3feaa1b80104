import type { AnswerBlock } from "./answer.ts";
import { type Message, messageObject, stopDetails, wireBlock } from "./message.ts";
import type { Plan } from "./scenario.ts";
import { tokensOf } from "./tokens.ts";
import { deltaUsage, startUsage } from "./usage.ts";

/** One server-sent event; `outputTokens` is what the model has said by then, for the bill of a broken stream. */
export type StreamEvent = Readonly<{ name: string; data: string; outputTokens: number }>;

const deltaCharacters = 24;

/**
 * The events of an answer in the API's order: start, blocks, deltas, stop.
 * https://docs.anthropic.com/en/docs/build-with-claude/streaming
 */
export function* eventsOf(message: Message, plan: Plan): Generator<StreamEvent> {
  const { answer, usage } = message;
  let outputTokens = Math.min(1, usage.output_tokens);
  const say = (name: string, fields: object, spoken = ""): StreamEvent => {
    outputTokens = Math.min(usage.output_tokens, outputTokens + tokensOf(spoken));
    return { name, data: JSON.stringify({ type: name, ...fields }), outputTokens };
  };
  yield say("message_start", { message: messageObject(message, [], startUsage(usage), true) });
  if (plan.unknownEvents) {
    yield say("simulator_unknown", { note: "clients skip events they do not know" });
  }
  for (const [index, block] of answer.blocks.entries()) {
    yield say("content_block_start", { index, content_block: openingOf(block) });
    if (index === 0) {
      yield say("ping", {});
    }
    for (const delta of deltasOf(block, plan)) {
      yield say("content_block_delta", { index, delta }, spokenIn(delta));
    }
    yield say("content_block_stop", { index });
  }
  const stop = {
    stop_reason: answer.stopReason,
    stop_sequence: answer.stopSequence,
    stop_details: stopDetails(answer),
    container: null,
  };
  if (plan.usageHeavy) {
    const unfinished = { stop_reason: null, stop_sequence: null };
    const half = Math.floor(usage.output_tokens / 2);
    yield say("message_delta", { delta: unfinished, usage: deltaUsage(usage, half) });
  }
  outputTokens = usage.output_tokens;
  yield say("message_delta", { delta: stop, usage: deltaUsage(usage, usage.output_tokens) });
  yield say("message_stop", {});
}

type Delta = Readonly<
  | { type: "text_delta"; text: string }
  | { type: "thinking_delta"; thinking: string }
  | { type: "signature_delta"; signature: string }
  | { type: "input_json_delta"; partial_json: string }
>;

/** A block as `content_block_start` shows it: what deltas will bring is empty. */
const openingOf = (block: AnswerBlock): object => {
  switch (block.type) {
    case "text":
    case "long_text":
      return { type: "text", text: "" };
    case "thinking":
      return { ...block, thinking: "", signature: "" };
    case "tool_use":
    case "server_tool_use":
      return wireBlock({ ...block, input: {} });
    case "web_search_tool_result":
      return wireBlock(block);
  }
};

function* deltasOf(block: AnswerBlock, plan: Plan): Generator<Delta> {
  const extra = plan.unknownEvents ? { simulator_unknown: true } : {};
  switch (block.type) {
    case "text":
      for (const text of piecesOf(block.text)) {
        yield { type: "text_delta", text, ...extra };
      }
      return;
    case "long_text":
      for (let sent = 0; sent < block.times; sent++) {
        yield { type: "text_delta", text: block.piece };
      }
      if (block.rest !== "") {
        yield { type: "text_delta", text: block.rest };
      }
      return;
    case "thinking":
      for (const thinking of piecesOf(block.thinking)) {
        yield { type: "thinking_delta", thinking };
      }
      yield { type: "signature_delta", signature: block.signature };
      return;
    case "tool_use":
    case "server_tool_use":
      yield { type: "input_json_delta", partial_json: "" };
      for (const partial_json of piecesOf(JSON.stringify(block.input))) {
        yield { type: "input_json_delta", partial_json };
      }
      return;
    case "web_search_tool_result":
  }
}

const spokenIn = (delta: Delta): string => {
  switch (delta.type) {
    case "text_delta":
      return delta.text;
    case "thinking_delta":
      return delta.thinking;
    case "input_json_delta":
      return delta.partial_json;
    case "signature_delta":
      return "";
  }
};

/** Whole characters only: half a surrogate pair is no text. */
const piecesOf = (text: string): readonly string[] => text.match(pieces) ?? [];
const pieces = new RegExp(`.{1,${deltaCharacters}}`, "gsu");

/** An event as text on the wire. */
export const eventText = ({ name, data }: Omit<StreamEvent, "outputTokens">): string =>
  `event: ${name}\ndata: ${data}\n\n`;
