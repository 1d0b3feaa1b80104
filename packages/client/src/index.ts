export {
  type Client,
  type Complete,
  complete,
  createClient,
  fetchPage,
  models,
  streamComplete,
} from "./client.ts";
export type { CompleteOptions, JsonOptions, TextOptions, Usage } from "./completion.ts";
export type { FinalAnswer } from "./completion-events.ts";
export type { CompletionStream } from "./completion-stream.ts";
export {
  ApiError,
  AuthenticationError,
  BillingError,
  InvalidRequestError,
  NotFoundError,
  OverloadedError,
  PermissionDeniedError,
  RateLimitError,
  RelayConfigurationError,
  RelayConnectionError,
  RelayError,
  type RelayErrorDetails,
  RelayTimeoutError,
  RequestTooLargeError,
  UnexpectedAnswerError,
} from "./errors.ts";
export type { CallOptions } from "./json-answer.ts";
export type { Model } from "./models.ts";
export type { FetchPageOptions, Page } from "./page.ts";
export type { ClientOptions } from "./settings.ts";
