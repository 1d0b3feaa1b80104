import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { describe, it } from "node:test";
import { Refusal } from "../pipeline/refusal.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { fetchFrom, fetchPorts, pageRequest, startCanary, startRaw } from "./test-setup.ts";

const code = (wanted: Refusal["code"]) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.code, wanted, error.message);
  return true;
};

/** Answers by path. */
const routes =
  (table: Readonly<Record<string, RequestListener>>): RequestListener =>
  (request, response) =>
    (table[request.url ?? ""] ?? ((_request, missing) => missing.writeHead(404).end()))(
      request,
      response,
    );

const html =
  (text: string, type = "text/html; charset=utf-8"): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { "content-type": type }).end(text);
  };

const redirect =
  (location: string, status = 302): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { location, "set-cookie": "a=b" }).end("moved");
  };

describe("a page is fetched", () => {
  it("and told with its status, address and type", async (t) => {
    const { port } = await startCanary(t, html("<p>hello</p>"));
    assert.deepEqual(await fetchFrom({ port }, { url: "http://site.example/a?b=1#c" }), {
      status: 200,
      finalUrl: "http://site.example/a?b=1",
      truncated: false,
      html: "<html><head></head><body><p>hello</p></body></html>",
      contentType: "text/html; charset=utf-8",
    });
  });

  it("whatever its status", async (t) => {
    for (const status of [204, 300, 304, 400, 401, 403, 404, 418, 500, 503]) {
      const { port } = await startCanary(t, (_request, response) => {
        response.writeHead(status, { "content-type": "text/plain" }).end();
      });
      assert.equal((await fetchFrom({ port })).status, status);
    }
  });

  it("with no credentials, no cookies, and the host's own name", async (t) => {
    const seen: Record<string, unknown>[] = [];
    const { port } = await startCanary(t, (request, response) => {
      seen.push(request.headers);
      if (seen.length === 1) {
        redirect("http://other.example/")(request, response);
      } else {
        response.end();
      }
    });
    await fetchFrom({ port });
    assert.deepEqual(
      seen.map(({ host }) => host),
      ["site.example", "other.example"],
    );
    const allowed = "accept accept-encoding accept-language connection host user-agent";
    for (const headers of seen) {
      assert.equal(Object.keys(headers).sort().join(" "), allowed);
    }
  });

  it("after redirects, of which five are followed and a sixth is not", async (t) => {
    const steps = (count: number) => (path: string) => Number(path.slice(1)) < count;
    for (const [count, ok] of [
      [5, true],
      [6, false],
    ] as const) {
      const { port, connections } = await startCanary(t, (request, response) => {
        const path = request.url ?? "";
        const more = steps(count)(path);
        (more ? redirect(`/${Number(path.slice(1)) + 1}`) : html("end"))(request, response);
      });
      const fetched = fetchFrom({ port }, { url: "http://site.example/0" });
      if (ok) {
        assert.equal((await fetched).finalUrl, "http://site.example/5");
      } else {
        await assert.rejects(fetched, code("upstream_unreachable"));
      }
      assert.equal(connections(), 6);
    }
  });

  it("never for ever: a loop ends", async (t) => {
    const { port, connections } = await startCanary(t, redirect("/"));
    await assert.rejects(fetchFrom({ port }), code("upstream_unreachable"));
    assert.equal(connections(), 6);
  });

  it("without following a refresh, and a redirect without a place is the page", async (t) => {
    const { port } = await startCanary(
      t,
      routes({
        "/refresh": (_request, response) =>
          response
            .writeHead(200, { refresh: "0; url=http://10.0.0.1/", "content-type": "text/html" })
            .end('<meta http-equiv="refresh" content="0; url=/other">here'),
        "/nowhere": (_request, response) => response.writeHead(302).end("still here"),
      }),
    );
    const page = await fetchFrom({ port }, { url: "http://site.example/refresh" });
    assert.match(page.html, /here/);
    const nowhere = await fetchFrom({ port }, { url: "http://site.example/nowhere" });
    assert.deepEqual([nowhere.status, nowhere.html], [302, "still here"]);
  });

  it("from the next address when the first does not answer", async (t) => {
    const { port } = await startCanary(t, html("hello"));
    const names = { "site.example": ["127.0.0.3", "127.0.0.1"] };
    const ports = { isPublic: (address: string) => address.startsWith("127.0.0.") };
    assert.equal((await fetchFrom({ port, names, ports })).status, 200);
  });
});

describe("a fetch that fails says how", () => {
  it("when nobody listens", async () => {
    // Port 1 of the loopback: nobody's.
    await assert.rejects(fetchFrom({ port: 1 }), code("upstream_unreachable"));
  });

  it("when the name cannot be resolved just now", async () => {
    const lookup = async () => Promise.reject(Object.assign(new Error(), { code: "EAI_AGAIN" }));
    await assert.rejects(fetchFrom({ port: 1, ports: { lookup } }), code("upstream_unreachable"));
  });

  it("when the answer is no HTTP, or breaks off", async (t) => {
    const answers = [
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nhal",
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
      "HTTP/1.1 302 Found\r\nlocation: /a\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n",
      "",
    ];
    for (const answer of answers) {
      const port = await startRaw(t, (socket) => socket.end(answer));
      await assert.rejects(fetchFrom({ port }), code("upstream_unreachable"), answer);
    }
  });

  it("when the server never answers: headers, body and the whole have caps", async (t) => {
    const silent = await startRaw(t, () => {});
    await assert.rejects(
      fetchFrom({ port: silent, limits: { headersMs: 50 } }),
      code("upstream_timeout"),
    );
    const { port: stalled } = await startCanary(t, (_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).write("a");
    });
    await assert.rejects(
      fetchFrom({ port: stalled, limits: { idleMs: 50 } }),
      code("upstream_timeout"),
    );
    await assert.rejects(
      fetchFrom({ port: silent, limits: { totalMs: 50 } }),
      code("upstream_timeout"),
    );
  });

  it("when the resolver never answers, or the parser", async (t) => {
    const { port } = await startCanary(t);
    const never = () => new Promise<never>(() => {});
    const limits = { totalMs: 50 };
    await assert.rejects(
      fetchFrom({ port, limits, ports: { lookup: never } }),
      code("upstream_timeout"),
    );
  });
});

describe("a caller that leaves", () => {
  it("ends the fetch with its own reason, and the connection with it", async (t) => {
    const gone = Promise.withResolvers<void>();
    const caller = new AbortController();
    const { port } = await startCanary(t, (request) => {
      request.socket.once("close", () => gone.resolve());
      caller.abort(new Error("the caller left"));
    });
    await assert.rejects(fetchFrom({ port }, { signal: caller.signal }), /the caller left/);
    await gone.promise;
  });

  it("before the fetch began reaches nobody", async (t) => {
    const { port, connections } = await startCanary(t);
    const signal = AbortSignal.abort(new Error("gone already"));
    await assert.rejects(
      guardedFetch(pageRequest("http://site.example/", { signal }), fetchPorts({ port })),
      /gone already/,
    );
    assert.equal(connections(), 0);
  });
});
