import type { InputBlock, InputMessage, InputTool, MessagesBody } from "./wire.ts";

const bytesPerToken = 4;
const tokensPerMessage = 3;

/** Tokens of a text: one for every four bytes of UTF-8, rounded up. */
export const tokensOf = (text: string): number =>
  Math.ceil(Buffer.byteLength(text) / bytesPerToken);

/** Tokens of one content block: its text, or its JSON without the cache mark. */
export const tokensOfBlock = (block: InputBlock): number =>
  tokensOf(block.type === "text" ? String(block["text"]) : plainJson(block));

export const tokensOfTool = (tool: InputTool): number => tokensOf(plainJson(tool));

/** A block's JSON without `cache_control`: where a mark stands changes neither count nor cache key. */
export const plainJson = (block: InputBlock | InputTool): string =>
  JSON.stringify(block, (key, value) => (key === "cache_control" ? undefined : value));

/** The one shape behind the two ways to write content: a string is one text block. */
export const blocksOf = (
  content: string | readonly InputBlock[] | null | undefined,
): readonly InputBlock[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);

const tokensOfMessage = (message: InputMessage): number =>
  tokensPerMessage + sum(blocksOf(message.content).map(tokensOfBlock));

/** All input tokens of a body: tools, system prompt and messages; the same body always counts the same. */
export const countInputTokens = (body: MessagesBody): number =>
  sum((body.tools ?? []).map(tokensOfTool)) +
  sum(blocksOf(body.system).map(tokensOfBlock)) +
  sum(body.messages.map(tokensOfMessage));

const sum = (numbers: readonly number[]): number =>
  numbers.reduce((total, number) => total + number, 0);
