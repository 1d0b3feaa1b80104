/** `x-relay-error`: which of the relay's own refusals an answer is, and that no answer of upstream's can claim one. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it, type TestContext } from "node:test";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { sendRaw } from "./harness/raw-http.ts";
import { adminToken } from "./harness/secrets.ts";

const codeOf = ({ headers }: Answer): string | null => headers.get("x-relay-error");
const version = { "anthropic-version": "2023-06-01" };

describe("a refusal of the relay", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({
      env: {
        MAX_PAYLOAD_SIZE: "4KiB",
        ALLOWED_MODELS: "claude-haiku-*",
      },
    });
    token = await relay.bootstrap();
  });
  after(() => relay.remove());

  const cases: readonly [code: string, ask: () => Promise<Answer>][] = [
    ["invalid_request", () => relay.call("/v1/messages", { token, body: "{}" })],
    ["model_denied", () => relay.ask(token, { model: "claude-opus-4-5" })],
    ["credential_invalid", () => relay.ask("no token")],
    ["credential_expired", () => relay.call("/v1/models", { headers: { "x-api-key": "" } })],
    ["forbidden", () => relay.call("/admin/audit", { token })],
    ["not_found", () => relay.call("/v1/nowhere", { token })],
    ["not_found", () => relay.admin("/admin/devices/device-nowhere")],
    ["too_large", () => relay.call("/v1/messages", { token, body: Buffer.alloc(5_000, 0x20) })],
    [
      "unsupported_media_type",
      () =>
        relay.call("/v1/messages", {
          token,
          body: "{}",
          headers: { "content-type": "text/plain" },
        }),
    ],
    ["invalid_request", () => relay.call("/bootstrap", { body: {} })],
    ["invalid_request", () => relay.call("/v1/complete", { token, body: {} })],
    ["credential_invalid", () => relay.call("/v1/fetch", { body: { url: "https://a.test/" } })],
    [
      "invalid_request",
      () => relay.call("/v1/fetch", { token, body: { url: "http://127.0.0.1/" } }),
    ],
  ];
  for (const [code, ask] of cases) {
    it(`names its code: ${code}`, async () => {
      const answer = await ask();
      assert.ok(answer.status >= 400, answer.text);
      assert.equal(codeOf(answer), code, answer.text);
    });
  }

  it("names a budget and a rate apart, though both are 429", async () => {
    const budget = { scope: "device", scope_id: "poor-device-01", limit_tokens: 0, window: "day" };
    const poor = await relay.bootstrap("poor-device-01");
    await relay.admin("/admin/budgets", { body: budget });
    const overBudget = await relay.ask(poor);
    const busy = await relay.bootstrap("busy-device-01");
    await relay.admin("/admin/devices/busy-device-01", {
      method: "PATCH",
      body: { requests_per_minute: 1 },
    });
    await relay.ask(busy);
    const overRate = await relay.ask(busy);
    assert.deepEqual([overBudget.status, codeOf(overBudget)], [429, "over_budget"]);
    assert.deepEqual([overRate.status, codeOf(overRate)], [429, "rate_limited"]);
  });

  it("names it where HTTP itself is refused, before any route", async () => {
    const raw = async (bytes: string): Promise<string | undefined> =>
      /^x-relay-error: (\S+)\r$/m.exec((await sendRaw(relay.port, bytes)).text)?.[1];
    assert.equal(await raw("nonsense\r\n\r\n"), "invalid_request");
    assert.equal(await raw("GET /v1/models HTTP/1.1\r\n\r\n"), "invalid_request");
    assert.equal(
      await raw(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(40_000)}\r\n\r\n`),
      "headers_too_large",
    );
    const expects = "POST /v1/messages HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n";
    assert.equal(await raw(expects), "invalid_request");
  });

  it("is told to a web page of a named origin", async (t) => {
    const app = "https://app.example.com";
    const open = await startInside({ env: { CORS_ORIGINS: app } });
    t.after(() => open.remove());
    const answer = await open.call("/v1/models", { headers: { origin: app } });
    assert.equal(codeOf(answer), "credential_invalid");
    const exposed = answer.headers.get("access-control-expose-headers") ?? "";
    assert.ok(exposed.split(", ").includes("x-relay-error"), exposed);
  });

  it("is not on a good answer", async () => {
    const good = [
      await relay.ask(token),
      await relay.ask(token, { stream: true }),
      await relay.call("/v1/models", { token, headers: version }),
      await relay.call("/healthz"),
      await relay.call("/admin/audit", { token: adminToken }),
      await relay.call("/refresh", { method: "POST", token }),
    ];
    for (const answer of good) {
      assert.equal(answer.status, 200, answer.text);
      assert.equal(codeOf(answer), null);
    }
  });
});

/** A relay whose upstream answers as told. */
const relayBefore = async (
  t: TestContext,
  answer: RequestListener,
): Promise<Readonly<{ relay: InsideRelay; token: string }>> => {
  const upstream = createServer(answer);
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const relay = await startInside({ env: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` } });
  t.after(async () => {
    await relay.remove();
    upstream.closeAllConnections();
    upstream.close();
  });
  return { relay, token: await relay.bootstrap() };
};

describe("an answer of upstream", () => {
  for (const status of [200, 401, 429, 503]) {
    it(`with ${status} and an x-relay-error of its own arrives without it`, async (t) => {
      const { relay, token } = await relayBefore(t, (request, response) => {
        request.resume().on("end", () => {
          response.writeHead(status, {
            "content-type": "application/json",
            "X-Relay-Error": "over_budget",
            "x-relay-anything": "1",
            // Named hop by hop or not: neither way may it pass.
            connection: "keep-alive, x-relay-error",
            "x-upstreams-own": "1",
          });
          response.end('{"type":"error","error":{"type":"api_error","message":"upstream\'s"}}');
        });
      });
      const answer = await relay.ask(token);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("x-upstreams-own"), "1");
      assert.equal(answer.headers.get("x-relay-upstream"), "anthropic");
      assert.equal(codeOf(answer), null);
      assert.equal(answer.headers.get("x-relay-anything"), null);

      const complete = await relay.call("/v1/complete", { token, body: { prompt: "hi" } });
      assert.equal(codeOf(complete), null, complete.text);
    });
  }

  it("that never came is the relay's refusal: unreachable five times, then the breaker", async (t) => {
    const { relay, token } = await relayBefore(t, (request) => request.socket.destroy());
    const codes: (string | null)[] = [];
    for (let asked = 0; asked < 6; asked += 1) {
      codes.push(codeOf(await relay.ask(token)));
    }
    assert.deepEqual(codes, [...Array(5).fill("upstream_unreachable"), "breaker_open"]);
  });
});
