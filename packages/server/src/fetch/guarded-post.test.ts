import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { describe, it, type TestContext } from "node:test";
import { createGuardedPost } from "./guarded-post.ts";

/** A receiver on 127.0.0.1 that counts who connects. */
const receive = async (t: TestContext, answer: RequestListener) => {
  let connections = 0;
  const server = createServer(answer).on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

const userAgent = "test";
const send = (post: ReturnType<typeof createGuardedPost>, url: string): Promise<number> =>
  post(new URL(url), { "x-mark": "1" }, '{"a":1}', AbortSignal.timeout(10_000));

describe("a guarded POST", () => {
  it("never connects to what is not public: addresses, names, this machine's own", async (t) => {
    const { port, connections } = await receive(t, (_request, response) => response.end());
    const post = createGuardedPost({
      userAgent,
      allowPrivate: false,
      lookup: async (name) => (name === "mixed.test" ? ["8.8.8.8", "127.0.0.1"] : ["127.0.0.1"]),
    });
    const hosts = [
      "127.0.0.1",
      "[::1]",
      "0.0.0.0",
      "2130706433",
      "localhost",
      "[::ffff:127.0.0.1]",
    ];
    for (const host of [...hosts, "rebound.test", "mixed.test", hostname(), "169.254.169.254"]) {
      for (const scheme of ["http", "https"]) {
        await assert.rejects(
          send(post, `${scheme}://${host}:${port}/`),
          /does not resolve to a public address/,
          host,
        );
      }
    }
    assert.equal(connections(), 0);
  });

  it("sends to this machine when that is allowed, whole and with its headers", async (t) => {
    const seen: unknown[] = [];
    const { port } = await receive(t, async (request, response) => {
      const { method, url, headers } = request;
      seen.push([method, url, headers["x-mark"], headers["user-agent"], await bodyOf(request)]);
      response.writeHead(202).end("an answer nobody reads");
    });
    const post = createGuardedPost({ userAgent, allowPrivate: true });
    assert.equal(await send(post, `http://127.0.0.1:${port}/hook?token=t`), 202);
    assert.deepEqual(seen, [["POST", "/hook?token=t", "1", "test", '{"a":1}']]);
  });

  it("follows no redirect", async (t) => {
    const other = await receive(t, (_request, response) => response.end());
    const { port, connections } = await receive(t, (_request, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${other.port}/` }).end(),
    );
    const post = createGuardedPost({ userAgent, allowPrivate: true });
    assert.equal(await send(post, `http://127.0.0.1:${port}/`), 307);
    assert.deepEqual([connections(), other.connections()], [1, 0]);
  });

  it("ends with its signal when the receiver does not answer", async (t) => {
    const got = Promise.withResolvers<void>();
    const { port } = await receive(t, () => got.resolve());
    const cut = new AbortController();
    const post = createGuardedPost({ userAgent, allowPrivate: true });
    const url = new URL(`http://127.0.0.1:${port}/`);
    const sent = post(url, {}, "{}", cut.signal);
    await got.promise;
    cut.abort();
    await assert.rejects(sent);
  });
});
