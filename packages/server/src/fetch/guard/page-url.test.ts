import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Refusal } from "../../pipeline/refusal.ts";
import { badUrls } from "../test-payloads.ts";
import { readPageUrl, readRedirect } from "./page-url.ts";

const refused = (error: unknown) =>
  error instanceof Refusal && error.code === "invalid_request" && error.message.startsWith("url: ");

describe("a page's address", () => {
  for (const url of badUrls) {
    it(`is refused when it is ${JSON.stringify(url).slice(0, 80)}`, () => {
      assert.throws(() => readPageUrl(url), refused);
    });
  }

  it("is taken with http or https, and with ports 80 and 443 said aloud", () => {
    for (const url of [
      "http://example.com/",
      "https://example.com/a?b=c",
      "http://example.com:443/",
    ]) {
      assert.equal(readPageUrl(url).href, url);
    }
    assert.equal(readPageUrl("https://example.com:443/").href, "https://example.com/");
    assert.equal(readPageUrl("HTTP://EXAMPLE.COM").href, "http://example.com/");
    assert.equal(
      readPageUrl("https://bücher.example/ä b").href,
      "https://xn--bcher-kva.example/%C3%A4%20b",
    );
    assert.equal(readPageUrl("https://a_b.example/").hostname, "a_b.example");
  });

  it("loses its fragment, which servers never see", () => {
    assert.equal(readPageUrl("https://example.com/a#b").href, "https://example.com/a");
  });

  it("never carries credentials, other ports or other schemes, whatever is given", () => {
    const piece = fc.constantFrom(
      "http://",
      "https://",
      "@",
      ":",
      "/",
      "\\",
      "#",
      "?",
      "127.0.0.1",
      "a.example",
      ":22",
      "%00",
      "[::1]",
      "\t",
      "。",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        let url: URL;
        try {
          url = readPageUrl(pieces.join(""));
        } catch (error) {
          assert.ok(refused(error));
          return;
        }
        assert.match(url.protocol, /^https?:$/);
        assert.equal(url.username + url.password + url.hash, "");
        assert.ok(["", "80", "443"].includes(url.port));
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("a redirect", () => {
  const from = new URL("https://example.com/a/b");

  it("is read relative to where it came from, in UTF-8", () => {
    assert.equal(readRedirect("../c", from).href, "https://example.com/c");
    assert.equal(readRedirect("//other.example/", from).href, "https://other.example/");
    const raw = Buffer.from("/ü").toString("latin1");
    assert.equal(readRedirect(raw, from).href, "https://example.com/%C3%BC");
  });

  it("is refused from https to http, and followed from http to https", () => {
    assert.throws(() => readRedirect("http://example.com/", from), /https to http/);
    assert.equal(
      readRedirect("https://b.example/", new URL("http://a.example/")).protocol,
      "https:",
    );
  });

  it("is refused when it is not UTF-8", () => {
    assert.throws(() => readRedirect("/\u00ff", from), Refusal);
  });

  for (const url of [
    "file:///etc/passwd",
    "http://u:p@x.example/",
    "//x.example:22/",
    "javascript:1",
  ]) {
    it(`is refused to ${url}`, () => {
      assert.throws(() => readRedirect(url, new URL("http://a.example/")), refused);
    });
  }
});
