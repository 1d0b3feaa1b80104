import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { describe, it } from "node:test";
import { Refusal } from "../pipeline/refusal.ts";
import { fetchFrom, startCanary } from "./test-setup.ts";

const code = (wanted: Refusal["code"]) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.code, wanted, error.message);
  return true;
};

const html =
  (text: string, type = "text/html; charset=utf-8"): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { "content-type": type }).end(text);
  };

describe("only text is fetched", () => {
  const types = {
    yes: [
      "text/html",
      "TEXT/HTML;charset=x",
      "text/plain",
      "text/csv",
      "application/xhtml+xml",
      "application/json",
      "application/ld+json",
      "application/xml",
      "text/xml",
      "application/rss+xml",
      "application/atom+xml",
      "application/feed+json",
    ],
    no: [
      "image/png",
      "image/svg+xml",
      "application/pdf",
      "application/octet-stream",
      "video/mp4",
      "application/zip",
      "multipart/form-data",
      "text",
      "nonsense",
      "application/javascript",
    ],
  };

  for (const type of types.yes) {
    it(`${type} is`, async (t) => {
      const { port } = await startCanary(t, html("x", type));
      assert.equal((await fetchFrom({ port })).contentType, type);
    });
  }

  for (const type of types.no) {
    it(`${type} is not, and its body is not read`, async (t) => {
      const { port } = await startCanary(t, (_request, response) => {
        response.writeHead(200, { "content-type": type }).flushHeaders();
      });
      await assert.rejects(fetchFrom({ port }), code("invalid_request"));
    });
  }

  it("a page without a type is judged by its first bytes", async (t) => {
    const bodies = {
      "/html": " <!DOCTYPE html><p>x<script>1</script>",
      "/text": "a < b",
      "/xml": '<?xml version="1.0"?><a/>',
      "/png": "\u0089PNG\r\n\u001a\n\u0000",
    };
    const { port } = await startCanary(t, (request, response) => {
      response.end(Buffer.from(bodies[request.url as keyof typeof bodies], "latin1"));
    });
    const get = (path: string) => fetchFrom({ port }, { url: `http://site.example${path}` });
    assert.doesNotMatch((await get("/html")).html, /script/);
    assert.equal((await get("/text")).html, bodies["/text"]);
    assert.equal((await get("/xml")).html, bodies["/xml"]);
    await assert.rejects(get("/png"), code("invalid_request"));
  });

  it("what is no HTML comes as it is, whatever the format", async (t) => {
    const { port } = await startCanary(t, html('{"a":"<script>"}', "application/json"));
    for (const format of ["html", "text", "markdown"] as const) {
      assert.equal((await fetchFrom({ port }, { format })).html, '{"a":"<script>"}');
    }
  });
});
