import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { errorReply, writeRefusal } from "./error-reply.ts";
import { guardRequest } from "./request-guard.ts";
import { newRequestId } from "./request-id.ts";

export type BareServerOptions = Readonly<{
  requestTimeoutMs: number;
  clock: Clock;
  isDraining: () => boolean;
  /** Gives true when it has answered. */
  cors: (request: IncomingMessage, response: ServerResponse) => boolean;
}>;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Node's HTTP server, hardened: timeouts that are really looked at (Node's own interval is 30 s),
 * what its parser lets through and should not, refusal of new work while draining.
 */
export const createBareServer = (handler: Handler, options: BareServerOptions): Server => {
  const server = createServer(
    {
      requestTimeout: options.requestTimeoutMs,
      headersTimeout: Math.min(10_000, options.requestTimeoutMs),
      connectionsCheckingInterval: 500,
      keepAliveTimeout: 75_000,
      maxHeaderSize: 32 * 1024,
      // guardRequest demands it, and answers in Anthropic's shape.
      requireHostHeader: false,
      noDelay: true,
    },
    (request, response) => {
      const refusal = guardRequest(request) ?? refuseWhileDraining(request, options);
      if (refusal !== null) {
        response.setHeader("connection", "close");
        writeRefusal(response, refusal, newRequestId(options.clock.now()));
      } else if (!options.cors(request, response)) {
        handler(request, response);
      }
    },
  );
  // Node's own answer to an unknown Expect has no body at all.
  server.on("checkExpectation", (_request, response: ServerResponse) => {
    const refusal = new Refusal("invalid_request", "Expect may only say 100-continue.");
    response.setHeader("connection", "close");
    writeRefusal(response, refusal, newRequestId(options.clock.now()));
  });
  server.on("clientError", (error, socket) =>
    answerClientError(error, socket as Socket, options.clock),
  );
  return server;
};

/** Health stays visible while draining; all else is new work. */
const openWhileDraining = new Set(["/healthz", "/health", "/readyz"]);

const refuseWhileDraining = (
  request: IncomingMessage,
  options: BareServerOptions,
): Refusal | null => {
  if (!options.isDraining() || openWhileDraining.has((request.url ?? "").split("?")[0] ?? "")) {
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
  const late = "code" in error && error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const refusal = late
    ? new Refusal("request_timeout", "The request took too long to arrive.")
    : new Refusal("invalid_request", "This is not a well-formed HTTP/1.1 request.");
  const { status, headers, body } = errorReply(refusal, newRequestId(clock.now()));
  const text = JSON.stringify(body);
  const head = Object.entries({ ...headers, connection: "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  socket.end(
    `HTTP/1.1 ${status} ${late ? "Request Timeout" : "Bad Request"}\r\n${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
};

/** An answer is on its way on this connection: bytes of ours between its bytes would be taken for its own. */
const isAnswering = (socket: Socket): boolean =>
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent ?? false;
