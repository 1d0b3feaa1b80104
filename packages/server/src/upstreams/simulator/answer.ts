import { sampleOf } from "./json-schema.ts";
import { readPrompt } from "./prompt.ts";
import type { Plan } from "./scenario.ts";
import { tokensOf } from "./tokens.ts";
import { objectIn, type ToolCall, toolCallsIn } from "./tool-use.ts";
import type { MessagesBody, OutputBlock, StopReason } from "./wire.ts";

/** A text too long to hold: `piece` so many times, then `rest`. */
type LongText = Readonly<{ type: "long_text"; piece: string; times: number; rest: string }>;

export type AnswerBlock = OutputBlock | LongText;

/** What the simulated model says, before it is put on the wire. */
export type Answer = Readonly<{
  blocks: readonly AnswerBlock[];
  stopReason: StopReason;
  stopSequence: string | null;
  outputTokens: number;
  thinkingTokens: number;
}>;

/** Ids such as `toolu_…`, each given out once. */
export type NextId = (prefix: string) => string;

const introduction =
  "[simulator] This answer comes from claude-relay's built-in simulator, not from Claude.";
const longestEcho = 200;
/** Whole characters: a slice could end on half of one. */
const echo = new RegExp(`^.{0,${longestEcho}}`, "su");
const bytesPerToken = 4;
const hugePiece = "All work and no play makes Jack a dull boy.\n".repeat(372);

/** The same body and plan always give the same answer, ids apart. */
export const answerTo = (body: MessagesBody, plan: Plan, nextId: NextId): Answer => {
  const maxTokens = body.max_tokens ?? 0;
  if (plan.refusal || plan.empty) {
    return finished([], plan.refusal ? "refusal" : "end_turn", null, maxTokens);
  }
  if (plan.deltas !== null || plan.hugeBytes !== null) {
    return finished([...thinkingOf(body), longText(plan)], "end_turn", null, maxTokens);
  }
  const wanted = wantedBlocks(body, plan, nextId);
  const stopped = untilStopSequence(wanted, body.stop_sequences ?? []);
  const cut = withinTokens(stopped.blocks, maxTokens);
  if (cut.length < stopped.blocks.length || cut.at(-1) !== stopped.blocks.at(-1)) {
    return finished(cut, "max_tokens", null, maxTokens);
  }
  if (stopped.sequence !== null) {
    return finished(cut, "stop_sequence", stopped.sequence, maxTokens);
  }
  const usesTool = cut.some(({ type }) => type === "tool_use");
  return finished(cut, usesTool ? "tool_use" : "end_turn", null, maxTokens);
};

/** Long texts are cut by no `max_tokens`, but never bill more than it. */
const finished = (
  blocks: readonly AnswerBlock[],
  stopReason: StopReason,
  stopSequence: string | null,
  maxTokens: number,
): Answer => {
  const thinking = blocks.filter(({ type }) => type === "thinking");
  const count = (some: readonly AnswerBlock[]) =>
    some.reduce((total, block) => total + outputTokensOf(block), 0);
  return {
    blocks,
    stopReason,
    stopSequence,
    outputTokens: Math.min(count(blocks), maxTokens),
    thinkingTokens: Math.min(count(thinking), maxTokens),
  };
};

/** Tokens billed for a block of the answer; what a server tool found is not the model's output. */
const outputTokensOf = (block: AnswerBlock): number => {
  switch (block.type) {
    case "text":
      return tokensOf(block.text);
    case "long_text":
      return Math.ceil((block.piece.length * block.times + block.rest.length) / bytesPerToken);
    case "thinking":
      return tokensOf(block.thinking);
    case "tool_use":
    case "server_tool_use":
      return tokensOf(block.name) + tokensOf(JSON.stringify(block.input));
    case "web_search_tool_result":
      return 0;
  }
};

const wantedBlocks = (body: MessagesBody, plan: Plan, nextId: NextId): readonly OutputBlock[] => {
  const prompt = readPrompt(body.messages);
  if (plan.toolUse !== null) {
    const input = objectIn(prompt.text) ?? {};
    return [{ type: "tool_use", id: nextId("toolu"), name: plan.toolUse, input }];
  }
  const calls = prompt.toolResults.length > 0 ? [] : toolCallsIn(prompt.text, body);
  return [
    ...thinkingOf(body),
    ...(plan.usageHeavy ? webSearch("claude-relay", nextId) : []),
    ...(calls.length > 0
      ? toolBlocks(calls, nextId)
      : [text(plan.cut?.within === "character" ? "🦊 ünïcödé" : answerText(body, prompt))]),
  ];
};

