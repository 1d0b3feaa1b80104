// claude-relay's TypeScript client in one file: copy it into your project, it needs nothing else.
// Node 20 or newer. Server-side only: never ship a key to a browser.
//
// Generated from packages/client/src by `npm run generate`; do not edit.

// errors

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
const errorOfType = (message: string, details: RelayErrorDetails): RelayError => {
  const Subclass =
    classes.get(details.type) ?? classes.get(typeOfStatus(details.status)) ?? ApiError;
  return new Subclass(message, details);
};

/** Anthropic's error type for a status, where the answer itself names none. */
const typeOfStatus = (status: number | undefined): string =>
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

// answer-body

/** No answer of a relay comes near it: pages end at 2 MB, completions at 128,000 tokens. */
const largestAnswerBytes = 32 * 1024 * 1024;

/**
 * The chunks of a body, as they come. Throws UnexpectedAnswerError past `limit` bytes.
 * Leaving the loop early lets go of the connection.
 */
async function* chunksOf(response: Response, limit: number): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    return;
  }
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      bytes += value.byteLength;
      if (bytes > limit) {
        throw new UnexpectedAnswerError(`The answer is larger than ${limit} bytes.`, {
          status: response.status,
        });
      }
      yield value;
    }
  } finally {
    // Rejects with what broke the body, which the reader has heard already.
    reader.cancel().catch(() => undefined);
  }
}

/** A whole body as text. Throws UnexpectedAnswerError when it is too large or not UTF-8. */
const textOfBody = async (response: Response, limit: number): Promise<string> => {
  const text = strictDecoder(response.status);
  let whole = "";
  for await (const chunk of chunksOf(response, limit)) {
    whole += text(chunk);
  }
  return whole + text();
};

/** Decodes UTF-8 piece by piece, characters split between pieces included; called without one at the end. */
const strictDecoder = (status: number): ((chunk?: Uint8Array) => string) => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return (chunk) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new UnexpectedAnswerError("The answer is not UTF-8.", { status });
    }
  };
};

// retry

/** One attempt that failed, and what decides whether another may follow. */
type Failure = Readonly<{
  error: RelayError;
  /** Whether the relay can have begun to work (and to pay) for it. */
  reached: "no" | "perhaps";
  /** The answer's `x-should-retry`, which wins over everything else. */
  shouldRetry?: boolean | undefined;
}>;

type RetryRule = Readonly<{
  maxRetries: number;
  /** Whether doing it twice costs nothing: then also what perhaps reached the relay is repeated. */
  repeatable: boolean;
  random: () => number;
}>;

/** A longer Retry-After is for the caller to plan with, not to sleep through. */
const longestRetryAfterSeconds = 60;

/**
 * How many milliseconds to wait before the next attempt; undefined when there is to be none.
 * Full jitter over 0.5 s doubling up to 8 s, on top of what Retry-After asks for.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
const waitBeforeRetry = (
  failure: Failure,
  attempt: number,
  rule: RetryRule,
): number | undefined => {
  const retryAfter = failure.error.retryAfterSeconds ?? 0;
  if (attempt >= rule.maxRetries || retryAfter > longestRetryAfterSeconds) {
    return undefined;
  }
  if (!(failure.shouldRetry ?? isSafe(failure, rule.repeatable))) {
    return undefined;
  }
  return retryAfter * 1000 + rule.random() * Math.min(8000, 500 * 2 ** attempt);
};

/**
 * A completion costs money, so it is repeated only when the relay surely did not pay for the first: no
 * connection was made, or it turned the request away (429, 503, overloaded). After 500, 502, 504 or a
 * broken connection the model may have answered, and only what is repeatable is tried again.
 */
const isSafe = ({ error, reached }: Failure, repeatable: boolean): boolean => {
  if (error.type === "billing_error") {
    return false;
  }
  if (error.status === undefined) {
    return error.type === "connection_error" && (reached === "no" || repeatable);
  }
  if (error.type === "overloaded_error" || [429, 503, 529].includes(error.status)) {
    return true;
  }
  return repeatable && [500, 502, 504].includes(error.status);
};

