import type { Answer, AnswerBlock } from "./answer.ts";
import type { OutputBlock, Usage } from "./wire.ts";

/** An answer with its place on the wire: id, model and bill. */
export type Message = Readonly<{ id: string; model: string; answer: Answer; usage: Usage }>;

/** The message object, whole or, as in `message_start`, before anything was said. */
export const messageObject = (
  { id, model, answer }: Message,
  content: readonly OutputBlock[],
  usage: object,
  begun = false,
): Readonly<Record<string, unknown>> => ({
  id,
  type: "message",
  role: "assistant",
  model,
  content: content.map(wireBlock),
  stop_reason: begun ? null : answer.stopReason,
  stop_sequence: begun ? null : answer.stopSequence,
  stop_details: begun ? null : stopDetails(answer),
  container: null,
  usage,
});

/** Why a refusal is one; null for every other end. */
export const stopDetails = ({ stopReason }: Answer): object | null =>
  stopReason === "refusal" ? { type: "refusal", category: null, explanation: null } : null;

/** A block with the fields that never vary here. */
export const wireBlock = (block: OutputBlock): Readonly<Record<string, unknown>> => {
  switch (block.type) {
    case "text":
      return { ...block, citations: null };
    case "thinking":
      return block;
    case "tool_use":
    case "server_tool_use":
    case "web_search_tool_result":
      return { ...block, caller: { type: "direct" } };
  }
};

const seam = "\u0000long text\u0000";

/** A message as JSON text, in pieces: a long text is never held whole. */
export function* messageJson(message: Message): Generator<string> {
  const { blocks } = message.answer;
  const long = blocks.find((block) => block.type === "long_text");
  const content = blocks.map(withSeam);
  const json = JSON.stringify(messageObject(message, content, message.usage));
  if (long === undefined) {
    yield json;
    return;
  }
  const [before = "", after = ""] = json.split(inJson(seam));
  yield before;
  const piece = inJson(long.piece);
  for (let sent = 0; sent < long.times; sent++) {
    yield piece;
  }
  yield inJson(long.rest) + after;
}

const withSeam = (block: AnswerBlock): OutputBlock =>
  block.type === "long_text" ? { type: "text", text: seam } : block;

/** A text as it stands between the quotes of a JSON string. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
