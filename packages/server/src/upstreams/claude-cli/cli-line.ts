import { type JsonObject, parseObject } from "../../pipeline/json/parse-object.ts";

/** One line of Claude Code's stdout, as far as the relay reads it. */
export type CliLine =
  | {
      readonly kind: "control_response";
      readonly id: string;
      readonly error: string | null;
      /** Told with the answer to `initialize`, before anything is asked of the model. */
      readonly version: string | null;
    }
  /** Claude Code asks the relay for something: a permission, a hook, an MCP call. */
  | { readonly kind: "control_request" }
  | { readonly kind: "init"; readonly fields: Fields }
  | {
      readonly kind: "event";
      readonly event: Fields & Readonly<{ type: string }>;
      /** Claude Code's own ending of a message that upstream did not end. */
      readonly abandoned: boolean;
      /** Not of the call itself but of an agent. */
      readonly nested: boolean;
    }
  /** A turn Claude Code added to the conversation: a tool's result, a nudge to go on. */
  | { readonly kind: "user" }
  | {
      readonly kind: "refusal";
      readonly category: string | null;
      readonly explanation: string | null;
    }
  | { readonly kind: "rate_limit"; readonly resetsAtSeconds: number | null }
  /** `status` is what the first try was answered; null for a lost connection or another model. */
  | { readonly kind: "retry"; readonly status: number | null }
  | { readonly kind: "result"; readonly result: CliResult }
  | { readonly kind: "other" }
  /** No line of Claude Code's. */
  | { readonly kind: "garbage" };

export type Fields = JsonObject;

export type CliResult = Readonly<{
  /** API errors come as `success` with `isError`. */
  subtype: string;
  isError: boolean;
  text: string;
  terminalReason: string | null;
  apiErrorStatus: number | null;
  apiErrorType: string | null;
  apiError: string | null;
  /** Output tokens of all models of this process. */
  outputTokens: number | null;
}>;

/** Reads a line. Never throws: what it does not know is `other`, what is no object with a type is `garbage`. */
export const readCliLine = (line: string): CliLine => {
  // Whole blocks once more, after their deltas: not worth the parsing.
  if (line.startsWith('{"type":"assistant"')) {
    return { kind: "other" };
  }
  const fields = parseObject(line);
  switch (fields?.["type"]) {
    case undefined:
      return { kind: "garbage" };
    case "stream_event":
      return readEvent(fields ?? {});
    case "system":
      return readSystem(fields ?? {});
    case "user":
      return { kind: "user" };
    case "control_request":
      return { kind: "control_request" };
    case "control_response":
      return readControlResponse(objectOf(fields?.["response"]));
    case "rate_limit_event": {
      const at = objectOf(fields?.["rate_limit_info"])["resetsAt"];
      return { kind: "rate_limit", resetsAtSeconds: typeof at === "number" ? at : null };
    }
    case "result":
      return { kind: "result", result: readResult(fields ?? {}) };
    default:
      return { kind: "other" };
  }
};

const readEvent = (fields: Fields): CliLine => {
  const event = objectOf(fields["event"]);
  const type = event["type"];
  if (typeof type !== "string" || !/^[a-z_]{1,64}$/.test(type)) {
    return { kind: "garbage" };
  }
  return {
    kind: "event",
    event: { ...event, type },
    abandoned: fields["abandoned_blocks"] !== undefined,
    nested: (fields["parent_tool_use_id"] ?? null) !== null,
  };
};

const readSystem = (fields: Fields): CliLine => {
  switch (fields["subtype"]) {
    case "init":
      return { kind: "init", fields };
    case "api_retry":
    case "model_fallback": {
      const status = fields["error_status"];
      return { kind: "retry", status: typeof status === "number" ? status : null };
    }
    case "model_refusal_no_fallback":
      return {
        kind: "refusal",
        category: textOrNull(fields["api_refusal_category"]),
        explanation: textOrNull(fields["api_refusal_explanation"]),
      };
    default:
      return { kind: "other" };
  }
};

const readControlResponse = (response: Fields): CliLine => ({
  kind: "control_response",
  id: textOf(response["request_id"]),
  error: response["subtype"] === "success" ? null : textOf(response["error"]) || "no reason given",
  version: textOrNull(objectOf(response["response"])["claude_code_version"]),
});

const readResult = (fields: Fields): CliResult => {
  const status = fields["api_error_status"];
  return {
    subtype: textOf(fields["subtype"]),
    isError: fields["is_error"] === true,
    text: textOf(fields["result"]),
    terminalReason: textOrNull(fields["terminal_reason"]),
    apiErrorStatus: typeof status === "number" ? status : null,
    apiErrorType: textOrNull(fields["api_error_type"]),
    apiError: textOrNull(fields["api_error"]),
    outputTokens: outputTokensOf(objectOf(fields["modelUsage"])),
  };
};

const outputTokensOf = (modelUsage: Fields): number | null => {
  const counts = Object.values(modelUsage).map((usage) => objectOf(usage)["outputTokens"]);
  return counts.length > 0 && counts.every((count) => typeof count === "number")
    ? counts.reduce((total: number, count) => total + count, 0)
    : null;
};

const objectOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
