import { isObject, type JsonObject, parseObject } from "../../pipeline/json/parse-object.ts";
import { isModelCall } from "../../pipeline/operations.ts";
import type { UpstreamRequest } from "../../pipeline/types.ts";

/** One call, as Claude Code can serve it. */
export type CliPrompt = Readonly<{
  model: string;
  /** Empty for none. */
  system: string;
  prompt: string;
  /** Null: what Claude Code takes for the model. */
  maxTokens: number | null;
}>;

/** A request that only the Messages API itself could serve. The message names the field. */
export class UnservableRequest extends Error {}

const known = new Set(["model", "max_tokens", "system", "messages", "stream"]);

/**
 * Reads the part of the Messages API that Claude Code can serve: one user message of plain text, streamed.
 * @throws UnservableRequest naming the field for everything else
 */
export const readPrompt = ({ operation, body }: UpstreamRequest): CliPrompt => {
  if (!isModelCall(operation.kind)) {
    throw new UnservableRequest("Claude Code serves messages only");
  }
  const fields = readObject(body);
  const unknown = Object.keys(fields).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new UnservableRequest(`${unknown}: not served by Claude Code`);
  }
  const { model, system = "", stream } = fields;
  if (typeof model !== "string" || !/^[\w.:[\]@/+-]{1,128}$/.test(model) || model.startsWith("-")) {
    throw new UnservableRequest("model: Input should be a model id");
  }
  if (typeof system !== "string") {
    throw new UnservableRequest("system: Input should be a string");
  }
  if (stream !== true) {
    throw new UnservableRequest("stream: Input should be true");
  }
  return {
    model,
    system,
    prompt: readMessages(fields["messages"]),
    maxTokens: readMaxTokens(fields["max_tokens"]),
  };
};

const readObject = (body: Buffer | null): JsonObject => {
  const value = parseObject(body?.toString() ?? "");
  if (value === null) {
    throw new UnservableRequest("The request body is not a JSON object");
  }
  return value;
};

const readMaxTokens = (value: unknown): number | null => {
  if (value === undefined) {
    return null;
  }
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw new UnservableRequest(
      "max_tokens: Input should be an integer greater than or equal to 1",
    );
  }
  return value;
};

const readMessages = (value: unknown): string => {
  if (!Array.isArray(value) || value.length !== 1) {
    throw new UnservableRequest("messages: Claude Code takes exactly one message");
  }
  const message: unknown = value[0];
  if (!isObject(message) || message["role"] !== "user") {
    throw new UnservableRequest("messages.0.role: Input should be 'user'");
  }
  const unknown = Object.keys(message).find((name) => name !== "role" && name !== "content");
  if (unknown !== undefined) {
    throw new UnservableRequest(`messages.0.${unknown}: not served by Claude Code`);
  }
  const content = message["content"];
  if (typeof content !== "string") {
    throw new UnservableRequest("messages.0.content: Input should be a string");
  }
  if (content.trim() === "") {
    throw new UnservableRequest("messages.0.content: text content must be non-empty");
  }
  return content;
};