/**
 * Seconds in a Retry-After header, which holds a number or a date (RFC 9110 §10.2.3). A date is read
 * against the answer's own Date, so that a wrong clock here does not matter. Undefined for anything else.
 */
const retryAfterSeconds = (headers: Headers): number | undefined => {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) {
    return Number(value);
  }
  const date = httpDate(value);
  if (date === undefined) {
    return undefined;
  }
  const now = httpDate(headers.get("date") ?? "") ?? Date.now();
  return Math.max(0, (date - now) / 1000);
};

// Only the one form that servers send; Date.parse alone would take "-1" for a year.
const httpDate = (text: string): number | undefined => {
  const time = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} /.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};

// failure

type ErrorBody = Readonly<{ error: { type: string; message: string }; request_id?: unknown }>;

/** What an answer that is no success says, with the key blotted out should it be quoted. */
const failureOfAnswer = async (response: Response, key: string): Promise<Failure> => {
  const { status, headers } = response;
  const wish = headers.get("x-should-retry");
  const shouldRetry = wish === "true" ? true : wish === "false" ? false : undefined;
  if (status < 400) {
    const error = new UnexpectedAnswerError(notAnAnswer(response), { status: status || undefined });
    return { error, reached: "no", shouldRetry: false };
  }
  const body = parseErrorBody(await errorText(response));
  const error = errorOfType(body ? withoutKey(body.error.message, key) : proxysWords(response), {
    status,
    type: body?.error.type ?? typeOfStatus(status),
    requestId: requestIdOf(body, headers),
    retryAfterSeconds: retryAfterSeconds(headers),
  });
  return { error, reached: "perhaps", shouldRetry };
};

/** The error in a body or an error event, of Anthropic's shape; undefined for anything else. */
const parseErrorBody = (text: string): ErrorBody | undefined => {
  const body = parseObject(text);
  const error = body?.["error"] as Partial<ErrorBody["error"]> | undefined;
  return typeof error?.type === "string" && typeof error.message === "string"
    ? (body as ErrorBody)
    : undefined;
};

/** A JSON object; undefined for anything else. */
const parseObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
};

/** What a rejected fetch, or a body that broke, says. Its own error is not kept: it may hold headers. */
const failureOfConnection = (thrown: unknown, base: string): Failure => {
  if (thrown instanceof RelayError) {
    return { error: thrown, reached: "perhaps", shouldRetry: false };
  }
  const code = codeOf(thrown);
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    const words =
      "fetch itself waits no longer than five minutes: use streamComplete for long answers.";
    const error = new RelayTimeoutError(words, { type: "timeout_error" });
    return { error, reached: "perhaps", shouldRetry: false };
  }
  const why = code === undefined ? "" : ` (${code})`;
  const origin = new URL(base).origin;
  if (neverConnected(thrown, code)) {
    const words = `No connection to the relay at ${origin}${why}: is the address right, and does it run?`;
    return { error: new RelayConnectionError(words, code), reached: "no" };
  }
  const error = new RelayConnectionError(
    `The connection to the relay at ${origin} broke${why}.`,
    code,
  );
  // A certificate that does not fit will not fit in a second either.
  const hopeless = /CERT|TLS|SSL|SIGN|EPROTO/.test(code ?? "");
  return { error, reached: "perhaps", ...(hopeless && { shouldRetry: false }) };
};

const neverConnected = (thrown: unknown, code = ""): boolean => {
  const { cause } = (thrown ?? {}) as { cause?: { syscall?: unknown; errors?: unknown } };
  return (
    ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(code) ||
    cause?.syscall === "connect" ||
    // Node's words for "none of the name's addresses took the connection".
    Array.isArray(cause?.errors)
  );
};

