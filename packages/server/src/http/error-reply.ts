import type { ServerResponse } from "node:http";
import {
  type AppErrorBody,
  type ErrorBody,
  type ErrorCode,
  errorMeanings,
  type RequestId,
} from "@claude-relay/contract";
import { Refusal } from "../pipeline/refusal.ts";
import { appErrorBody, errorBody } from "./error-body.ts";

type ErrorReply = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  body: ErrorBody | AppErrorBody;
}>;

/** The apps' doors. */
const appPaths: ReadonlySet<string> = new Set(["/v1/complete", "/v1/fetch"]);

/**
 * The one place where a refusal becomes Anthropic's error shape.
 * @param target of the request, as it stands in its first line
 */
export const errorReply = (refusal: Refusal, id: RequestId, target = ""): ErrorReply => {
  const path = target.split("?", 1)[0] ?? "";
  const meaning: { status: number; type: string; retry?: string } = errorMeanings[refusal.code];
  const { retryAfterSeconds, headers } = refusal.details;
  return {
    status: meaning.status,
    headers: {
      "content-type": "application/json",
      "request-id": id,
      ...(meaning.retry === "never" && { "x-should-retry": "false" }),
      ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
      ...headers,
      "x-relay-error": refusal.code,
    },
    body: (appPaths.has(path) ? appErrorBody : errorBody)(meaning.type, refusal.message, id),
  };
};

/** Whatever was thrown, as a refusal: what is not one tells the caller nothing of our insides. */
export const asRefusal = (error: unknown): Refusal =>
  error instanceof Refusal
    ? error
    : new Refusal("internal", "The relay failed. Its log knows more under this request id.");

/** Refusals after which an unread body may still be on its way. */
const closing: ReadonlySet<ErrorCode> = new Set(["too_large", "draining", "request_timeout"]);

/** Writes a refusal to a bare response that has not begun. */
export const writeRefusal = (res: ServerResponse, refusal: Refusal, id: RequestId): void => {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const { code } = refusal;
  const { status, headers, body } = errorReply(refusal, id, res.req.url);
  const text = JSON.stringify(body);
  res.writeHead(status, {
    ...headers,
    "content-length": Buffer.byteLength(text),
    ...(closing.has(code) && { connection: "close" }),
  });
  if (closing.has(code) && !res.req.complete) {
    endAfterBody(res, text);
  } else {
    res.end(text);
  }
};

/** At most so long is the rest of a refused body read and dropped. */
const lingerMs = 5_000;

/**
 * Answers at once but closes only when the body has ended: a client that sends it all before it reads
 * would find a reset connection instead of the answer.
 */
export const endAfterBody = (res: ServerResponse, text: string): void => {
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, lingerMs);
  res.req.once("end", end).once("close", end).resume();
  res.write(text);
};
