/** What monitors and orchestrators ask. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { sendRaw } from "./harness/raw-http.ts";

describe("health", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside();
  });
  after(() => relay.remove());

  const pages = ["/healthz", "/health", "/readyz"];

  for (const path of pages) {
    it(`HEAD ${path} answers as GET does, without the body`, async () => {
      const get = await relay.call(path);
      assert.equal(get.status, 200);
      assert.equal(typeof get.body.status, "string");
      const head = await fetch(`${relay.url}${path}`, { method: "HEAD" });
      assert.equal(head.status, 200);
      for (const name of ["content-type", "content-length"]) {
        assert.equal(head.headers.get(name), get.headers.get(name), name);
      }
      // On the wire: fetch would not show a body that must not be there.
      const request = `HEAD ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      const { text } = await sendRaw(relay.port, request);
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(text.split("\r\n\r\n")[1], "");
    });
  }

  it("HEAD elsewhere is still not offered, with a token or without", async () => {
    const token = await relay.bootstrap();
    for (const path of ["/v1/models", "/v1/messages", "/admin/usage", "/bootstrap"]) {
      for (const headers of [{}, { "x-api-key": token }]) {
        const { status } = await fetch(`${relay.url}${path}`, { method: "HEAD", headers });
        assert.equal(status, 404, path);
      }
    }
  });
});
