import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiError, errorEnvelope } from "./api-error.ts";
import type { ApiVersion } from "./api-version.ts";
import type { Sighting } from "./observations.ts";
import type { PromptCache } from "./prompt-cache.ts";
import type { RateLimits } from "./rate-limits.ts";
import { commonHeaders, type RateLimitHeaders } from "./reply-headers.ts";
import type { Sightings } from "./scenario.ts";

/** What every route works with. */
export type Surroundings = Readonly<{
  cache: PromptCache;
  rateLimitHeaders: RateLimitHeaders;
  /** Null: it never runs out. */
  rateLimits: RateLimits | null;
  nextId(prefix: string): string;
  seen: Sightings;
}>;

/** One request, whole and with a good credential, and the way to answer it. */
export type Exchange = Readonly<{
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  sighting: Sighting;
  body: Buffer;
  /** The caller's key. */
  key: string;
  version: ApiVersion;
}>;

type Headers = Readonly<Record<string, string>>;

/** The client has left, or the connection was broken on purpose: there is nobody to answer. */
export class ClientGone extends Error {}

/** The scenario list a request names in its header. */
export const scenarioHeader = ({ request }: Exchange): string | undefined => {
  const header = request.headers["x-simulator-scenario"];
  return typeof header === "string" ? header : header?.join(",");
};

/** Answers 200 with JSON. */
export const sendJson = (
  { response, requestId }: Exchange,
  json: string,
  headers: Headers = {},
): void => {
  response
    .writeHead(200, {
      ...commonHeaders(requestId),
      ...headers,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(json),
    })
    .end(json);
};

/** Answers an error in Anthropic's envelope, or breaks off where no answer can be given any more. */
export const sendError = (error: unknown, response: ServerResponse, requestId: string): void => {
  if (response.writableEnded || response.destroyed) {
    return;
  }
  if (error instanceof ClientGone || response.headersSent) {
    response.destroy();
    return;
  }
  const known = error instanceof ApiError ? error : new ApiError(500, "Internal server error");
  const { status, type, message, headers } = known;
  const mayRetry = status === 408 || status === 409 || status === 429 || status >= 500;
  const json = errorEnvelope(type, message, requestId);
  response
    .writeHead(status, {
      ...commonHeaders(requestId),
      "x-should-retry": String(mayRetry),
      "content-type": "application/json",
      "content-length": Buffer.byteLength(json),
      ...headers,
    })
    .end(json);
};
