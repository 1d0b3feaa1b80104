/**
 * The request bodies: a short question, and what Claude Code sends late in a session, when the
 * body is mostly tool calls and tool results: many short strings and many escaped quotes.
 */

import { MODEL } from "./answers.ts";

/** A short question of about 200 bytes. */
export function shortBody(stream: boolean): Buffer {
  return Buffer.from(
    JSON.stringify({
      model: MODEL,
      max_tokens: 1024,
      ...(stream ? { stream: true } : {}),
      system: "You are a helpful assistant.",
      messages: [{ role: "user", content: "Say hello, and ask how you can help." }],
    }),
  );
}

/** A coding session grown to at least `bytes`: about one quote in every 23 bytes. */
export function sessionBody(bytes: number): Buffer {
  const messages: object[] = [];
  let size = 0;
  for (let turn = 0; size < bytes; turn++) {
    const pair = turnMessages(turn);
    size += JSON.stringify(pair).length;
    messages.push(...pair);
  }
  return Buffer.from(
    JSON.stringify({
      model: MODEL,
      max_tokens: 1024,
      system: [{ type: "text", text: "You are a coding agent.", cache_control: CACHE }],
      tools: TOOLS,
      messages,
    }),
  );
}

const CACHE = { type: "ephemeral" } as const;

const TOOLS = ["Read", "Edit", "Bash", "Grep"].map((name) => ({
  name,
  description: `${name} something in the working directory.`,
  input_schema: {
    type: "object",
    properties: { path: { type: "string" }, text: { type: "string" } },
    required: ["path"],
  },
}));

/** The assistant's tool call and the result the client sends back. */
function turnMessages(turn: number): object[] {
  const id = `toolu_${String(turn).padStart(24, "0")}`;
  return [
    {
      role: "assistant",
      content: [
        { type: "text", text: `Now I will read part ${turn} of the module.` },
        { type: "tool_use", id, name: "Read", input: { path: `src/part-${turn}.ts`, text: "" } },
      ],
    },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: id, content: sourceText(turn) }],
    },
  ];
}

/** Source code, whose quotes and newlines JSON must escape; some of it is not ASCII. */
function sourceText(turn: number): string {
  const lines = [];
  for (let line = 0; line < 8; line++) {
    lines.push(
      `${line * 3}\t// What the session asked for (µs).`,
      `${line * 3 + 1}\texport const part${turn}_${line} = await readPart(session, ${turn}, ${line});`,
      `${line * 3 + 2}\tif (!part${turn}_${line}.ok) throw new Error("part ${line} is missing");`,
    );
  }
  return lines.join("\n");
}
