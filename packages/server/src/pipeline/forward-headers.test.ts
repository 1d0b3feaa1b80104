import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, it } from "node:test";
import { headersForCaller, headersForUpstream } from "./forward-headers.ts";

const pairs = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? "", flat[2 * n + 1] ?? ""]);

const up = (headers: IncomingHttpHeaders) => pairs(headersForUpstream(headers));
const down = (headers: IncomingHttpHeaders, keepLength = true) =>
  pairs(headersForCaller(headers, keepLength, ["x-relay-upstream", "test"]));

describe("a caller's headers", () => {
  it("pass, known or not", () => {
    const kept = {
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "a-2026-01-01,b",
      "x-claude-code-session-id": "1",
      "x-stainless-lang": "js",
      "user-agent": "test",
      "x-never-heard-of": "yes",
      traceparent: "00-1",
    };
    assert.deepEqual(up(kept), [["accept-encoding", "identity"], ...Object.entries(kept)]);
  });

  it("pass without credentials, cookies, hop-by-hop fields, proxies' words and our own", () => {
    const dropped = [
      "accept-encoding",
      "authorization",
      "x-api-key",
      "cookie",
      "connection",
      "keep-alive",
      "content-length",
      "transfer-encoding",
      "te",
      "trailer",
      "upgrade",
      "http2-settings",
      "proxy-authorization",
      "proxy-connection",
      "expect",
      "host",
      "forwarded",
      "via",
      "x-real-ip",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-anything",
      "x-relay-upstream",
      "x-relay-anything",
    ];
    const headers = Object.fromEntries(dropped.map((name) => [name, "x"]));
    assert.deepEqual(up(headers), [["accept-encoding", "identity"]]);
  });

  it("lose what Connection names, whatever its case", () => {
    const headers = { connection: "close, X-Secret-Hop", "x-secret-hop": "1", "x-other": "2" };
    assert.deepEqual(up(headers), [
      ["accept-encoding", "identity"],
      ["x-other", "2"],
    ]);
  });

  it("keep each of several values", () => {
    const several = up({ "x-many": ["1", "2"] as never });
    assert.deepEqual(several.slice(1), [
      ["x-many", "1"],
      ["x-many", "2"],
    ]);
  });
});

describe("upstream's headers", () => {
  it("pass, ours before them, without cookies, hop-by-hop fields and forged x-relay-*", () => {
    const kept = {
      "request-id": "req_1",
      "retry-after": "7",
      "x-should-retry": "true",
      "anthropic-ratelimit-tokens-remaining": "1",
      "content-type": "application/json",
      "content-encoding": "gzip",
      "content-length": "5",
      "anthropic-organization-id": "org",
      "cf-ray": "1",
    };
    const dropped = Object.fromEntries(
      [
        "set-cookie",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "strict-transport-security",
        "alt-svc",
        "x-relay-upstream",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-expose-headers",
      ].map((name) => [name, "x"]),
    );
    assert.deepEqual(down({ ...dropped, ...kept }), [
      ["x-relay-upstream", "test"],
      ...Object.entries(kept),
    ]);
  });

  it("lose the length when pings may be put between", () => {
    assert.deepEqual(down({ "content-length": "5" }, false), [["x-relay-upstream", "test"]]);
  });
});
