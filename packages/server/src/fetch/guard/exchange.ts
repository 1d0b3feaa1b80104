import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { Client } from "undici";
import { brokenExchange } from "../faults.ts";
import type { FetchLimits } from "../limits.ts";

export type Answer = Readonly<{
  status: number;
  headers: IncomingHttpHeaders;
  /** Still encoded, unread. */
  body: Readable;
}>;

export type Outgoing = Readonly<{
  method: "GET" | "POST";
  headers: Readonly<Record<string, string>>;
  body?: string;
}>;

/** Asks for a page. Never cookies, credentials, or anything of the caller's. undici adds Host. */
export const pageRequest = (userAgent: string): Outgoing => ({
  method: "GET",
  headers: {
    "user-agent": userAgent,
    accept:
      "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.9,text/*;q=0.8",
    "accept-language": "en,*;q=0.5",
    "accept-encoding": "gzip, deflate, br, zstd",
  },
});

/**
 * Sends one request over one connection, both gone afterwards: nothing is pooled, so nothing of one caller's
 * fetch can meet another's. HTTP/1.1 only: HTTP/2 would let one connection speak for other hosts.
 * `use` gets the answer and reads what it needs of it. @throws Refusal
 */
export const exchange = async <Result>(
  url: URL,
  socket: Socket,
  limits: Pick<FetchLimits, "headersMs" | "idleMs" | "headerBytes">,
  outgoing: Outgoing,
  signal: AbortSignal,
  use: (answer: Answer) => Promise<Result>,
): Promise<Result> => {
  const client = new Client(url.origin, {
    connect: onlyOnce(socket),
    allowH2: false,
    pipelining: 0,
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytes,
  });
  try {
    const answer = await client.request({
      path: url.pathname + url.search,
      ...outgoing,
      signal,
    });
    return await use({ status: answer.statusCode, headers: answer.headers, body: answer.body });
  } catch (error) {
    signal.throwIfAborted();
    throw brokenExchange(error);
  } finally {
    socket.destroy();
    void client.destroy();
  }
};

type Connected = (error: null, socket: Socket) => void;
type Failed = (error: Error, socket: null) => void;

/** Hands undici the checked connection, once: it must never open one itself. */
const onlyOnce = (socket: Socket) => {
  let given = false;
  return (_options: unknown, callback: Connected & Failed): void => {
    if (given) {
      callback(new Error("one connection a page"), null);
      return;
    }
    given = true;
    // Later: undici does not go on when it is answered at once.
    queueMicrotask(() => callback(null, socket));
  };
};
