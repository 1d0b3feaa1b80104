import { ApiError, invalid } from "./api-error.ts";

type ModelLine = "haiku" | "sonnet" | "opus" | "fable" | "mythos";

export type Model = Readonly<{
  id: string;
  line: ModelLine;
  displayName: string;
  /** RFC 3339; the epoch where the release date is not known, as the API itself does. */
  createdAt: string;
  maxInputTokens: number;
  maxTokens: number;
}>;

const unknownDate = "1970-01-01T00:00:00Z";

const model = (
  id: string,
  createdAt: string = unknownDate,
  maxInputTokens = 1_000_000,
  maxTokens = 128_000,
): Model => {
  const [, line = "", ...version] = id.replace(/-\d{8}$/, "").split("-");
  const name = `${line.charAt(0).toUpperCase()}${line.slice(1)}`;
  return {
    id,
    line: line as ModelLine,
    displayName: `Claude ${name} ${version.join(".")}`,
    createdAt,
    maxInputTokens,
    maxTokens,
  };
};

/** Newest first, as the API lists them. The ids are those of the SDK's `Model` type. */
const models: readonly Model[] = [
  model("claude-fable-5-2", "2026-11-09T00:00:00Z"),
  model("claude-mythos-5-2"),
  model("claude-haiku-5-5"),
  model("claude-sonnet-5-5"),
  model("claude-opus-5-5"),
  model("claude-fable-5-1"),
  model("claude-mythos-5-1"),
  model("claude-sonnet-5"),
  model("claude-fable-5"),
  model("claude-mythos-5"),
  model("claude-opus-5"),
  model("claude-opus-4-8"),
  model("claude-opus-4-7"),
  model("claude-opus-4-6"),
  model("claude-sonnet-4-6"),
  model("claude-opus-4-5-20251101", "2025-11-01T00:00:00Z", 200_000, 64_000),
  model("claude-haiku-4-5-20251001", "2025-10-01T00:00:00Z", 200_000, 64_000),
  model("claude-sonnet-4-5-20250929", "2025-09-29T00:00:00Z", 200_000, 64_000),
];

/** Ids and, for dated ids, the alias without the date. */
const byName: ReadonlyMap<string, Model> = new Map(
  models.flatMap((each) => [
    [each.id, each],
    [each.id.replace(/-\d{8}$/, ""), each],
  ]),
);

/** A model that exists only here: its name carries a scenario. It answers to nothing but its own id. */
export const scenarioModel = (id: string): Model => ({ ...model("claude-haiku-5-5"), id });

/**
 * The model behind an id or alias.
 * @throws ApiError 404 in the API's words for a model it does not have.
 */
export const findModel = (name: string): Model => {
  const found = byName.get(name);
  if (found === undefined) {
    throw new ApiError(404, `model: ${name}`);
  }
  return found;
};

/**
 * One page of the model list. https://docs.anthropic.com/en/api/models-list
 * @param query `limit` 1–1000 (20), `after_id` or `before_id`
 * @throws ApiError 400 for a bad limit or cursor
 */
export const listModels = (query: URLSearchParams): string => {
  const limit = readLimit(query.get("limit"));
  const afterId = query.get("after_id");
  const beforeId = query.get("before_id");
  const from = afterId === null ? 0 : indexOf("after_id", afterId) + 1;
  const to = beforeId === null ? models.length : indexOf("before_id", beforeId);
  // Before a cursor the page is the one that ends at it.
  const start = beforeId === null ? from : Math.max(from, to - limit);
  const page = models.slice(start, Math.min(to, start + limit));
  return JSON.stringify({
    data: page.map(modelInfo),
    has_more: beforeId === null ? start + page.length < models.length : start > from,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  });
};

const readLimit = (text: string | null): number => {
  const limit = text === null ? 20 : Number(text);
  if (!Number.isInteger(limit)) {
    throw invalid("limit: Input should be a valid integer, unable to parse string as an integer");
  }
  if (limit < 1) {
    throw invalid("limit: Input should be greater than or equal to 1");
  }
  if (limit > 1000) {
    throw invalid("limit: Input should be less than or equal to 1000");
  }
  return limit;
};

const indexOf = (field: string, id: string): number => {
  const index = models.findIndex((each) => each.id === id);
  if (index < 0) {
    throw invalid(`${field}: no model with id ${id}`);
  }
  return index;
};

const yes = { supported: true };

const capabilities = {
  batch: yes,
  citations: yes,
  code_execution: yes,
  context_management: {
    supported: true,
    clear_thinking_20251015: yes,
    clear_tool_uses_20250919: yes,
    compact_20260112: yes,
  },
  effort: { supported: true, low: yes, medium: yes, high: yes, xhigh: yes, max: yes },
  image_input: yes,
  pdf_input: yes,
  server_tools: { supported: true, code_execution: yes, web_search: yes },
  structured_outputs: yes,
  thinking: {
    supported: true,
    types: { adaptive: yes, between_tools: yes, disabled: yes, enabled: yes },
  },
};

/** A model as the Models API shows it. */
export const modelInfo = (shown: Model): Readonly<Record<string, unknown>> => ({
  type: "model",
  id: shown.id,
  display_name: shown.displayName,
  created_at: shown.createdAt,
  lifecycle: "active",
  line: shown.line,
  deprecated_at: null,
  retires_at: null,
  max_input_tokens: shown.maxInputTokens,
  max_tokens: shown.maxTokens,
  capabilities,
});
