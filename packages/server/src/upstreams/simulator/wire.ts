/**
 * The parts of Anthropic's wire the simulator reads and writes. Bodies are open lists: a field not named
 * here is accepted and ignored, as clients send new ones before anyone documents them.
 */

export type CacheControl = Readonly<{ type: string; ttl?: "5m" | "1h" }>;

/** A content block of a request: `type` decides, the rest is read where it is needed. */
export type InputBlock = Readonly<{ type: string; [field: string]: unknown }>;

export type InputMessage = Readonly<{
  role: "user" | "assistant" | "system";
  content?: string | readonly InputBlock[];
}>;

export type InputTool = Readonly<{
  /** Absent in toolsets. */
  name?: string;
  type?: string | null;
  input_schema?: JsonSchema;
  [field: string]: unknown;
}>;

export type JsonSchema = Readonly<{ [keyword: string]: unknown }>;

type Thinking = Readonly<{
  type: string;
  budget_tokens?: number;
  display?: string | null;
}>;

/** A valid Messages body: what validate.ts lets through. `max_tokens` is absent in count_tokens. */
export type MessagesBody = Readonly<{
  model: string;
  messages: readonly InputMessage[];
  max_tokens?: number;
  stream?: boolean | null;
  system?: string | readonly InputBlock[];
  tools?: readonly InputTool[];
  tool_choice?: Readonly<{ type: string; name?: string }>;
  thinking?: Thinking;
  stop_sequences?: readonly string[];
  cache_control?: CacheControl | null;
  output_config?: Readonly<{ format?: Readonly<{ type: string; schema: JsonSchema }> | null }>;
  inference_geo?: string | null;
  speed?: "standard" | "fast" | null;
}>;

/** A content block of an answer. */
export type OutputBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | {
      readonly type: "tool_use" | "server_tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
    }
  | {
      readonly type: "web_search_tool_result";
      readonly tool_use_id: string;
      readonly content: readonly Readonly<Record<string, string | null>>[];
    };

export type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "refusal";

export type ServerToolUse = Readonly<{ web_search_requests: number; web_fetch_requests: number }>;

type CacheCreation = Readonly<{
  ephemeral_5m_input_tokens: number;
  ephemeral_1h_input_tokens: number;
}>;

export type InputUsage = Readonly<{
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  cache_creation: CacheCreation;
}>;

export type Iteration = InputUsage &
  Readonly<{ type: "message" | "advisor_message"; model: string; output_tokens: number }>;

/** What is billed, in Anthropic's own words. `input_tokens` excludes what the cache read or wrote. */
export type Usage = InputUsage &
  Readonly<{
    output_tokens: number;
    output_tokens_details: Readonly<{ thinking_tokens: number }>;
    server_tool_use: ServerToolUse | null;
    service_tier: "standard" | "priority";
    inference_geo: string;
    speed?: "standard" | "fast";
    iterations?: readonly Iteration[];
  }>;
