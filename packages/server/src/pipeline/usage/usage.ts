import type { ModelId } from "@claude-relay/contract";
import type { Tokens, Usage } from "../types.ts";

/** What a response has shown of its own cost so far. */
export type UsageReport = Readonly<{
  /** Until `complete`, `outputTokens` is the greater of upstream's last count and our estimate. */
  usage: Usage;
  /** The model that answers, as upstream names it. */
  responseModel: ModelId | null;
  /** Upstream's final count was seen: `message_stop` after a counted `message_delta`, or a whole message. */
  complete: boolean;
  /** Upstream began to answer with a message, so it bills the input. */
  started: boolean;
  /** The type of an `error` event or an error body. */
  errorType: string | null;
  /** Our own count of what was delivered since upstream's last one; rough. */
  estimatedOutputTokens: number;
}>;

/** Reads along as response bytes pass; it never holds them up and never throws. */
export interface UsageMeter {
  push(chunk: Buffer): void;
  /** Whether an SSE event of ours may be written between the bytes so far and the next ones. */
  readonly atEventBoundary: boolean;
  report(): UsageReport;
}

const noTokens: Tokens = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadInputTokens: 0,
  cacheCreation5mInputTokens: 0,
  cacheCreation1hInputTokens: 0,
};

/** Nothing used. */
export const emptyUsage: Usage = {
  ...noTokens,
  webSearchRequests: 0,
  webFetchRequests: 0,
  serviceTier: null,
  speed: null,
  inferenceGeo: null,
  iterations: [],
};

/**
 * Estimates the input tokens of a body nobody has counted: one per four bytes, rounded up.
 * English prose has 3.5 to 4.5 bytes a token and JSON's own characters count for little. Images and PDFs in
 * base64 come out far too high, other scripts too low: use it only where upstream's count is missing.
 */
export const estimateInputTokens = (bodyBytes: number): number => Math.ceil(bodyBytes / 4);

/**
 * Estimates output tokens from delivered text: two per seven bytes, rounded up, so a little high, because an
 * answer that breaks off also ends with tokens that were made but never sent.
 */
export const estimateOutputTokens = (textBytes: number): number => Math.ceil((textBytes * 2) / 7);

type Json = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Only whole numbers of at least 0 are counts: a broken upstream must not make a price negative or NaN. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** A count from the wire, or `before`. (`+ 0` makes -0 a 0.) */
const countOr = (before: number, value: unknown): number => (isCount(value) ? value + 0 : before);

/** A short string from the wire that is safe to store, or `before`. */
export const nameOr = <T extends string>(before: T | null, value: unknown): T | null =>
  typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) ? (value as T) : before;

/** Token counts while they are being put together. */
type TokenDraft = {
  input: number;
  output: number;
  cacheRead: number;
  /** `cache_creation_input_tokens`: both lifetimes together. */
  cacheWrite: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
};

/** Usage while it is being put together. */
export type UsageDraft = TokenDraft & {
  webSearch: number;
  webFetch: number;
  serviceTier: string | null;
  speed: string | null;
  inferenceGeo: string | null;
  iterations: Usage["iterations"];
};

const emptyTokens = (): TokenDraft => ({
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
});

export const emptyDraft = (): UsageDraft => ({
  ...emptyTokens(),
  webSearch: 0,
  webFetch: 0,
  serviceTier: null,
  speed: null,
  inferenceGeo: null,
  iterations: [],
});

/**
 * Merges a `usage` object into the draft, field by field. Usage is cumulative: the last value wins, nothing is
 * summed, and a field that is absent, null or no count leaves the one before.
 * https://docs.anthropic.com/en/api/messages-streaming
 */
export const mergeUsage = (draft: UsageDraft, wire: unknown): void => {
  if (!isJsonObject(wire)) {
    return;
  }
  mergeTokens(draft, wire);
  const tools = wire["server_tool_use"];
  if (isJsonObject(tools)) {
    draft.webSearch = countOr(draft.webSearch, tools["web_search_requests"]);
    draft.webFetch = countOr(draft.webFetch, tools["web_fetch_requests"]);
  }
  draft.serviceTier = nameOr(draft.serviceTier, wire["service_tier"]);
  draft.speed = nameOr(draft.speed, wire["speed"]);
  draft.inferenceGeo = nameOr(draft.inferenceGeo, wire["inference_geo"]);
  const iterations = wire["iterations"];
  if (Array.isArray(iterations)) {
    draft.iterations = iterations.filter(isJsonObject).map(iterationOf);
  }
};

const iterationOf = (wire: Json): Usage["iterations"][number] => {
  const draft = emptyTokens();
  mergeTokens(draft, wire);
  return { ...tokensOf(draft), model: nameOr<ModelId>(null, wire["model"]) };
};

const mergeTokens = (draft: TokenDraft, wire: Json): void => {
  draft.input = countOr(draft.input, wire["input_tokens"]);
  draft.output = countOr(draft.output, wire["output_tokens"]);
  draft.cacheRead = countOr(draft.cacheRead, wire["cache_read_input_tokens"]);
  draft.cacheWrite = countOr(draft.cacheWrite, wire["cache_creation_input_tokens"]);
  const byLifetime = wire["cache_creation"];
  if (isJsonObject(byLifetime)) {
    draft.cacheWrite5m = countOr(draft.cacheWrite5m, byLifetime["ephemeral_5m_input_tokens"]);
    draft.cacheWrite1h = countOr(draft.cacheWrite1h, byLifetime["ephemeral_1h_input_tokens"]);
  }
};

/**
 * `message_delta` restates only the total of the cache writes. What the total has beyond the known lifetimes
 * is taken for 5 minutes, the default, unless all that is known is 1 hour.
 */
const tokensOf = (draft: TokenDraft): Tokens => {
  const { cacheWrite5m, cacheWrite1h } = draft;
  const unknown = Math.max(0, draft.cacheWrite - cacheWrite5m - cacheWrite1h);
  const isAll1h = cacheWrite5m === 0 && cacheWrite1h > 0;
  return {
    inputTokens: draft.input,
    outputTokens: draft.output,
    cacheReadInputTokens: draft.cacheRead,
    cacheCreation5mInputTokens: cacheWrite5m + (isAll1h ? 0 : unknown),
    cacheCreation1hInputTokens: cacheWrite1h + (isAll1h ? unknown : 0),
  };
};

/** The draft as a value, with at least `leastOutput` output tokens. */
export const usageOf = (draft: UsageDraft, leastOutput: number): Usage => ({
  ...tokensOf(draft),
  outputTokens: Math.max(draft.output, leastOutput),
  webSearchRequests: draft.webSearch,
  webFetchRequests: draft.webFetch,
  serviceTier: draft.serviceTier,
  speed: draft.speed,
  inferenceGeo: draft.inferenceGeo,
  iterations: draft.iterations,
});

/** The `error.type` of Anthropic's error envelope; a nameless error is an `api_error`. */
export const errorTypeOf = (envelope: Readonly<Record<string, unknown>>): string => {
  const error = envelope["error"];
  return (isJsonObject(error) ? nameOr(null, error["type"]) : null) ?? "api_error";
};
