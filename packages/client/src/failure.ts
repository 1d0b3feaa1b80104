import { largestAnswerBytes, textOfBody } from "./answer-body.ts";
import {
  errorOfType,
  RelayConnectionError,
  RelayError,
  RelayTimeoutError,
  typeOfStatus,
  UnexpectedAnswerError,
} from "./errors.ts";
import { type Failure, retryAfterSeconds } from "./retry.ts";

type ErrorBody = Readonly<{ error: { type: string; message: string }; request_id?: unknown }>;

/** What an answer that is no success says, with the key blotted out should it be quoted. */
export const failureOfAnswer = async (response: Response, key: string): Promise<Failure> => {
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
export const parseErrorBody = (text: string): ErrorBody | undefined => {
  const body = parseObject(text);
  const error = body?.["error"] as Partial<ErrorBody["error"]> | undefined;
  return typeof error?.type === "string" && typeof error.message === "string"
    ? (body as ErrorBody)
    : undefined;
};

/** A JSON object; undefined for anything else. */
export const parseObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
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
export const failureOfConnection = (thrown: unknown, base: string): Failure => {
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
export const notAnAnswer = ({ status, headers }: Response): string => {
  const kind = headers.get("content-type")?.split(";")[0] ?? "no content type";
  if (status >= 300 || status === 0) {
    return `The relay's address answered with a redirect (${status}), which is not followed, as the key must not travel on: set the URL to where the relay really is.`;
  }
  return `The relay's address answered ${status}, but not as a relay does (${kind}): is the URL right, and is a proxy's page in between?`;
};

/** A message without the key, in case a server quotes what it was sent. */
export const withoutKey = (message: string, key: string): string =>
  message.replaceAll(key, "[key]").slice(0, 2000);
