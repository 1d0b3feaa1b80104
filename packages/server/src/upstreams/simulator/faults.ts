import { ApiError } from "./api-error.ts";
import { ClientGone, type Exchange, type Surroundings } from "./exchange.ts";
import { pause } from "./play.ts";
import { commonHeaders, type RateLimitHeaders } from "./reply-headers.ts";
import type { Failure, Plan } from "./scenario.ts";

/**
 * Does what a plan asks before the answer begins: wait, break the connection, or fail.
 * @throws ApiError for a planned failure, ClientGone when nobody is left to answer
 */
export const applyPlan = async (
  plan: Plan,
  exchange: Exchange,
  { rateLimitHeaders }: Surroundings,
): Promise<void> => {
  const { response, sighting } = exchange;
  if (plan.slowStartMs > 0) {
    await pause(plan.slowStartMs, response);
  }
  if (plan.breakBeforeHeaders !== null && !response.destroyed) {
    sighting.breaking();
    if (plan.breakBeforeHeaders === "reset") {
      response.socket?.resetAndDestroy();
    } else {
      response.socket?.destroySoon();
    }
    throw new ClientGone();
  }
  if (response.destroyed) {
    throw new ClientGone();
  }
  if (plan.failure !== null) {
    fail(plan.failure, exchange, rateLimitHeaders);
  }
};

const fail = (
  { status, retryAfterSeconds, html }: Failure,
  exchange: Exchange,
  rateLimitHeaders: RateLimitHeaders,
): void => {
  if (html) {
    sendPage(status, exchange);
    // What follows finds the answer already given.
    throw new ClientGone();
  }
  throw new ApiError(status, messages[status] ?? `Simulated failure ${status}`, {
    ...(retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(status === 429
      ? { ...rateLimitHeaders(0, 0), "anthropic-ratelimit-requests-remaining": "0" }
      : {}),
  });
};

/** What stands before the API answers with a page when it cannot reach it. */
const sendPage = (status: number, { response, requestId }: Exchange): void => {
  const page = `<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>\n`;
  response
    .writeHead(status, {
      ...commonHeaders(requestId),
      "content-type": "text/html; charset=utf-8",
      "content-length": Buffer.byteLength(page),
    })
    .end(page);
};

const messages: Readonly<Record<number, string>> = {
  400: "messages: simulated invalid request",
  401: "invalid x-api-key",
  402: "Your credit balance is too low to access the Anthropic API.",
  403: "Your API key does not have permission to use the specified resource.",
  404: "The requested resource could not be found.",
  408: "Request timed out",
  413: "Request exceeds the maximum size",
  429: "This request would exceed your organization's rate limit of 50 requests per minute.",
  500: "Internal server error",
  502: "Bad gateway",
  503: "Service unavailable",
  504: "Request timed out",
  529: "Overloaded",
};
