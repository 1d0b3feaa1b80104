/**
 * The honest minimum in Node: node:http in, undici's `dispatch` out. Reads the body, parses it to
 * see the model, swaps the key, and passes the answer on with backpressure. It checks nothing,
 * meters nothing and writes nothing down.
 *
 * Run as: node bare-node-server.ts PORT UPSTREAM_PORT UPSTREAM_KEY
 */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { type Dispatcher, Pool } from "undici";

const [port, upstreamPort, upstreamKey = ""] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`);

/** Not forwarded: they belong to one connection, or are replaced. */
const NOT_SENT_ON = new Set(["host", "connection", "content-length", "authorization", "x-api-key"]);
const NOT_SENT_BACK = new Set(["connection", "keep-alive", "transfer-encoding"]);

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => forward(request, response, Buffer.concat(chunks)));
}).listen({ port: Number(port), host: "127.0.0.1", backlog: 2048 });

function forward(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { model } = JSON.parse(body.toString()) as { model?: unknown };
  if (typeof model !== "string") {
    response.writeHead(400).end();
    return;
  }
  const headers: IncomingHttpHeaders = {};
  for (const name in request.headers) {
    if (!NOT_SENT_ON.has(name)) {
      headers[name] = request.headers[name];
    }
  }
  headers["x-api-key"] = upstreamKey;
  const path = request.url ?? "/";
  pool.dispatch({ method: "POST", path, headers, body }, new Answer(response));
}

/** Writes upstream's answer to the caller as it comes. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on("close", () => {
      if (!this.#response.writableFinished) {
        controller.abort(new Error("the caller left"));
      }
    });
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    for (const name of NOT_SENT_BACK) {
      delete headers[name];
    }
    this.#response.writeHead(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) {
      controller.pause();
      this.#response.once("drain", () => controller.resume());
    }
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    if (this.#response.headersSent) {
      this.#response.destroy();
    } else {
      this.#response.writeHead(502).end();
    }
  }
}
