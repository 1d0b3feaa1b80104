import type { ErrorType } from "@claude-relay/contract";

/** The error type that goes with each status. https://docs.anthropic.com/en/api/errors */
const types: Readonly<Record<number, ErrorType>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The type Anthropic gives an error of this status. */
const errorTypeOf = (status: number): ErrorType =>
  types[status] ?? (status < 500 ? "invalid_request_error" : "api_error");

/** A request the simulated API turns down; thrown anywhere, answered once in server.ts. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: ErrorType;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.type = errorTypeOf(status);
    this.headers = headers;
  }
}

/** 400 with Anthropic's wording for a faulty field: `where: what`. */
export const invalid = (message: string): ApiError => new ApiError(400, message);

/** Anthropic's error envelope, as JSON text. */
export const errorEnvelope = (type: string, message: string, requestId: string): string =>
  JSON.stringify({ type: "error", error: { type, message }, request_id: requestId });