/** Node puts the system's error into `cause`. */
const codeOf = (thrown: unknown): string | undefined => {
  const { code, cause } = (thrown ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  return [cause?.code, code].find((one): one is string => typeof one === "string");
};

/** The body of an error; what cannot be read of it is not worth another error. */
const errorText = async (response: Response): Promise<string> => {
  try {
    return await textOfBody(response, largestAnswerBytes);
  } catch {
    return "";
  }
};

const requestIdOf = (body: ErrorBody | undefined, headers: Headers): string | undefined =>
  typeof body?.request_id === "string" ? body.request_id : (headers.get("request-id") ?? undefined);

/** For an error that does not come from a relay: a proxy's or a tunnel's page. */
const proxysWords = ({ status, headers }: Response): string => {
  const kind = headers.get("content-type")?.split(";")[0] ?? "no content type";
  const ngrok = headers.get("ngrok-error-code")?.match(/^ERR_NGROK_\d+$/)?.[0];
  return `The relay's address answered ${status} without saying why (${ngrok ?? kind}): is the relay running behind its proxy or tunnel?`;
};

/** For an answer that should have been a success, and is none of a relay. */
const notAnAnswer = ({ status, headers }: Response): string => {
  const kind = headers.get("content-type")?.split(";")[0] ?? "no content type";
  if (status >= 300 || status === 0) {
    return `The relay's address answered with a redirect (${status}), which is not followed, as the key must not travel on: set the URL to where the relay really is.`;
  }
  return `The relay's address answered ${status}, but not as a relay does (${kind}): is the URL right, and is a proxy's page in between?`;
};

/** A message without the key, in case a server quotes what it was sent. */
const withoutKey = (message: string, key: string): string =>
  message.replaceAll(key, "[key]").slice(0, 2000);

// watch

/**
 * What ends a call early: the caller's signal, or a clock that ran out. `signal` aborts with the caller's
 * reason or a RelayTimeoutError. `end` must be called once the call is over.
 */
type Watch = Readonly<{
  signal: AbortSignal;
  /** Starts the clock anew; when it runs out the call ends with these words. */
  allow(milliseconds: number, words: string): void;
  /** Stops the clock. */
  rest(): void;
  /** Milliseconds until the clock runs out. */
  left(): number;
  /** Ends the call, if it still runs, and lets go of the caller's signal. */
  end(): void;
}>;

/** Throws the caller's reason when the signal has been aborted already. */
const startWatch = (callersSignal?: AbortSignal): Watch => {
  callersSignal?.throwIfAborted();
  const controller = new AbortController();
  const leave = (): void => controller.abort(callersSignal?.reason);
  callersSignal?.addEventListener("abort", leave, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let until = Number.POSITIVE_INFINITY;
  const rest = (): void => {
    clearTimeout(timer);
    until = Number.POSITIVE_INFINITY;
  };
  return {
    signal: controller.signal,
    allow: (milliseconds, words) => {
      rest();
      until = performance.now() + milliseconds;
      timer = setTimeout(
        () => controller.abort(new RelayTimeoutError(words, { type: "timeout_error" })),
        milliseconds,
      );
    },
    rest,
    left: () => until - performance.now(),
    end: () => {
      rest();
      callersSignal?.removeEventListener("abort", leave);
      controller.abort();
    },
  };
};

/** Waits; rejects with the signal's reason as soon as it aborts. */
const sleepFor = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const wake = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", wake);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", wake, { once: true });
  });

// settings

export type ClientOptions = Readonly<{
  /** The relay's address, without `/v1`. */
  url: string;
  /** An app key (`crk_…`). */
  key: string;
  /** The longest a whole call may take, retries included; a stream: until it begins. Default 300,000. */
  timeoutMs?: number | undefined;
  /** The longest silence inside a stream (the relay sends a sign of life every 15 s). Default 90,000. */
  idleTimeoutMs?: number | undefined;
  /** How often a failed call is repeated. Default 2; 0 never repeats. */
  maxRetries?: number | undefined;
  /**
   * Also repeat a completion that may have been paid for already: after 500, 502 or 504, or a connection
   * that broke after the prompt was sent. Default false.
   */
  retryMaybeBilled?: boolean | undefined;
  /** Sends the requests; the platform's by default. */
  fetch?: typeof globalThis.fetch | undefined;
  /** A number in [0, 1); for tests. */
  random?: (() => number) | undefined;
  /** Waits so many milliseconds, or rejects with the signal's reason; for tests. */
  sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
}>;

/** The options, checked and completed. `base` has no slash at its end. */
type Settings = Readonly<{
  base: string;
  key: string;
  timeoutMs: number;
  idleTimeoutMs: number;
  maxRetries: number;
  retryMaybeBilled: boolean;
  fetch: typeof globalThis.fetch;
  random: () => number;
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}>;

