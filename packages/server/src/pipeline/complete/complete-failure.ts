import { type AppFailure, appFailureOf, type UpstreamError } from "./app-failure.ts";
import type { SchemaFault } from "./result.ts";

/** Nothing, or less than a message: also of an upstream that answers 200 with something else. */
export const unfinished: AppFailure = {
  status: 502,
  type: "api_error",
  message: "Upstream broke off before its answer was complete.",
};

/** An answer that cannot be handed on is no fault of the request's. */
export const unshowable: AppFailure = {
  status: 502,
  type: "api_error",
  message: "The answer cannot be handed on. The relay's log knows more under this request id.",
};

/** An error whose words are our own: it is told as it stands. */
const ownFailure = ({ status, type, message }: UpstreamError): AppFailure => ({
  status: status ?? ownStatuses.get(type) ?? 502,
  type,
  message,
});

const ownStatuses: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["timeout_error", 504],
]);

/** Reads an upstream's error body, of whatever kind. */
export const errorOf = (status: number, body: string): UpstreamError => {
  try {
    const { error } = JSON.parse(body) as { error: { type: unknown; message: unknown } };
    const { type, message } = error;
    if (typeof type === "string" && typeof message === "string") {
      return { status, type, message };
    }
  } catch {
    // No error body: named by its status below.
  }
  return { status, type: "api_error", message: `Upstream answered ${status}.` };
};

export const failureOf = (error: UpstreamError, isOurs: boolean, model: string): AppFailure =>
  isOurs ? ownFailure(error) : appFailureOf(error, model);

/** When to try again, where upstream's own headers do not say it. */
export const advice = ({ status, retry }: AppFailure, headers: readonly string[]): string[] => {
  if (retry === "never") {
    return ["x-should-retry", "false"];
  }
  return status === 429 && !headers.includes("retry-after") ? ["retry-after", "1"] : [];
};

export const failureOfSchema = (fault: SchemaFault, stopReason: string): AppFailure => {
  switch (fault) {
    case "misfit": {
      const remedy =
        stopReason === "max_tokens"
          ? "Allow more max_tokens."
          : "Try again, or simplify the schema.";
      const message = `The answer does not fit json_schema (stop_reason: ${stopReason}). ${remedy}`;
      // It has been paid for: whether to pay again is for the app to decide, not for its HTTP client.
      return { status: 502, type: "api_error", message, retry: "never" };
    }
    case "unusable_schema":
    case "slow_schema": {
      const message = "json_schema: an answer cannot be checked against it in time. Simplify it.";
      return { status: 400, type: "invalid_request_error", message };
    }
  }
};
