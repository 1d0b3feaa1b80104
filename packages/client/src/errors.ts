/** What is known of a failed call besides its message. */
export type RelayErrorDetails = Readonly<{
  /** Anthropic's error type (`rate_limit_error`, …), or one of the client's own. */
  type: string;
  /** The HTTP status; without one no answer came. */
  status?: number | undefined;
  /** To be named when asking the relay's operator. */
  requestId?: string | undefined;
  /** After how many seconds the relay would like to be asked again. */
  retryAfterSeconds?: number | undefined;
}>;

/**
 * A call that failed: one subclass for each of Anthropic's error types, and the client's own.
 * Neither the message nor any field holds the key. https://docs.anthropic.com/en/api/errors
 */
export class RelayError extends Error {
  readonly type: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, details: RelayErrorDetails) {
    super(message);
    this.name = new.target.name;
    this.type = details.type;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** 400: the request cannot be served as it is; the message says why. */
export class InvalidRequestError extends RelayError {}
/** 401: no key, a wrong one, or a revoked one. */
export class AuthenticationError extends RelayError {}
/** The money is used up. */
export class BillingError extends RelayError {}
/** 403: the key may not do this. */
export class PermissionDeniedError extends RelayError {}
/** 404: no such thing at this address. */
export class NotFoundError extends RelayError {}
/** 413: the input is larger than the relay takes. */
export class RequestTooLargeError extends RelayError {}
/** 429: too often, or too much at once; see `retryAfterSeconds`. */
export class RateLimitError extends RelayError {}
/** 500, 502, 503: the relay or what it asks failed. */
export class ApiError extends RelayError {}
/** The model's servers are overloaded. */
export class OverloadedError extends RelayError {}
/** 504, or the client's own time ran out (then without a status). */
export class RelayTimeoutError extends RelayError {}

/** No connection to the relay, or one that broke before the answer was whole. */
export class RelayConnectionError extends RelayError {
  /** The system's word for it: `ECONNREFUSED`, … */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message, { type: "connection_error" });
    this.code = code;
  }
}

/** The address answered, but not as a relay does: a proxy's page, a redirect, garbage. */
export class UnexpectedAnswerError extends RelayError {
  constructor(message: string, details: Omit<RelayErrorDetails, "type"> = {}) {
    super(message, { ...details, type: "unexpected_answer" });
  }
}

/** The client cannot be used like this: no URL, no key, or a browser around it. */
export class RelayConfigurationError extends RelayError {
  constructor(message: string) {
    super(message, { type: "configuration_error" });
  }
}

/** The error of a type in Anthropic's vocabulary; a type nobody knows goes by its status. */
export const errorOfType = (message: string, details: RelayErrorDetails): RelayError => {
  const Subclass =
    classes.get(details.type) ?? classes.get(typeOfStatus(details.status)) ?? ApiError;
  return new Subclass(message, details);
};

/** Anthropic's error type for a status, where the answer itself names none. */
export const typeOfStatus = (status: number | undefined): string =>
  types.get(status ?? 0) ?? ((status ?? 500) < 500 ? "invalid_request_error" : "api_error");

const classes = new Map<string, new (message: string, details: RelayErrorDetails) => RelayError>([
  ["invalid_request_error", InvalidRequestError],
  ["authentication_error", AuthenticationError],
  ["billing_error", BillingError],
  ["permission_error", PermissionDeniedError],
  ["not_found_error", NotFoundError],
  ["request_too_large", RequestTooLargeError],
  ["rate_limit_error", RateLimitError],
  ["api_error", ApiError],
  ["overloaded_error", OverloadedError],
  ["timeout_error", RelayTimeoutError],
]);

const types = new Map([
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);
