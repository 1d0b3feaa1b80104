import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { SocketReply } from "./caller-reply.ts";

const head = ["content-type", "text/event-stream"];

/** Everything that goes over the wire after the head, when `answer` writes the reply. */
const wire = async (answer: (reply: SocketReply) => Promise<void> | void): Promise<string> => {
  const server = createServer((_request, response) => {
    const reply = new SocketReply(response);
    reply.start(200, [...head, "connection", "close"]);
    void answer(reply);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  let text = "";
  for await (const bytes of socket.setEncoding("latin1")) {
    text += bytes;
  }
  server.close();
  return text.slice(text.indexOf("\r\n\r\n") + 4);
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads chunked coding strictly: nothing after the end mark, nothing missing. RFC 9112 §7.1 */
const chunksOf = (body: string): string[] => {
  const chunks: string[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.slice(at, lineEnd), 16);
    const start = lineEnd + 2;
    assert.equal(body.slice(start + size, start + size + 2), "\r\n");
    at = start + size + 2;
    if (size === 0) {
      assert.equal(at, body.length);
      return chunks;
    }
    chunks.push(body.slice(start, start + size));
  }
};

test("small chunks of one turn of the event loop go out as one, an empty one changes nothing", async () => {
  const body = await wire(async (reply) => {
    reply.write(Buffer.from("a"));
    reply.write(Buffer.alloc(0));
    reply.write(Buffer.from("bé"));
    await turn();
    reply.write(Buffer.alloc(0));
    await turn();
    reply.write(Buffer.from("c"));
    reply.end(Buffer.from("d"));
  });
  assert.deepEqual(chunksOf(body), [Buffer.from("abé").toString("latin1"), "cd"]);
});

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 50 }),
  // Around the length from which chunks are written as they are.
  fc.integer({ min: 8191, max: 8194 }).map((length) => new Uint8Array(length).fill(length)),
);
const pieces = fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 8 });

test("the caller gets every byte in order, however the chunks fall", async () => {
  await fc.assert(
    fc.asyncProperty(pieces, fc.option(piece), async (all, last) => {
      const body = await wire(async (reply) => {
        for (const [bytes, endsTurn] of all) {
          reply.write(Buffer.from(bytes));
          if (endsTurn) {
            await turn();
          }
        }
        reply.end(last === null ? null : Buffer.from(last));
      });
      const sent = Buffer.concat([...all.map(([bytes]) => bytes), last ?? new Uint8Array()]);
      assert.equal(chunksOf(body).join(""), sent.toString("latin1"));
    }),
  );
});

test("an answer that is broken off has its last words and no end mark", async () => {
  const body = await wire((reply) => {
    reply.write(Buffer.from("a"));
    reply.breakOff(Buffer.from("bc"));
  });
  assert.equal(body, "3\r\nabc\r\n");
});
