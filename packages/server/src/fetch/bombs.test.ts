/** Answers made to cost more than a page: none does. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transform } from "node:stream";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import {
  brotliCompress,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  deflate,
  deflateRaw,
  gzip,
  gzipSync,
  zstdCompress,
} from "node:zlib";
import { Refusal } from "../pipeline/refusal.ts";
import { fetchFrom, startCanary, startRaw } from "./test-setup.ts";

const MiB = 1024 * 1024;

const unreachable = (error: unknown) =>
  error instanceof Refusal && error.code === "upstream_unreachable";

/** `text/plain` in an encoding. */
const encoded =
  (encoding: string, body: Buffer) => (_request: IncomingMessage, response: ServerResponse) => {
    response
      .writeHead(200, { "content-type": "text/plain", "content-encoding": encoding })
      .end(body);
  };

/** 1 GiB of zeros, packed: 1 MiB or less. */
const gigabyteOfZeros = async (packer: Transform): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  packer.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((done) => packer.once("end", done));
  const zeros = Buffer.alloc(MiB, "0");
  for (let count = 0; count < 1024; count += 1) {
    if (!packer.write(zeros)) {
      await new Promise((drained) => packer.once("drain", drained));
    }
  }
  packer.end();
  await ended;
  return Buffer.concat(chunks);
};

describe("a compressed page", () => {
  const text = Buffer.from("grün ".repeat(1000));
  const encodings: Readonly<Record<string, (data: Buffer) => Promise<Buffer>>> = {
    gzip: promisify(gzip),
    "x-gzip": promisify(gzip),
    deflate: promisify(deflate),
    br: promisify(brotliCompress),
    zstd: promisify(zstdCompress),
    GZIP: promisify(gzip),
    "identity, gzip": promisify(gzip),
  };

  for (const [name, pack] of Object.entries(encodings)) {
    it(`in ${name} is read`, async (t) => {
      const { port } = await startCanary(t, encoded(name, await pack(text)));
      assert.equal((await fetchFrom({ port })).html, text.toString());
    });

    it(`in ${name} costs no more than the cap when it is a bomb`, async (t) => {
      const { port } = await startCanary(t, encoded(name, await pack(Buffer.alloc(64 * MiB, "0"))));
      const page = await fetchFrom({ port }, { maxBytes: 2_000_000 });
      assert.equal(page.truncated, true);
      assert.equal(page.html.length, 2_000_000);
    });

    it(`in ${name} is refused when it is broken`, async (t) => {
      const whole = await pack(text);
      const { port } = await startCanary(t, encoded(name, whole.subarray(0, whole.length - 12)));
      await assert.rejects(fetchFrom({ port }), unreachable);
      const garbage = await startCanary(t, encoded(name, Buffer.alloc(1000, 0xff)));
      await assert.rejects(fetchFrom({ port: garbage.port }), unreachable);
    });
  }

  it("in deflate without zlib's frame is read too", async (t) => {
    const { port } = await startCanary(t, encoded("deflate", await promisify(deflateRaw)(text)));
    assert.equal((await fetchFrom({ port })).html, text.toString());
  });

  const packers: Readonly<Record<string, () => Transform>> = {
    gzip: () => createGzip(),
    br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 2 } }),
    zstd: () => createZstdCompress(),
  };

  for (const [name, packer] of Object.entries(packers)) {
    it(`of 1 GiB in ${name} costs a few MiB`, async (t) => {
      const bomb = await gigabyteOfZeros(packer());
      assert.ok(bomb.length < 2 * MiB);
      const { port } = await startCanary(t, encoded(name, bomb));
      const before = process.memoryUsage().arrayBuffers;
      const page = await fetchFrom({ port });
      assert.equal(page.truncated, true);
      assert.ok(process.memoryUsage().arrayBuffers - before < 64 * MiB);
    });
  }

  it("in two layers or fifty is refused, as is an unknown one", async (t) => {
    let body: Buffer = Buffer.from("core");
    for (let layer = 0; layer < 50; layer += 1) {
      body = gzipSync(body);
    }
    for (const name of [
      "gzip, gzip",
      Array(50).fill("gzip").join(", "),
      "gzip, br",
      "compress",
      "aws-chunked",
    ]) {
      const { port } = await startCanary(t, encoded(name, body));
      await assert.rejects(fetchFrom({ port }), unreachable, name);
    }
  });

  it("in two layers over two header lines is refused", async (t) => {
    const port = await startRaw(t, (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-encoding: gzip\r\ncontent-encoding: gzip\r\n\r\nx",
      ),
    );
    await assert.rejects(fetchFrom({ port }), unreachable);
  });

  it("that never decodes to anything is not read for ever", async (t) => {
    // A stored deflate block of length zero, not the last: gzip's way of saying nothing.
    const nothing = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]);
    const many = Buffer.concat(Array<Buffer>(10_000).fill(nothing));
    const { port } = await startCanary(t, (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" });
      response.write(gzipSync("").subarray(0, 10));
      const more = () => {
        while (response.writable && response.write(many)) {
          // until the socket is full
        }
      };
      response.on("drain", more);
      more();
    });
    await assert.rejects(fetchFrom({ port, limits: { readBytes: MiB } }), unreachable);
  });
});

describe("a page without end", () => {
  it("is cut at what is read", async (t) => {
    const { port } = await startCanary(t, (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const more = () => {
        while (response.writable && response.write("x".repeat(65_536))) {
          // until the socket is full
        }
      };
      response.on("drain", more);
      more();
    });
    const page = await fetchFrom({ port, limits: { readBytes: 100_000 } });
    assert.deepEqual([page.html.length, page.truncated], [100_000, true]);
  });

  it("that drips is cut off by the time cap, though it is never silent", async (t) => {
    const { port } = await startCanary(t, (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const drip = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(drip));
    });
    await assert.rejects(
      fetchFrom({ port, limits: { totalMs: 200, idleMs: 1_000 } }),
      (error) => error instanceof Refusal && error.code === "upstream_timeout",
    );
  });
});

describe("headers", () => {
  it("of 1 MB are refused, in one line or in many, ended or not", async (t) => {
    const line = `x-a: ${"b".repeat(1_000_000)}\r\n`;
    const lines = `x-a: ${"b".repeat(90)}\r\n`.repeat(10_000);
    for (const headers of [line, lines]) {
      for (const end of ["\r\n", ""]) {
        const port = await startRaw(t, (socket) =>
          socket.write(`HTTP/1.1 200 OK\r\n${headers}${end}`),
        );
        await assert.rejects(fetchFrom({ port }), unreachable);
      }
    }
  });

  it("as large as real sites send them are read", async (t) => {
    const { port } = await startCanary(t, (_request, response) => {
      response
        .writeHead(200, { "content-type": "text/plain", "x-policy": "p".repeat(30_000) })
        .end("ok");
    });
    assert.equal((await fetchFrom({ port })).html, "ok");
  });

  it("that go on without end in interim answers are cut off by the time cap", async (t) => {
    const port = await startRaw(t, (socket) => {
      const early = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"), 5);
      socket.on("close", () => clearInterval(early));
    });
    await assert.rejects(
      fetchFrom({ port, limits: { totalMs: 200 } }),
      (error) => error instanceof Refusal && error.code === "upstream_timeout",
    );
  });
});
