import { type Static, Type } from "typebox";

/** Anthropic's error types, as its SDKs know them. https://docs.anthropic.com/en/api/errors */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "timeout_error"
  | "api_error"
  | "overloaded_error";

type ErrorMeaning = Readonly<{ status: number; type: ErrorType; retry?: "never" }>;

/**
 * The relay's whole vocabulary of refusals, and how each looks on Anthropic's wire.
 * `retry: "never"` sends `x-should-retry: false`: without it Claude Code repeats a hopeless 401 for minutes.
 */
export const errorMeanings = {
  invalid_request: { status: 400, type: "invalid_request_error" },
  model_denied: { status: 400, type: "invalid_request_error" },
  credential_expired: { status: 401, type: "authentication_error" },
  credential_invalid: { status: 401, type: "authentication_error", retry: "never" },
  forbidden: { status: 403, type: "permission_error", retry: "never" },
  update_needed: { status: 403, type: "permission_error", retry: "never" },
  not_found: { status: 404, type: "not_found_error" },
  request_timeout: { status: 408, type: "timeout_error" },
  conflict: { status: 409, type: "invalid_request_error", retry: "never" },
  too_large: { status: 413, type: "request_too_large" },
  unsupported_media_type: { status: 415, type: "invalid_request_error" },
  rate_limited: { status: 429, type: "rate_limit_error" },
  over_budget: { status: 429, type: "billing_error", retry: "never" },
  headers_too_large: { status: 431, type: "request_too_large" },
  internal: { status: 500, type: "api_error" },
  upstream_unreachable: { status: 502, type: "api_error" },
  breaker_open: { status: 503, type: "api_error" },
  storage_unavailable: { status: 503, type: "api_error" },
  draining: { status: 503, type: "api_error" },
  upstream_timeout: { status: 504, type: "timeout_error" },
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorMeanings;

/** Anthropic's error envelope. */
export const ErrorBody = Type.Object(
  {
    type: Type.Literal("error"),
    error: Type.Object({ type: Type.String(), message: Type.String() }),
    request_id: Type.String(),
  },
  {
    $id: "ErrorBody",
    description:
      "An error in Anthropic's shape. The header x-relay-error names the code of a refusal of the relay's own",
  },
);
export type ErrorBody = Static<typeof ErrorBody>;
