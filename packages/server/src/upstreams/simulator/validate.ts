import { isUtf8 } from "node:buffer";
import { invalid } from "./api-error.ts";
import { findModel, type Model, scenarioModel } from "./models.ts";
import { modelPattern } from "./scenario-name.ts";
import { checkToolPairs } from "./tool-pairs.ts";
import type { InputBlock, MessagesBody } from "./wire.ts";

/** Which of the two operations the body is for: count_tokens takes the same fields but `max_tokens`. */
export type BodyKind = "messages" | "count_tokens";

/** A JSON object nothing is known of yet. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks a Messages body as the API does. Unknown fields are let through: betas add them.
 * @throws ApiError 400 in the API's form `field: what is wrong`, 404 for an unknown model
 */
export const checkBody = (
  fields: Fields,
  kind: BodyKind,
): Readonly<{ body: MessagesBody; model: Model }> => {
  const name = requireString(fields, "model");
  checkMessages(fields["messages"]);
  const model = modelPattern.test(name) ? scenarioModel(name) : findModel(name);
  if (kind === "messages") {
    checkMaxTokens(fields["max_tokens"], model);
  }
  checkOptions(fields);
  checkTools(fields);
  checkThinking(fields);
  const body = fields as unknown as MessagesBody;
  checkToolPairs(body.messages);
  return { body, model };
};

/**
 * The JSON object a request body holds.
 * @throws ApiError 400 unless it is one
 */
export const parseBody = (bytes: Buffer): Fields => {
  if (!isUtf8(bytes)) {
    throw invalid("The request body is not valid JSON: invalid UTF-8");
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString());
  } catch (error) {
    throw invalid(`The request body is not valid JSON: ${(error as SyntaxError).message}`);
  }
  if (!isFields(parsed)) {
    throw invalid("Input should be a valid dictionary or object to extract fields from");
  }
  return parsed;
};

const checkMessages = (messages: unknown): void => {
  const list = requireList(messages, "messages");
  if (list.length === 0) {
    throw invalid("messages: at least one message is required");
  }
  list.forEach((message, index) => {
    checkMessage(message, `messages.${index}`, index === list.length - 1);
  });
};

const checkMessage = (message: unknown, at: string, isLast: boolean): void => {
  if (!isFields(message)) {
    throw invalid(`${at}: Input should be a valid dictionary or object to extract fields from`);
  }
  const { role, content } = message;
  if (role === undefined) {
    throw invalid(`${at}.role: Field required`);
  }
  if (role !== "user" && role !== "assistant" && role !== "system") {
    throw invalid(`${at}.role: Input should be 'user', 'assistant' or 'system'`);
  }
  if (role === "system" && content === undefined) {
    return;
  }
  if (content === undefined) {
    throw invalid(`${at}.content: Field required`);
  }
  checkContent(content, `${at}.content`);
  const mayBeEmpty = role === "system" || (role === "assistant" && isLast);
  if (!mayBeEmpty && (content as string | unknown[]).length === 0) {
    throw invalid(
      `${at}: all messages must have non-empty content except for the optional final assistant message`,
    );
  }
};

const checkContent = (content: unknown, at: string): void => {
  if (typeof content === "string") {
    return;
  }
  if (!Array.isArray(content)) {
    throw invalid(`${at}: Input should be a valid string or list`);
  }
  content.forEach((block: unknown, index) => {
    checkBlock(block, `${at}.${index}`);
  });
};

const checkBlock = (block: unknown, at: string): void => {
  if (!isFields(block)) {
    throw invalid(`${at}: Input should be a valid dictionary or object to extract fields from`);
  }
  if (typeof block["type"] !== "string") {
    throw invalid(`${at}.type: Field required`);
  }
  for (const field of requiredOf[block["type"]] ?? []) {
    if (block[field] === undefined) {
      throw invalid(`${at}.${block["type"]}.${field}: Field required`);
    }
  }
  if ((block as InputBlock).type === "text") {
    checkText(block["text"], `${at}.text.text`);
  }
};

const checkText = (text: unknown, at: string): void => {
  if (typeof text !== "string") {
    throw invalid(`${at}: Input should be a valid string`);
  }
  if (text === "") {
    throw invalid("messages: text content blocks must be non-empty");
  }
};

