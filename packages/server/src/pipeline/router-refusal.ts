/** What the line and upstream say, as routers are told it. */
import type { ErrorCode } from "@claude-relay/contract";
import type { AppFailure } from "./complete/app-failure.ts";
import { Refusal } from "./refusal.ts";
import { RouterRefusal, type RouterRefusalCode } from "./router-ports.ts";

/** Whatever was thrown, in the relay's own words; what is no refusal tells nothing of our insides. */
export const routerRefusalOf = (error: unknown): RouterRefusal => {
  if (error instanceof RouterRefusal) {
    return error;
  }
  if (!(error instanceof Refusal)) {
    return new RouterRefusal("internal", "The relay failed. Its log knows more.");
  }
  const { retryAfterSeconds } = error.details;
  const fields = retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds };
  return new RouterRefusal(codes[error.code], error.message, fields);
};

const codes: Readonly<Record<ErrorCode, RouterRefusalCode>> = {
  invalid_request: "invalid_request",
  model_denied: "model_denied",
  credential_expired: "session_expired",
  credential_invalid: "session_unknown",
  forbidden: "router_revoked",
  update_needed: "invalid_request",
  not_found: "invalid_request",
  request_timeout: "invalid_request",
  conflict: "invalid_request",
  too_large: "too_large",
  unsupported_media_type: "invalid_request",
  rate_limited: "rate_limited",
  over_budget: "budget_exceeded",
  headers_too_large: "invalid_request",
  internal: "internal",
  upstream_unreachable: "upstream_unavailable",
  breaker_open: "upstream_unavailable",
  storage_unavailable: "unavailable",
  draining: "unavailable",
  upstream_timeout: "timeout",
};

/** @param retryAfter seconds, when upstream named them */
export const routerRefusalOfFailure = (
  { status, message }: AppFailure,
  retryAfter: number | null,
): RouterRefusal => {
  const code = status === 504 ? "timeout" : "upstream_unavailable";
  return new RouterRefusal(code, message, retryAfter === null ? {} : { retry_after: retryAfter });
};
