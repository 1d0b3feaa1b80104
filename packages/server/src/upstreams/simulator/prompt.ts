import { blocksOf } from "./tokens.ts";
import type { InputBlock, InputMessage } from "./wire.ts";

/** What the user's last turn asks: its text, or the results of the tools it was asked to use. */
export type Prompt = Readonly<{ text: string; toolResults: readonly string[] }>;

/** Reads the last user turn; system messages after it and `<system-reminder>` blocks are not the user's words. */
export const readPrompt = (messages: readonly InputMessage[]): Prompt => {
  const blocks = lastUserTurn(messages);
  const texts = blocks.filter(({ type }) => type === "text").map(({ text }) => ownWords(text));
  return {
    text: texts.findLast((text) => text !== "") ?? "",
    toolResults: blocks.filter(({ type }) => type === "tool_result").map(resultText),
  };
};

const lastUserTurn = (messages: readonly InputMessage[]): readonly InputBlock[] => {
  const turn: InputBlock[] = [];
  for (const { role, content } of messages.toReversed()) {
    if (role === "user") {
      turn.unshift(...blocksOf(content));
    } else if (role === "assistant" && turn.length > 0) {
      break;
    }
  }
  return turn;
};

const ownWords = (text: unknown): string =>
  String(text)
    .replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "")
    .trim();

const resultText = (block: InputBlock): string => {
  const content = block["content"];
  const text = blocksOf(typeof content === "string" || Array.isArray(content) ? content : null)
    .map((part) => (part.type === "text" ? String(part["text"]) : `(${part.type})`))
    .join("\n");
  return block["is_error"] === true ? `error: ${text}` : text;
};
