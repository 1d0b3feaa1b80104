import type { IncomingMessage, ServerResponse } from "node:http";
import { asciiJson } from "../../pipeline/json/ascii-json.ts";
import type { OpenedRequest, RouterAnswer } from "../../pipeline/router-ports.ts";
import { endAfterBody } from "../error-reply.ts";

/** RouterOS's fetch takes 63 KB of an answer at most. */
const longestAnswer = 60_000;

/**
 * An answer as it goes over the wire: JSON in ASCII, whatever the router makes of other bytes.
 * @param seal puts it under a session's key; without one it is plain, and nothing a router may rely on
 */
export const answerText = (
  answer: RouterAnswer | Readonly<Record<string, unknown>>,
  seal: OpenedRequest["seal"] | null = null,
): string => {
  const write = (said: Readonly<Record<string, unknown>>): string =>
    seal === null ? asciiJson(said) : seal(said as RouterAnswer);
  const text = write(answer);
  return text.length <= longestAnswer ? text : write(tooLong);
};

const tooLong = {
  success: false,
  code: "too_large",
  error: "The answer is longer than a router can read. Ask for less at once.",
};

/** @param closing the connection is not to be used again */
export const sendAnswer = (res: ServerResponse, text: string, closing: boolean): void =>
  send(res, 200, text, closing);

/** What no router of ours asks for. */
export const sendNotFound = (res: ServerResponse): void =>
  send(res, 404, notFound, res.req.method !== "GET");

const notFound = asciiJson({
  success: false,
  code: "not_found",
  error: "This is the listener for routers. There is no such route here.",
});

/**
 * Routers send no `Origin`; web pages that reach for a relay on somebody's own machine do. Gives true when it
 * has answered.
 */
export const refuseBrowsers = ({ headers }: IncomingMessage, res: ServerResponse): boolean => {
  const isBrowser = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
  if (isBrowser) {
    send(res, 403, forBrowsers, true);
  }
  return isBrowser;
};

const forBrowsers = asciiJson({
  success: false,
  code: "forbidden",
  error: "This is the listener for routers. Web pages may not use it.",
});

const send = (res: ServerResponse, status: number, text: string, closing: boolean): void => {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  res.writeHead(status, {
    "content-type": "application/json",
    "content-length": text.length,
    "cache-control": "no-store",
    ...(closing && { connection: "close" }),
  });
  if (closing && !res.req.complete) {
    endAfterBody(res, text);
  } else {
    res.end(text);
  }
};