type Names = Readonly<{ url: string; key: string }>;

/** Throws RelayConfigurationError with what is wrong and the remedy; never shows a value, which may be a secret. */
const settingsFrom = (
  options: ClientOptions,
  names: Names = { url: "url", key: "key" },
): Settings => ({
  base: baseOf(options.url, names.url),
  key: keyOf(options.key, names.key),
  timeoutMs: milliseconds("timeoutMs", options.timeoutMs ?? 300_000),
  idleTimeoutMs: milliseconds("idleTimeoutMs", options.idleTimeoutMs ?? 90_000),
  maxRetries: retries(options.maxRetries ?? 2),
  retryMaybeBilled: options.retryMaybeBilled ?? false,
  fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
  random: options.random ?? Math.random,
  sleep: options.sleep ?? sleepFor,
});

/** The settings in CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY, as they are now. */
const settingsFromEnvironment = (): Settings => {
  const { process } = globalThis as { process?: { env: Record<string, string | undefined> } };
  const environment = process?.env ?? {};
  const names = { url: "CLAUDE_RELAY_URL", key: "CLAUDE_RELAY_KEY" };
  return settingsFrom(
    { url: environment[names.url] ?? "", key: environment[names.key] ?? "" },
    names,
  );
};

/** A time limit in whole or broken milliseconds that a timer can hold. */
const milliseconds = (name: string, value: number): number => {
  // Timers take 31 bits; a larger number would fire at once.
  if (!(value > 0 && value <= 2_147_483_647)) {
    throw new RelayConfigurationError(
      `${name} must be a number of milliseconds above 0 and below 2^31.`,
    );
  }
  return value;
};

const retries = (value: number): number => {
  if (!Number.isInteger(value) || value < 0) {
    throw new RelayConfigurationError("maxRetries must be a whole number, 0 or more.");
  }
  return value;
};

const baseOf = (given: unknown, name: string): string => {
  const text = textOf(given, name, "the relay's address, such as https://relay.example.com");
  if (!/^https?:\/\//i.test(text)) {
    throw new RelayConfigurationError(`${name} must begin with https:// or http://.`);
  }
  if (!URL.canParse(text)) {
    throw new RelayConfigurationError(`${name} is not a valid URL.`);
  }
  const { origin, pathname, search, hash, username, password } = new URL(text);
  if (username || password || search || hash) {
    throw new RelayConfigurationError(
      `${name} must be an address only: no user name, password, "?" or "#".`,
    );
  }
  const path = pathname.replace(/\/+$/, "");
  if (/\/v1(\/|$)/.test(path)) {
    throw new RelayConfigurationError(`${name} must not contain /v1: the client adds it.`);
  }
  return origin + path;
};

const keyOf = (given: unknown, name: string): string => {
  const text = textOf(given, name, "an app key (crk_…), which ./bin/genkey <label> prints");
  // Checked here, as fetch would show the whole key in its complaint about the header.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new RelayConfigurationError(`${name} holds a character that no key has.`);
  }
  return text;
};

const textOf = (given: unknown, name: string, what: string): string => {
  const text = typeof given === "string" ? given.trim() : "";
  if (text === "") {
    throw new RelayConfigurationError(`${name} is not set: it must be ${what}.`);
  }
  return text;
};

// exchange

type Ask<Answer> = Readonly<{
  method: "GET" | "POST";
  /** Below the relay's address, with its slash. */
  path: string;
  body?: Readonly<Record<string, unknown>>;
  accept: "application/json" | "text/event-stream";
  /** Whether doing it twice costs nothing. */
  repeatable: boolean;
  /** Makes the answer of a response with status 200. */
  read: (response: Response) => Promise<Answer>;
}>;

/**
 * Sends a request until it succeeds or must not be repeated.
 * Throws a RelayError, or the reason of the caller's signal.
 */
