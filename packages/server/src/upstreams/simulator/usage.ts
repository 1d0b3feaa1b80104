import type { Answer } from "./answer.ts";
import type { Plan } from "./scenario.ts";
import type { InputUsage, Iteration, MessagesBody, ServerToolUse, Usage } from "./wire.ts";

/** What the whole answer is billed at. */
export const finalUsage = (
  body: MessagesBody,
  input: InputUsage,
  answer: Answer,
  plan: Plan,
): Usage => ({
  ...input,
  output_tokens: answer.outputTokens,
  output_tokens_details: { thinking_tokens: answer.thinkingTokens },
  server_tool_use: serverToolUse(answer, plan),
  service_tier: plan.usageHeavy ? "priority" : "standard",
  inference_geo: plan.usageHeavy ? "us" : (body.inference_geo ?? "global"),
  ...(body.speed ? { speed: body.speed } : {}),
  ...(plan.usageHeavy ? { iterations: iterationsOf(body.model, input, answer) } : {}),
});

/** The usage of `message_start`: input as it will stay, output a placeholder, nothing else known yet. */
export const startUsage = (usage: Usage): Omit<Usage, "iterations"> => {
  const { iterations: _, ...known } = usage;
  return {
    ...known,
    output_tokens: Math.min(1, usage.output_tokens),
    output_tokens_details: { thinking_tokens: 0 },
    server_tool_use: null,
  };
};

/**
 * The usage of a `message_delta`: cumulative, and without the fields that cannot change.
 * @param outputTokens so far
 */
export const deltaUsage = (
  usage: Usage,
  outputTokens: number,
): Readonly<Record<string, unknown>> => ({
  input_tokens: usage.input_tokens,
  cache_creation_input_tokens: usage.cache_creation_input_tokens,
  cache_read_input_tokens: usage.cache_read_input_tokens,
  output_tokens: outputTokens,
  output_tokens_details: usage.output_tokens_details,
  ...(usage.server_tool_use === null ? {} : { server_tool_use: usage.server_tool_use }),
  ...(usage.iterations === undefined ? {} : { iterations: usage.iterations }),
});

const serverToolUse = (answer: Answer, plan: Plan): ServerToolUse | null => {
  const searches = answer.blocks.filter(({ type }) => type === "web_search_tool_result").length;
  const fetches = plan.usageHeavy ? 1 : 0;
  return searches + fetches === 0
    ? null
    : { web_search_requests: searches, web_fetch_requests: fetches };
};

/** Two turns of the asked model that add up to the totals, and an adviser's turn beside them. */
const iterationsOf = (model: string, input: InputUsage, answer: Answer): readonly Iteration[] => {
  const first = halfOf(input);
  const firstOutput = Math.floor(answer.outputTokens / 2);
  return [
    { type: "message", model, ...first, output_tokens: firstOutput },
    {
      type: "message",
      model,
      ...difference(input, first),
      output_tokens: answer.outputTokens - firstOutput,
    },
    {
      type: "advisor_message",
      model: "claude-opus-5-5",
      input_tokens: 100,
      ...noCache,
      output_tokens: 20,
    },
  ];
};

const noCache = {
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
};

const usageFrom = (pick: (select: (usage: InputUsage) => number) => number): InputUsage => {
  const written5m = pick(({ cache_creation }) => cache_creation.ephemeral_5m_input_tokens);
  const written1h = pick(({ cache_creation }) => cache_creation.ephemeral_1h_input_tokens);
  return {
    input_tokens: pick(({ input_tokens }) => input_tokens),
    cache_creation_input_tokens: written5m + written1h,
    cache_read_input_tokens: pick(({ cache_read_input_tokens }) => cache_read_input_tokens),
    cache_creation: { ephemeral_5m_input_tokens: written5m, ephemeral_1h_input_tokens: written1h },
  };
};

const halfOf = (whole: InputUsage): InputUsage =>
  usageFrom((select) => Math.floor(select(whole) / 2));

const difference = (whole: InputUsage, part: InputUsage): InputUsage =>
  usageFrom((select) => select(whole) - select(part));
