import { askForJson, type CallOptions } from "./json-answer.ts";
import type { Settings } from "./settings.ts";

/** What is asked of the model. https://json-schema.org for `jsonSchema` */
type Prompt = Readonly<{
  prompt: string;
  system?: string | undefined;
  /** `opus` (the default), `sonnet`, `haiku`, or a full id the relay allows. */
  model?: string | undefined;
  /** The most tokens the answer may have. */
  maxTokens?: number | undefined;
}>;

export type TextOptions = Prompt &
  CallOptions &
  Readonly<{ outputFormat?: "text" | undefined; jsonSchema?: undefined }>;

export type JsonOptions = Prompt &
  CallOptions &
  (
    | Readonly<{ outputFormat: "json"; jsonSchema?: object | undefined }>
    | Readonly<{ outputFormat?: "json" | undefined; jsonSchema: object }>
  );

export type CompleteOptions = TextOptions | JsonOptions;

/** Tokens, in Anthropic's words. */
export type Usage = Readonly<{
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens: number;
  cacheCreationInputTokens: number;
}>;

/** The text, or with `outputFormat: "json"` or `jsonSchema` the answer's JSON value. */
export const requestCompletion = (
  settings: Settings,
  options: CompleteOptions,
): Promise<unknown> => {
  const field = wantsJson(options) ? "result" : "text";
  const ask = {
    method: "POST",
    path: completePath,
    body: completionBody(options),
    repeatable: false,
  } as const;
  const parse = (answer: Readonly<Record<string, unknown>>) => {
    const valid = field === "text" ? typeof answer["text"] === "string" : "result" in answer;
    return answer["ok"] === true && valid ? { value: answer[field] } : undefined;
  };
  return askForJson(settings, ask, parse, options).then(({ value }) => value);
};

export const completePath = "/v1/complete";

/** The wire's names; what is undefined is left out when it is sent. */
export const completionBody = (options: CompleteOptions): Readonly<Record<string, unknown>> => ({
  prompt: options.prompt,
  system: options.system,
  model: options.model,
  output_format: wantsJson(options) ? "json" : undefined,
  max_tokens: options.maxTokens,
  json_schema: options.jsonSchema,
});

const wantsJson = ({ outputFormat, jsonSchema }: CompleteOptions): boolean =>
  outputFormat === "json" || jsonSchema !== undefined;

/** Usage as the wire has it; what is missing counts as 0. */
export const usageFrom = (wire: unknown): Usage => {
  const fields = (typeof wire === "object" && wire !== null ? wire : {}) as Record<string, unknown>;
  const count = (name: string): number => (typeof fields[name] === "number" ? fields[name] : 0);
  return {
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    cacheReadInputTokens: count("cache_read_input_tokens"),
    cacheCreationInputTokens: count("cache_creation_input_tokens"),
  };
};