const exchange = async <Answer>(
  settings: Settings,
  ask: Ask<Answer>,
  watch: Watch,
): Promise<Answer> => {
  const rule = { ...settings, repeatable: ask.repeatable || settings.retryMaybeBilled };
  const body = ask.body && JSON.stringify(ask.body);
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(settings, ask, body, watch);
    if ("answer" in outcome) {
      return outcome.answer;
    }
    const wait = waitBeforeRetry(outcome.failure, attempt, rule);
    // A wait that outlasts the call would only hide what the relay said.
    if (wait === undefined || wait >= watch.left()) {
      throw outcome.failure.error;
    }
    await settings.sleep(wait, watch.signal);
  }
};

type Outcome<Answer> = Readonly<{ answer: Answer }> | Readonly<{ failure: Failure }>;

const attemptOnce = async <Answer>(
  settings: Settings,
  ask: Ask<Answer>,
  body: string | undefined,
  watch: Watch,
): Promise<Outcome<Answer>> => {
  try {
    const response = await settings.fetch(settings.base + ask.path, {
      method: ask.method,
      headers: {
        authorization: `Bearer ${settings.key}`,
        accept: ask.accept,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      // Followed, a redirect could carry the key to another server.
      redirect: "manual",
      signal: watch.signal,
      ...(body !== undefined && { body }),
    });
    if (response.status === 200) {
      return { answer: await ask.read(response) };
    }
    const failure = await failureOfAnswer(response, settings.key);
    watch.signal.throwIfAborted();
    return { failure };
  } catch (thrown) {
    watch.signal.throwIfAborted();
    return { failure: failureOfConnection(thrown, settings.base) };
  }
};

// json-answer

export type CallOptions = Readonly<{
  /** Ends the call; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** In place of the client's. */
  timeoutMs?: number | undefined;
}>;

type JsonObject = Readonly<Record<string, unknown>>;

/** A call whose answer is one JSON object, `parse`d; undefined from `parse` means that it is not a relay's. */
const askForJson = async <Answer>(
  settings: Settings,
  ask: Omit<Ask<Answer>, "accept" | "read">,
  parse: (answer: JsonObject) => Answer | undefined,
  { signal, timeoutMs = settings.timeoutMs }: CallOptions,
): Promise<Answer> => {
  const limit = milliseconds("timeoutMs", timeoutMs);
  const watch = startWatch(signal);
  watch.allow(limit, `The relay did not answer within ${limit} ms.`);
  const read = async (response: Response): Promise<Answer> => {
    const body = parseObject(await textOfBody(response, largestAnswerBytes));
    const answer = body && parse(body);
    if (answer === undefined) {
      throw new UnexpectedAnswerError(notAnAnswer(response), { status: response.status });
    }
    return answer;
  };
  try {
    return await exchange(settings, { ...ask, accept: "application/json", read }, watch);
  } finally {
    watch.end();
  }
};

// completion

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
const requestCompletion = (settings: Settings, options: CompleteOptions): Promise<unknown> => {
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

const completePath = "/v1/complete";

/** The wire's names; what is undefined is left out when it is sent. */
const completionBody = (options: CompleteOptions): Readonly<Record<string, unknown>> => ({
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
const usageFrom = (wire: unknown): Usage => {
  const fields = (typeof wire === "object" && wire !== null ? wire : {}) as Record<string, unknown>;
  const count = (name: string): number => (typeof fields[name] === "number" ? fields[name] : 0);
  return {
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    cacheReadInputTokens: count("cache_read_input_tokens"),
    cacheCreationInputTokens: count("cache_creation_input_tokens"),
  };
};

// server-sent-events

/** One event of a stream. https://html.spec.whatwg.org/multipage/server-sent-events.html */
type ServerSentEvent = Readonly<{ event: string; data: string }>;

/**
 * Reads events out of text in any pieces: call it with each, and get the events that became whole.
 * An event without its closing empty line never comes out.
 */
const createEventReader = (): ((piece: string) => ServerSentEvent[]) => {
  let rest: string[] = [];
  let heldReturn = "";
  let event = "";
  let data: string[] = [];

  const read = (line: string): ServerSentEvent | undefined => {
    if (line === "") {
      const whole =
        data.length > 0 ? { event: event || "message", data: data.join("\n") } : undefined;
      event = "";
      data = [];
      return whole;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") {
      event = value;
    } else if (field === "data") {
      data.push(value);
    }
    return undefined;
  };

  return (piece) => {
    // A carriage return at the very end may be half of a line break: it waits for what follows.
    const text = heldReturn + piece;
    heldReturn = text.endsWith("\r") ? "\r" : "";
    const lines = text.slice(0, text.length - heldReturn.length).split(/\r\n|\r|\n/);
    const last = lines.pop() ?? "";
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      const whole = read(rest.join("") + line);
      rest = [];
      if (whole !== undefined) {
        events.push(whole);
      }
    }
    // Kept in pieces: a line of megabytes in small pieces must not be copied with each.
    rest.push(last);
    return events;
  };
};

// completion-events

/** A whole answer that came as a stream. */
export type FinalAnswer = Readonly<{
  /** Every piece of it. */
  text: string;
  usage: Usage;
  stopReason: string | null;
  /** As asked for. */
  model: string;
  /** The full id it stands for. */
  modelId: string;
  requestId: string;
  durationMs: number;
  /** The answer's JSON value, with `outputFormat: "json"` or `jsonSchema`. */
  result?: unknown;
}>;

type StreamEnd = Omit<FinalAnswer, "text">;

/** An answer that streams; anything else at this address is no relay's. */
const requireEventStream = async (response: Response): Promise<Response> => {
  if (!/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
    throw new UnexpectedAnswerError(notAnAnswer(response), { status: response.status });
  }
  return response;
};

/**
 * The pieces of text in the chunks of a stream; returns the whole. Throws the RelayError of an error event, and
 * RelayConnectionError when the stream stops without either. Events nobody knows are passed over.
 */
async function* readCompletion(
  chunks: AsyncIterable<Uint8Array>,
  key: string,
): AsyncGenerator<string, FinalAnswer> {
  const readEvents = createEventReader();
  const decode = strictDecoder(200);
  let text = "";
  for await (const chunk of chunks) {
    for (const event of readEvents(decode(chunk))) {
      const read = understand(event, key);
      if (read?.kind === "text") {
        text += read.text;
        yield read.text;
      } else if (read?.kind === "done") {
        return { text, ...read.end };
      }
    }
  }
  throw new RelayConnectionError("The stream was cut off before its end.");
}

type Understood =
  | Readonly<{ kind: "text"; text: string }>
  | Readonly<{ kind: "done"; end: StreamEnd }>
  | undefined;

const understand = ({ event, data }: ServerSentEvent, key: string): Understood => {
  switch (event) {
    case "text":
      return { kind: "text", text: textFrom(data) };
    case "done":
      return { kind: "done", end: endFrom(data) };
    case "error":
      throw errorFrom(data, key);
    default:
      return undefined;
  }
};

const textFrom = (data: string): string => {
  const text = parseObject(data)?.["text"];
  return typeof text === "string" ? text : garbage("text");
};

const endFrom = (data: string): StreamEnd => {
  const done = parseObject(data);
  if (done?.["ok"] !== true) {
    return garbage("done");
  }
  const { stop_reason: stopReason, duration_ms: durationMs } = done;
  return {
    usage: usageFrom(done["usage"]),
    stopReason: typeof stopReason === "string" ? stopReason : null,
    model: String(done["model"] ?? ""),
    modelId: String(done["model_id"] ?? ""),
    requestId: String(done["request_id"] ?? ""),
    durationMs: typeof durationMs === "number" ? durationMs : 0,
    ...("result" in done && { result: done["result"] }),
  };
};

const errorFrom = (data: string, key: string): Error => {
  const body = parseErrorBody(data);
  if (body === undefined) {
    return garbage("error");
  }
  const { error, request_id: requestId } = body;
  return errorOfType(withoutKey(error.message, key), {
    type: error.type,
    requestId: typeof requestId === "string" ? requestId : undefined,
  });
};

const garbage = (event: string): never => {
  throw new UnexpectedAnswerError(`The stream holds a "${event}" event that is not a relay's.`);
};

// completion-stream

/**
 * An answer while it is written: loop over it for its pieces, or await `final()` for all of it. The first
 * of the two sends the request. Leaving the loop ends it, so that nothing more is paid for.
 */
export type CompletionStream = AsyncIterable<string> &
  Readonly<{
    /**
     * The whole text and what it took. Beside a loop it resolves when the loop is through; without one
     * it reads the stream itself. Rejects when the stream fails or the loop was left early.
     */
    final(): Promise<FinalAnswer>;
  }>;

/** Nothing is sent until the stream is read. It is never sent again once the answer has begun. */
const openCompletionStream = (settings: Settings, options: CompleteOptions): CompletionStream => {
  let begun = false;
  let finish: (answer: FinalAnswer) => void = () => undefined;
  let fail: (reason: unknown) => void = () => undefined;
  const ended = new Promise<FinalAnswer>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  // The loop throws what went wrong; that nobody also asked for final() is no unhandled rejection.
  ended.catch(() => undefined);

  async function* pieces(): AsyncGenerator<string, void> {
    if (begun) {
      throw new TypeError("A completion stream can be read only once.");
    }
    begun = true;
    try {
      finish(yield* readOnce(settings, options));
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      const words = "The stream was left before its end.";
      fail(new RelayError(words, { type: "stream_left" }));
    }
  }

  return {
    [Symbol.asyncIterator]: pieces,
    final: async () => {
      if (!begun) {
        for await (const _ of pieces()) {
          // Only the end is wanted.
        }
      }
      return ended;
    },
  };
};

async function* readOnce(
  settings: Settings,
  options: CompleteOptions,
): AsyncGenerator<string, FinalAnswer> {
  const limit = milliseconds("timeoutMs", options.timeoutMs ?? settings.timeoutMs);
  const watch = startWatch(options.signal);
  try {
    watch.allow(limit, `The relay did not begin to answer within ${limit} ms.`);
    const ask = {
      method: "POST",
      path: completePath,
      body: { ...completionBody(options), stream: true },
      accept: "text/event-stream",
      repeatable: false,
      read: requireEventStream,
    } as const;
    const response = await exchange(settings, ask, watch);
    const chunks = chunksInTime(response, watch, settings.idleTimeoutMs);
    return yield* readCompletion(chunks, settings.key);
  } catch (thrown) {
    watch.signal.throwIfAborted();
    throw failureOfConnection(thrown, settings.base).error;
  } finally {
    watch.end();
  }
}

/** The chunks of a body, none later than `limit` milliseconds after it was asked for. */
async function* chunksInTime(
  response: Response,
  watch: Watch,
  limit: number,
): AsyncGenerator<Uint8Array> {
  const chunks = chunksOf(response, largestAnswerBytes);
  try {
    for (;;) {
      watch.allow(limit, `The stream was silent for ${limit} ms.`);
      const { done, value } = await chunks.next();
      // How long the reader takes over a piece is its own affair.
      watch.rest();
      if (done) {
        return;
      }
      yield value;
    }
  } finally {
    await chunks.return(undefined);
  }
}

// models

export type Model = Readonly<{ id: string; displayName: string }>;

type ModelPage = Readonly<{ models: readonly Model[]; next: string | undefined }>;

/** Every model this key may name, page by page. `timeoutMs` holds for each page. */
const requestModels = async (settings: Settings, options: CallOptions): Promise<Model[]> => {
  const models = new Map<string, Model>();
  let after = "";
  for (;;) {
    const path = `/v1/models?limit=1000${after && `&after_id=${encodeURIComponent(after)}`}`;
    const ask = { method: "GET", path, repeatable: true } as const;
    const page = await askForJson(settings, ask, modelPageFrom, options);
    const before = models.size;
    for (const model of page.models) {
      models.set(model.id, model);
    }
    if (page.next === undefined) {
      return [...models.values()];
    }
    if (models.size === before) {
      throw new UnexpectedAnswerError("The list of models repeats itself.");
    }
    after = page.next;
  }
};

const modelPageFrom = (answer: Readonly<Record<string, unknown>>): ModelPage | undefined => {
  const { data, has_more: hasMore, last_id: lastId } = answer;
  if (!Array.isArray(data)) {
    return undefined;
  }
  return {
    models: data.flatMap(modelFrom),
    next: hasMore === true && typeof lastId === "string" ? lastId : undefined,
  };
};

const modelFrom = (entry: unknown): Model[] => {
  const { id, display_name: name } = (entry ?? {}) as { id?: unknown; display_name?: unknown };
  return typeof id === "string" ? [{ id, displayName: typeof name === "string" ? name : id }] : [];
};

// page

export type FetchPageOptions = CallOptions &
  Readonly<{
    /** http or https, at a public address. */
    url: string;
    /** The most bytes of the page to give. The relay's default is 500,000, its limit 2,000,000. */
    maxBytes?: number | undefined;
    /** Drop scripts, styles, svg and comments; JSON-LD stays. The relay's default is true. */
    strip?: boolean | undefined;
    format?: "html" | "text" | "markdown" | undefined;
  }>;

export type Page = Readonly<{
  /** The page's own status, which may be an error. */
  status: number;
  /** Where redirects led to. */
  finalUrl: string;
  contentType: string | null;
  /** There was more than `maxBytes`. */
  truncated: boolean;
  /** The page in the wanted format. */
  html: string;
  requestId: string;
}>;

/** Fetches a public web page through the relay's host. */
const requestPage = (settings: Settings, options: FetchPageOptions): Promise<Page> => {
  const { url, maxBytes, strip, format } = options;
  const body = { url, max_bytes: maxBytes, strip, format };
  const ask = { method: "POST", path: "/v1/fetch", body, repeatable: true } as const;
  return askForJson(settings, ask, pageFrom, options);
};

const pageFrom = (answer: Readonly<Record<string, unknown>>): Page | undefined => {
  const { ok, status, html, final_url: finalUrl, content_type: contentType } = answer;
  if (ok !== true || typeof status !== "number" || typeof html !== "string") {
    return undefined;
  }
  return {
    status,
    finalUrl: String(finalUrl ?? ""),
    contentType: typeof contentType === "string" ? contentType : null,
    truncated: answer["truncated"] === true,
    html,
    requestId: String(answer["request_id"] ?? ""),
  };
};

// server-side

/**
 * Refuses to go on in a web page or a web worker: whoever opens the page could read the key out of it.
 * There is no way around it on purpose; call the relay from your server instead.
 */
const requireServerSide = (): void => {
  const scope = globalThis as Readonly<Record<string, unknown>>;
  const inPage = scope["window"] !== undefined && scope["document"] !== undefined;
  const inWorker = typeof scope["importScripts"] === "function";
  if (inPage || inWorker) {
    throw new RelayConfigurationError(
      "The claude-relay client does not run in a browser: anyone who opens the page could read the key. Call the relay from your server.",
    );
  }
};

// client

/** The text; with `outputFormat: "json"` or `jsonSchema` the answer's JSON value, whose type is yours to name. */
export type Complete = {
  (options: TextOptions): Promise<string>;
  <T = unknown>(options: JsonOptions): Promise<T>;
  (options: CompleteOptions): Promise<unknown>;
};

/** Every call throws a RelayError when it fails, or the reason of your own signal. */
export type Client = Readonly<{
  complete: Complete;
  streamComplete(options: CompleteOptions): CompletionStream;
  fetchPage(options: FetchPageOptions): Promise<Page>;
  models(options?: CallOptions): Promise<Model[]>;
}>;

/**
 * A client for one relay. Throws RelayConfigurationError when the settings cannot be used, and in a browser.
 * The key stays inside: neither the client nor an error shows it.
 */
export const createClient = (options: ClientOptions): Client => {
  requireServerSide();
  const settings = settingsFrom(options);
  return clientWith(() => settings);
};

/** What the module's own functions do: CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY count as they are at each call. */
const fromEnvironment = (): Settings => {
  requireServerSide();
  return settingsFromEnvironment();
};

const clientWith = (settings: () => Settings): Client => ({
  // The overloads say what comes out for which options; requestCompletion checks it against the wire.
  complete: (async (options: CompleteOptions) =>
    requestCompletion(settings(), options)) as Complete,
  streamComplete: (options) => openCompletionStream(settings(), options),
  fetchPage: async (options) => requestPage(settings(), options),
  models: async (options = {}) => requestModels(settings(), options),
});

/** The same functions for the relay that CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY name, as they are at each call. */
export const { complete, streamComplete, fetchPage, models }: Client = clientWith(fromEnvironment);
