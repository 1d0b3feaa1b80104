import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createRouter, type RouterOptions } from "./router.ts";

type Seen = { method: string; url: string; headers: IncomingMessage["headers"]; body: string };

let server: Server;
let base = "";
const seen: Seen[] = [];

const answers: Record<string, RequestListener> = {
  "/ok": (_, response) => response.end('{"a":1}'),
  "/refused": (_, response) => response.writeHead(401, { "x-why": "no" }).end("the reason"),
  "/moved": (_, response) => response.writeHead(302, { location: "/ok" }).end(),
  "/gzip": (_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("packed")),
  "/long": (_, response) => response.end("x".repeat(70_000)),
  "/reset": (request) => request.socket.destroy(),
  "/silent": () => {
    // Never answers.
  },
};

before(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answers[url]?.(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

const fetching = (
  path: string,
  parameters = "output=user as-value",
  options: RouterOptions = {},
) => {
  const router = createRouter(options);
  return router.run(`:return [/tool/fetch url="${base}${path}" ${parameters}]`);
};

describe("/tool fetch", () => {
  test("gives the body as data, its size in KiB", async () => {
    const got = (await fetching("/ok")) as Record<string, unknown>;
    assert.equal(got["data"], '{"a":1}');
    assert.equal(got["status"], "finished");
    assert.equal(got["downloaded"], 1);
  });

  test("timeout= is rejected: the script does not load", async () => {
    await assert.rejects(fetching("/ok", "timeout=5s"), { name: "SyntaxFault" });
    await assert.rejects(fetching("/ok", "timeout=5s", { version: "7.23" }), /unknown parameter/);
  });

  test("idle-timeout= is there since 7.15, http-max-redirect-count= since 7.18", async () => {
    await fetching("/ok", "idle-timeout=5s output=user as-value");
    const old = { version: "7.14" };
    await assert.rejects(fetching("/ok", "idle-timeout=5s", old), { name: "SyntaxFault" });
    const redirects = "http-max-redirect-count=0 output=user as-value";
    await assert.rejects(fetching("/ok", redirects), { name: "SyntaxFault" });
    await fetching("/ok", redirects, { version: "7.18" });
  });

  test("a 401 raises and its body is lost", async () => {
    const source = `:local said ""; :onerror e in={ /tool/fetch url="${base}/refused" output=user as-value } do={ :set said $e }; :return $said`;
    const said = String(await createRouter().run(source));
    assert.match(said, /status 401/);
    assert.doesNotMatch(said, /the reason/);
  });

  test("since 7.22 :onerror err,attr tells code and headers", async () => {
    const source = `:local c 0; :local h; :onerror e,attr in={ /tool/fetch url="${base}/refused" output=user as-value } do={ :set c ($attr->"code"); :set h ($attr->"http-headers"->"x-why") }; :return "$c $h"`;
    assert.equal(await createRouter({ version: "7.22" }).run(source), "401 no");
  });

  test("a redirect raises before 7.22 and is followed since, unless told not to", async () => {
    await assert.rejects(fetching("/moved"), /status 302/);
    const late = { version: "7.22" };
    const got = (await fetching("/moved", "output=user as-value", late)) as Record<string, unknown>;
    assert.equal(got["data"], '{"a":1}');
    const never = "http-max-redirect-count=0 output=user as-value";
    await assert.rejects(fetching("/moved", never, late), /302/);
  });

  test("http-header-field splits on commas unless they are escaped", async () => {
    await fetching("/ok", 'http-header-field="X-One: 1,X-Two: a\\\\,b" output=user as-value');
    assert.equal(seen.at(-1)?.headers["x-one"], "1");
    assert.equal(seen.at(-1)?.headers["x-two"], "a,b");
    await assert.rejects(fetching("/ok", 'http-header-field="X-One: 1,2" output=user as-value'), {
      name: "ScriptFault",
    });
  });

  test("posts http-data, as a form unless its type is said", async () => {
    await fetching("/ok", 'http-method=post http-data="a=b" output=user as-value');
    assert.equal(seen.at(-1)?.body, "a=b");
    assert.equal(seen.at(-1)?.headers["content-type"], "application/x-www-form-urlencoded");
    const json = 'http-header-field="Content-Type: application/json"';
    await fetching("/ok", `http-method=post http-data="{}" ${json} output=user as-value`);
    assert.equal(seen.at(-1)?.headers["content-type"], "application/json");
  });

  test("a GET loses its http-data before 7.21", async () => {
    await fetching("/ok", 'http-data="lost" output=user as-value');
    assert.equal(seen.at(-1)?.body, "");
    await fetching("/ok", 'http-data="kept" output=user as-value', { version: "7.21" });
    assert.equal(seen.at(-1)?.body, "kept");
  });

  test("http-data over 64 KB is refused", async () => {
    const router = createRouter();
    await router.run(':global long "x"; :for i from=1 to=17 do={ :set long ($long . $long) }');
    const post = `:global long; /tool/fetch url="${base}/ok" http-method=post http-data=$long output=none`;
    await assert.rejects(router.run(post), /64 KB/);
  });

  test("a body over 63 KiB is cut without an error, over 20 with headers", async () => {
    const got = (await fetching("/long")) as Record<string, string>;
    assert.equal(got["data"]?.length, 64_512);
    const withHeaders = await fetching("/long", "output=user-with-headers as-value");
    assert.equal((withHeaders as Record<string, string>)["data"]?.length, 20_480);
  });

  test("a packed body is unpacked", async () => {
    assert.equal(((await fetching("/gzip")) as Record<string, string>)["data"], "packed");
  });

  test("silence raises after the idle timeout", async () => {
    await assert.rejects(
      fetching("/silent", "output=user as-value", { fetchIdle: 50 }),
      /idle timeout/,
    );
  });

  test("a refused or broken connection raises an error a script can catch", async () => {
    await assert.rejects(fetching("/reset"), { name: "RouterError" });
    const source = ':return [:onerror e in={ /tool/fetch url="http://127.0.0.1:1/" } do={}]';
    assert.equal(await createRouter().run(source), true);
  });

  test("a name goes where the test says, or nowhere", async () => {
    const { port } = server.address() as AddressInfo;
    const source = `:return ([/tool/fetch url="http://relay.example:${port}/ok" output=user as-value]->"data")`;
    const router = createRouter({ resolve: () => "127.0.0.1" });
    assert.equal(await router.run(source), '{"a":1}');
    assert.equal(seen.at(-1)?.headers.host, `relay.example:${port}`);
    await assert.rejects(createRouter().run(source), /resolving/);
  });

  test("check-certificate is for https only", async () => {
    await assert.rejects(fetching("/ok", "check-certificate=yes output=user as-value"), /https/);
  });

  test("without output= the body becomes a file", async () => {
    const router = createRouter();
    await router.run(`/tool fetch url="${base}/ok"`);
    assert.equal(await router.run(":return [/file get ok contents]"), '{"a":1}');
  });

  test("a scheduler without the ftp policy may not fetch", async () => {
    const router = createRouter();
    const add = (name: string, policy: string) =>
      router.run(
        `/system scheduler add name=${name} policy=${policy} on-event={:global got [/tool/fetch url="${base}/ok" output=user as-value]}`,
      );
    await add("weak", "read,test");
    await router.tick("weak");
    assert.match(String(router.log.at(-1)?.message), /not enough permissions/);
    await add("enough", "read,test,ftp");
    await router.tick("enough");
    assert.equal(router.fetches.length, 1);
  });
});
