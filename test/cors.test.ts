/** Browsers on other origins: off, unless an origin is named. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";

const app = "https://app.example.com";

const corsHeaders = (headers: Headers): string[] =>
  [...headers.keys()].filter((name) => name.startsWith("access-control-"));

const preflight = (relay: InsideRelay, origin: string, path = "/v1/messages") =>
  relay.call(path, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,anthropic-version",
    },
  });

describe("without CORS_ORIGINS", () => {
  it("no answer carries a CORS header", async (t) => {
    const relay = await startInside();
    t.after(() => relay.remove());
    const token = await relay.bootstrap();
    const answers = [
      await preflight(relay, app),
      await relay.call("/healthz", { headers: { origin: app } }),
      await relay.call("/bootstrap", { headers: { origin: app }, body: {} }),
      await relay.call("/v1/models", {
        token,
        headers: { origin: app, "anthropic-version": "2023-06-01" },
      }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 200, 400, 200],
    );
    for (const { headers } of answers) {
      assert.deepEqual(corsHeaders(headers), []);
    }
  });
});

describe("with CORS_ORIGINS", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({ env: { CORS_ORIGINS: `${app},http://localhost:5173` } });
    token = await relay.bootstrap();
  });
  after(() => relay.remove());

  it("a named origin's preflight is answered without a credential, and reaches nothing", async () => {
    for (const origin of [app, "http://localhost:5173"]) {
      const { status, headers, text } = await preflight(relay, origin);
      assert.equal(status, 204);
      assert.equal(text, "");
      assert.equal(headers.get("access-control-allow-origin"), origin);
      assert.equal(headers.get("vary"), "origin");
      assert.match(headers.get("access-control-allow-methods") ?? "", /POST/);
      assert.match(headers.get("access-control-allow-headers") ?? "", /anthropic-version/);
      assert.equal(headers.get("access-control-allow-credentials"), null);
    }
    assert.equal(relay.simulator.counters().requests, 0);
  });

  it("its answers may be read: a message, a stream, a refusal", async () => {
    const headers = { origin: app, "anthropic-version": "2023-06-01" };
    const body = {
      model: "claude-haiku-4-5",
      max_tokens: 9,
      messages: [{ role: "user", content: "hi" }],
    };
    const answers = [
      await relay.call("/v1/messages", { token, headers, body }),
      await relay.call("/v1/messages", { token, headers, body: { ...body, stream: true } }),
      await relay.call("/v1/messages", { headers, body }),
      await relay.call("/nowhere", { headers }),
      await relay.call("/healthz", { headers }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 401, 404, 200],
    );
    for (const answer of answers) {
      assert.equal(answer.headers.get("access-control-allow-origin"), app);
      assert.match(answer.headers.get("access-control-expose-headers") ?? "", /request-id/);
    }
  });

  for (const origin of [
    "https://evil.test",
    "https://app.example.com.evil.test",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://APP.example.com",
    "null",
  ]) {
    it(`${origin} gets nothing`, async () => {
      const { status, headers } = await preflight(relay, origin);
      assert.equal(status, 404);
      assert.deepEqual(corsHeaders(headers), []);
      const answer = await relay.call("/healthz", { headers: { origin } });
      assert.deepEqual(corsHeaders(answer.headers), []);
    });
  }
});
