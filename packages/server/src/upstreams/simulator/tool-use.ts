import { sampleOf } from "./json-schema.ts";
import type { InputTool, MessagesBody } from "./wire.ts";

type NamedTool = InputTool & Readonly<{ name: string }>;

export type ToolCall = Readonly<{ tool: NamedTool; input: unknown }>;

const request = /\buse tool ([A-Za-z0-9_-]{1,128})/gi;

/**
 * The tools an answer uses. The rule: for each `use tool NAME` in the prompt whose NAME is a tool of the
 * request, that tool is used with the JSON object that follows the name, or else with a sample of its schema.
 * `tool_choice` is obeyed: `tool` and `any` force a use, `none` forbids it.
 */
export const toolCallsIn = (prompt: string, body: MessagesBody): readonly ToolCall[] => {
  const tools = (body.tools ?? []).filter(isNamed);
  const choice = body.tool_choice;
  if (tools.length === 0 || choice?.type === "none") {
    return [];
  }
  const asked = [...prompt.matchAll(request)].flatMap((match) => {
    const tool = tools.find(({ name }) => name.toLowerCase() === match[1]?.toLowerCase());
    const input = jsonAt(prompt.slice(match.index + match[0].length).trimStart());
    return tool === undefined ? [] : [{ tool, input: input ?? sampleInput(tool) }];
  });
  if (choice?.type === "tool") {
    return forced(
      tools.find(({ name }) => name === choice.name),
      asked,
      prompt,
    );
  }
  return asked.length === 0 && choice?.type === "any" ? forced(tools[0], asked, prompt) : asked;
};

const forced = (
  tool: NamedTool | undefined,
  asked: readonly ToolCall[],
  prompt: string,
): readonly ToolCall[] => {
  if (tool === undefined) {
    return [];
  }
  const same = asked.find((call) => call.tool === tool);
  return [same ?? { tool, input: objectIn(prompt) ?? sampleInput(tool) }];
};

/** The JSON object at the first brace of a text, or null. */
export const objectIn = (text: string): unknown => {
  const brace = text.indexOf("{");
  return brace < 0 ? null : jsonAt(text.slice(brace));
};

const isNamed = (tool: InputTool): tool is NamedTool => typeof tool.name === "string";

const sampleInput = (tool: InputTool): unknown =>
  tool.input_schema === undefined ? {} : sampleOf(tool.input_schema, "simulator");

/** The JSON object a text begins with, or null. */
const jsonAt = (text: string): unknown => {
  const end = text.startsWith("{") ? closingBrace(text) : -1;
  if (end < 0) {
    return null;
  }
  try {
    return JSON.parse(text.slice(0, end + 1));
  } catch {
    return null;
  }
};

const closingBrace = (text: string): number => {
  let depth = 0;
  // Strings are skipped whole, so that a brace inside one does not count.
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    depth += token === "{" ? 1 : token === "}" ? -1 : 0;
    if (depth === 0) {
      return index;
    }
  }
  return -1;
};
