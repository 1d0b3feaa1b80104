import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Fault } from "./fault.ts";
import type { RelayAddress } from "./relay-address.ts";

export type RelayRequest = Readonly<{
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Begins with a slash. */
  path: string;
  token?: string;
  /** Sent as JSON. */
  body?: object;
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds for the whole exchange; 30 s unless told. */
  timeoutMs?: number;
}>;

export type RelayAnswer = Readonly<{
  status: number;
  location: string | undefined;
  retryAfter: string | undefined;
  text: string;
}>;

/** More than any answer here is. */
const maxBytes = 64 * 1024 * 1024;

/**
 * One exchange, straight to the address: no proxy from the environment, no redirect followed.
 * @throws Fault when nobody answers
 */
export const askRelay = (address: RelayAddress, asked: RelayRequest): Promise<RelayAnswer> =>
  new Promise((resolve, reject) => {
    const send = address.url.startsWith("https:") ? requestHttps : requestHttp;
    const content = asked.body === undefined ? null : JSON.stringify(asked.body);
    const timeoutMs = asked.timeoutMs ?? 30_000;
    const fail = (error: Error): void => reject(unreachable(address, error));
    const outgoing = send(`${address.url}${asked.path}`, {
      method: asked.method,
      // An agent of its own: the global one may take proxies from the environment.
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: "application/json",
        "user-agent": "claude-relay-cli",
        ...asked.headers,
        ...(asked.token !== undefined && { authorization: `Bearer ${asked.token}` }),
        ...(content !== null && {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(content),
        }),
      },
    });
    outgoing.on("error", fail);
    outgoing.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("error", fail);
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) {
          response.destroy(new Error("the answer is too large"));
        } else {
          chunks.push(chunk);
        }
      });
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location,
          retryAfter: response.headers["retry-after"],
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    outgoing.end(content ?? undefined);
  });

/** Nobody is listening there, or it cannot be said who. */
export class Unreachable extends Fault {}

/** Nobody is listening there, for certain. */
export class NobodyThere extends Unreachable {}

const unreachable = ({ url }: RelayAddress, error: Error): Fault => {
  const code = "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED" || error instanceof AggregateError) {
    return new NobodyThere(
      `No relay answers at ${url}. Is that its address and port? Start it with npm start, ./run.sh or ./install.sh, or name another (--url, CLAUDE_RELAY_URL).`,
    );
  }
  if (error.name === "AbortError" || error.name === "TimeoutError" || code === "ABORT_ERR") {
    return new Unreachable(`The relay at ${url} does not answer: look at its log.`);
  }
  if (code === "EPROTO") {
    return new Unreachable(
      `What answers at ${url} does not speak TLS: check the port, or write http:// if the relay has no TLS proxy before it.`,
    );
  }
  return new Unreachable(
    `The relay at ${url} cannot be reached: ${error.message}. Check the address (--url, CLAUDE_RELAY_URL).`,
  );
};
