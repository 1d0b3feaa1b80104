import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { errorReply, writeRefusal } from "./error-reply.ts";
import { type BodyLimit, tooLarge } from "./read-body.ts";
import { guardRequest } from "./request-guard.ts";
import { newRequestId } from "./request-id.ts";

export type BareServerOptions = Readonly<{
  requestTimeoutMs: number;
  clock: Clock;
  isDraining: () => boolean;
  /** Gives true when it has answered. */
  cors: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** What a request to this path may bring. */
  bodyLimit: (path: string) => BodyLimit;
  /** How long a connection may stay open without a request; 75 s when not said, as nginx has it. */
  keepAliveMs?: number;
  /** PEM; HTTP in the clear without. */
  tls?: Readonly<{ cert: Buffer; key: Buffer }>;
}>;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Node's HTTP server, hardened: timeouts that are really looked at (Node's own interval is 30 s),
 * what its parser lets through and should not, refusal of new work while draining.
 */
export const createBareServer = (handler: Handler, options: BareServerOptions): Server => {
  const refuse = (refusal: Refusal, response: ServerResponse): void => {
    response.setHeader("connection", "close");
    writeRefusal(response, refusal, newRequestId(options.clock.now()));
  };
  const hardened = {
    requestTimeout: options.requestTimeoutMs,
    headersTimeout: Math.min(10_000, options.requestTimeoutMs),
    connectionsCheckingInterval: 500,
    keepAliveTimeout: options.keepAliveMs ?? 75_000,
    maxHeaderSize,
    // guardRequest demands it, and answers in Anthropic's shape.
    requireHostHeader: false,
    noDelay: true,
  };
  const guarded: Handler = (request, response) => {
    const refusal = guardRequest(request) ?? refuseWhileDraining(request, options);
    if (refusal !== null) {
      refuse(refusal, response);
    } else if (!options.cors(request, response)) {
      handler(request, response);
    }
  };
  const server =
    options.tls === undefined
      ? createServer(hardened, guarded)
      : createTlsServer({ ...hardened, ...options.tls, handshakeTimeout: 10_000 }, guarded);
  // Node's own answer to an unknown Expect has no body at all.
  server.on("checkExpectation", (_request, response: ServerResponse) =>
    refuse(new Refusal("invalid_request", "Expect may only say 100-continue."), response),
  );
  // A client that asks before it sends is told before it sends.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    const refusal =
      guardRequest(request) ??
      refuseWhileDraining(request, options) ??
      refuseOversize(request, options);
    if (refusal !== null) {
      refuse(refusal, response);
    } else {
      response.writeContinue();
      server.emit("request", request, response);
    }
  });
  server.on("clientError", (error, socket) =>
    answerClientError(error, socket as Socket, options.clock),
  );
  return server;
};

/** The request line and the headers together. */
const maxHeaderSize = 32 * 1024;

const pathOf = ({ url = "" }: IncomingMessage): string => url.split("?")[0] ?? "";

const refuseOversize = (request: IncomingMessage, options: BareServerOptions): Refusal | null => {
  const limit = options.bodyLimit(pathOf(request));
  return Number(request.headers["content-length"] ?? 0) > limit.bytes ? tooLarge(limit) : null;
};

/** Health stays visible while draining; all else is new work. */
const openWhileDraining = new Set(["/healthz", "/health", "/readyz"]);

const refuseWhileDraining = (
  request: IncomingMessage,
  options: BareServerOptions,
): Refusal | null => {
  if (!options.isDraining() || openWhileDraining.has(pathOf(request))) {
    return null;
  }
  return new Refusal("draining", "This relay is shutting down. Please retry.", {
    retryAfterSeconds: 5,
  });
};

/** Bytes that are no request, or one that took too long: an answer in Anthropic's shape, and the end. */
const answerClientError = (error: Error, socket: Socket, clock: Clock): void => {
  const gone = !socket.writable || ("code" in error && error.code === "ECONNRESET");
  if (gone || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const [refusal, phrase] = refusalOf("code" in error ? error.code : null);
  const { status, headers, body } = errorReply(refusal, newRequestId(clock.now()));
  const text = JSON.stringify(body);
  const head = Object.entries({ ...headers, connection: "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\n${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
};

/** By the code of Node's error: what it is refused with, and HTTP's word for it. */
const refusalOf = (code: unknown): [Refusal, string] => {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [
        new Refusal("request_timeout", "The request took too long to arrive."),
        "Request Timeout",
      ];
    case "HPE_HEADER_OVERFLOW":
      return [
        new Refusal(
          "headers_too_large",
          `The request line and headers are larger than ${maxHeaderSize} bytes: send fewer or shorter headers.`,
        ),
        "Request Header Fields Too Large",
      ];
    default:
      return [
        new Refusal("invalid_request", "This is not a well-formed HTTP/1.1 request."),
        "Bad Request",
      ];
  }
};

/** An answer is on its way on this connection: bytes of ours between its bytes would be taken for its own. */
const isAnswering = (socket: Socket): boolean =>
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent ?? false;