const answerText = (body: MessagesBody, prompt: ReturnType<typeof readPrompt>): string => {
  const schema = body.output_config?.format?.schema;
  if (schema !== undefined) {
    return JSON.stringify(sampleOf(schema, "simulator"));
  }
  return prompt.toolResults.length > 0
    ? `${introduction} The tool said: ${shorten(prompt.toolResults.join("\n"))}`
    : `${introduction} You said: ${shorten(prompt.text)}`;
};

const toolBlocks = (calls: readonly ToolCall[], nextId: NextId): readonly OutputBlock[] => [
  text(`[simulator] Using ${calls.map(({ tool }) => tool.name).join(", ")}.`),
  ...calls.flatMap(({ tool, input }) =>
    tool.type?.startsWith("web_search")
      ? [...webSearch(String((input as { query?: string }).query), nextId), text(introduction)]
      : [{ type: "tool_use" as const, id: nextId("toolu"), name: tool.name, input }],
  ),
];

const webSearch = (query: string, nextId: NextId): readonly OutputBlock[] => {
  const id = nextId("srvtoolu");
  const found = {
    type: "web_search_result",
    url: "https://example.com/",
    title: "Example Domain",
    page_age: null,
    encrypted_content: Buffer.from(`simulator: ${query}`).toString("base64"),
  };
  return [
    { type: "server_tool_use", id, name: "web_search", input: { query } },
    { type: "web_search_tool_result", tool_use_id: id, content: [found] },
  ];
};

const thinkingOf = ({ thinking, messages }: MessagesBody): readonly OutputBlock[] => {
  if (thinking?.type !== "enabled" && thinking?.type !== "adaptive") {
    return [];
  }
  const thought =
    thinking.display === "omitted"
      ? ""
      : `[simulator] Thinking about: ${shorten(readPrompt(messages).text)}`;
  const signature = Buffer.from(`simulator signature of ${thought}`).toString("base64");
  return [{ type: "thinking", thinking: thought, signature }];
};

const longText = ({ deltas, hugeBytes }: Plan): LongText => {
  if (hugeBytes === null) {
    return { type: "long_text", piece: "tick ", times: deltas ?? 0, rest: "" };
  }
  // `deltas` with `huge` cuts the same bytes into that many pieces.
  const size = deltas === null ? hugePiece.length : Math.ceil(hugeBytes / Math.max(1, deltas));
  const piece = hugePiece.repeat(Math.ceil(size / hugePiece.length)).slice(0, size);
  const times = Math.floor(hugeBytes / Math.max(1, size));
  return { type: "long_text", piece, times, rest: piece.slice(0, hugeBytes - times * size) };
};

const untilStopSequence = (
  blocks: readonly OutputBlock[],
  sequences: readonly string[],
): Readonly<{ blocks: readonly OutputBlock[]; sequence: string | null }> => {
  for (const [index, block] of blocks.entries()) {
    const hit = block.type === "text" ? firstOf(sequences, block.text) : null;
    if (hit !== null && block.type === "text") {
      const before = blocks.slice(0, index);
      return { blocks: [...before, text(block.text.slice(0, hit.at))], sequence: hit.sequence };
    }
  }
  return { blocks, sequence: null };
};

const firstOf = (sequences: readonly string[], content: string) =>
  sequences
    .map((sequence) => ({ sequence, at: sequence === "" ? -1 : content.indexOf(sequence) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)
    .at(0) ?? null;

/** The blocks that fit; the last text or thought is cut where the tokens end, a tool use is left out. */
const withinTokens = (
  blocks: readonly OutputBlock[],
  maxTokens: number,
): readonly OutputBlock[] => {
  const kept: OutputBlock[] = [];
  let left = maxTokens;
  for (const block of blocks) {
    const tokens = outputTokensOf(block);
    if (tokens > left) {
      const bytes = left * bytesPerToken;
      return bytes > 0 ? [...kept, ...cutBlock(block, bytes)] : kept;
    }
    left -= tokens;
    kept.push(block);
  }
  return kept;
};

const cutBlock = (block: OutputBlock, bytes: number): readonly OutputBlock[] => {
  switch (block.type) {
    case "text":
      return [text(firstBytes(block.text, bytes))];
    case "thinking":
      return [{ ...block, thinking: firstBytes(block.thinking, bytes) }];
    default:
      return [];
  }
};

/** At most so many bytes of a text, in whole characters. */
const firstBytes = (content: string, bytes: number): string => {
  const { read } = new TextEncoder().encodeInto(content, new Uint8Array(bytes));
  return content.slice(0, read);
};

const shorten = (content: string): string =>
  content.length <= longestEcho ? content : `${content.match(echo)?.[0]}…`;

const text = (content: string): OutputBlock => ({ type: "text", text: content });