const requiredOf: Readonly<Record<string, readonly string[]>> = {
  text: ["text"],
  image: ["source"],
  document: ["source"],
  tool_use: ["id", "name", "input"],
  tool_result: ["tool_use_id"],
  thinking: ["thinking", "signature"],
};

const checkMaxTokens = (maxTokens: unknown, model: Model): void => {
  if (maxTokens === undefined) {
    throw invalid("max_tokens: Field required");
  }
  if (!Number.isInteger(maxTokens)) {
    throw invalid("max_tokens: Input should be a valid integer");
  }
  if ((maxTokens as number) < 0) {
    throw invalid("max_tokens: Input should be greater than or equal to 0");
  }
  if ((maxTokens as number) > model.maxTokens) {
    throw invalid(
      `max_tokens: ${maxTokens} > ${model.maxTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    );
  }
};

const checkOptions = (fields: Fields): void => {
  const { stream, temperature, system, stop_sequences: stops } = fields;
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
    throw invalid("stream: Input should be a valid boolean");
  }
  if (typeof temperature === "number" && (temperature < 0 || temperature > 1)) {
    const bound = temperature < 0 ? "greater than or equal to 0" : "less than or equal to 1";
    throw invalid(`temperature: Input should be ${bound}`);
  }
  if (system !== undefined) {
    checkContent(system, "system");
  }
  if (stops !== undefined && requireList(stops, "stop_sequences").some(isNotString)) {
    throw invalid("stop_sequences: Input should be a valid list of strings");
  }
};

const checkTools = (fields: Fields): void => {
  const tools = fields["tools"] === undefined ? [] : requireList(fields["tools"], "tools");
  tools.forEach((tool, index) => {
    const at = `tools.${index}`;
    if (!isFields(tool)) {
      throw invalid(`${at}: Input should be a valid dictionary or object to extract fields from`);
    }
    const type = tool["type"] ?? "custom";
    if (typeof type !== "string") {
      throw invalid(`${at}.type: Input should be a valid string`);
    }
    const isCustom = type === "custom";
    for (const field of isCustom ? ["name", "input_schema"] : []) {
      if (tool[field] === undefined) {
        throw invalid(`${at}.custom.${field}: Field required`);
      }
    }
  });
  const choice = fields["tool_choice"];
  if (isFields(choice) && choice["type"] !== "none" && tools.length === 0) {
    throw invalid("tool_choice: tool_choice may only be specified while providing tools");
  }
  if (isFields(choice) && choice["type"] === "tool") {
    const names = tools.map((tool) => (tool as Fields)["name"]);
    if (!names.includes(choice["name"])) {
      throw invalid(`tool_choice: Tool '${String(choice["name"])}' not found in provided tools`);
    }
  }
};

const leastBudget = 1024;

const checkThinking = (fields: Fields): void => {
  const thinking = fields["thinking"];
  if (!isFields(thinking) || thinking["type"] !== "enabled") {
    return;
  }
  const budget = thinking["budget_tokens"];
  if (typeof budget !== "number") {
    throw invalid("thinking.enabled.budget_tokens: Field required");
  }
  if (budget < leastBudget) {
    throw invalid(
      `thinking.enabled.budget_tokens: Input should be greater than or equal to ${leastBudget}`,
    );
  }
  const maxTokens = fields["max_tokens"];
  if (typeof maxTokens === "number" && maxTokens <= budget) {
    throw invalid("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
};

const requireString = (fields: Fields, field: string): string => {
  const value = fields[field];
  if (value === undefined) {
    throw invalid(`${field}: Field required`);
  }
  if (typeof value !== "string") {
    throw invalid(`${field}: Input should be a valid string`);
  }
  return value;
};

const requireList = (value: unknown, field: string): readonly unknown[] => {
  if (value === undefined) {
    throw invalid(`${field}: Field required`);
  }
  if (!Array.isArray(value)) {
    throw invalid(`${field}: Input should be a valid list`);
  }
  return value;
};

const isNotString = (value: unknown): boolean => typeof value !== "string";

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
