/**
 * The upstream every server is measured against: raw HTTP/1.1 over `net`, answers built beforehand,
 * so that it costs less than whatever stands before it. Run as its own process; prints its port.
 *
 * The request's `x-bench` header chooses the answer: `json`, `sse` (five deltas at once),
 * `paced-<n>` (n deltas, one every 50 ms), `digest` (a message holding the SHA-256 of the request
 * body and the `x-api-key` received, for checking what a server forwards).
 */

import { createHash } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { jsonAnswer, messageJson, STREAM_PARTS } from "./answers.ts";
import { Pacer } from "./pacer.ts";

const HEAD_END = Buffer.from("\r\n\r\n");
const JSON_ANSWER = jsonAnswer(messageJson());
const FIVE_DELTAS = Buffer.concat(Array.from({ length: 5 }, () => STREAM_PARTS.delta));
const BAD_REQUEST = Buffer.from(
  "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
);

const pacer = new Pacer({ intervalMs: 50, perEvent: STREAM_PARTS.delta });

/** One keep-alive connection: collects a request at a time, then answers it. */
class Connection {
  #socket: Socket;
  #held: Buffer | null = null;
  #bodyLeft = 0;
  #kind = "";
  #key = "";
  #hash: ReturnType<typeof createHash> | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  feed(arrived: Buffer): void {
    let data: Buffer | null = this.#held ? Buffer.concat([this.#held, arrived]) : arrived;
    this.#held = null;
    while (data) {
      data = this.#bodyLeft > 0 ? this.#readBody(data) : this.#readHead(data);
    }
  }

  #readHead(data: Buffer): Buffer | null {
    const end = data.indexOf(HEAD_END);
    if (end < 0) {
      this.#held = data;
      return null;
    }
    const head = data.toString("latin1", 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#kind = /\r\nx-bench: *([\w-]+)/i.exec(head)?.[1] ?? "";
    if (length === undefined) {
      this.#socket.end(BAD_REQUEST);
      return null;
    }
    this.#bodyLeft = Number(length);
    if (this.#kind === "digest") {
      this.#hash = createHash("sha256");
      this.#key = /\r\nx-api-key: *(\S+)/i.exec(head)?.[1] ?? "none";
    }
    const rest = data.subarray(end + HEAD_END.length);
    return rest.length > 0 ? rest : null;
  }

  #readBody(data: Buffer): Buffer | null {
    const part = data.length > this.#bodyLeft ? data.subarray(0, this.#bodyLeft) : data;
    this.#hash?.update(part);
    this.#bodyLeft -= part.length;
    if (this.#bodyLeft === 0) {
      this.#answer();
    }
    return data.length > part.length ? data.subarray(part.length) : null;
  }

  #answer(): void {
    if (this.#kind === "json") {
      this.#socket.write(JSON_ANSWER);
    } else if (this.#kind === "sse") {
      this.#stream();
    } else if (this.#kind.startsWith("paced-")) {
      this.#socket.write(STREAM_PARTS.opening);
      pacer.add(this.#socket, Number(this.#kind.slice("paced-".length)), STREAM_PARTS.closing);
    } else if (this.#kind === "digest") {
      const text = `${this.#hash?.digest("hex")} ${this.#key}`;
      this.#hash = null;
      this.#socket.write(jsonAnswer(messageJson(text)));
    } else {
      this.#socket.end(BAD_REQUEST);
    }
  }

  /** Three writes on three turns of the loop: a model does not answer in one packet. */
  #stream(): void {
    const socket = this.#socket;
    socket.write(STREAM_PARTS.opening);
    setImmediate(() => {
      socket.write(FIVE_DELTAS);
      setImmediate(() => socket.write(STREAM_PARTS.closing));
    });
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  const connection = new Connection(socket);
  socket.on("data", (data) => connection.feed(data as Buffer));
  // A server under test that stops resets its connections; that is no fault of the upstream.
  socket.on("error", () => socket.destroy());
});

server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("no TCP address");
  }
  console.log(address.port);
});
