import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { epochMs } from "@claude-relay/contract";
import { Refusal } from "../pipeline/refusal.ts";
import { createBillingReports } from "./anthropic-admin.ts";

const adminKey = "sk-ant-admin-of-the-test-0001";
const from = epochMs(Date.parse("2026-09-01T00:00:00Z"));
const to = epochMs(Date.parse("2026-09-03T00:00:00Z"));

type Answer = (query: URLSearchParams, request: IncomingMessage, response: ServerResponse) => void;

/** An Admin API of the test's own, and what it was asked. */
const startApi = async (t: TestContext, answers: Readonly<{ usage?: Answer; cost?: Answer }>) => {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    const url = new URL(request.url ?? "", "http://x");
    const answer = url.pathname.endsWith("/cost_report") ? answers.cost : answers.usage;
    (answer ?? page([]))(url.searchParams, request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`;
  const options = { baseUrl, adminKey, version: "1.2.3", connectTimeoutMs: 2000 };
  return {
    asked,
    read: (more = {}) => createBillingReports({ ...options, ...more }).read(from, to),
  };
};

const page =
  (data: unknown, next: unknown = null): Answer =>
  (_query, _request, response) => {
    response.end(JSON.stringify({ data, has_more: next !== null, next_page: next }));
  };

const says =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (_query, _request, response) => {
    response.writeHead(status, headers).end(body);
  };

const bucket = (day: string, results: unknown[]) => ({
  starting_at: `${day}T00:00:00Z`,
  ending_at: `${day}T23:59:59Z`,
  results,
});

/** As in the documentation's example. */
const usageResult = {
  api_key_id: null,
  cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
  cache_read_input_tokens: 200,
  context_window: null,
  model: "claude-opus-4-6",
  output_tokens: 500,
  server_tool_use: { web_search_requests: 10 },
  service_tier: null,
  uncached_input_tokens: 1500,
  workspace_id: null,
};
const costResult = {
  amount: "123.78912",
  cost_type: "tokens",
  currency: "USD",
  description: "Claude Opus 4.6 Usage - Input Tokens",
  model: "claude-opus-4-6",
  token_type: "uncached_input_tokens",
};

const refused = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.ok(!error.message.includes(adminKey));
  return true;
};

describe("the billing reports", () => {
  it("are asked for by day and model, with the admin key in its own header", async (t) => {
    const { asked, read } = await startApi(t, {});
    assert.deepEqual(await read(), []);
    const common = {
      starting_at: "2026-09-01T00:00:00Z",
      ending_at: "2026-09-03T00:00:00Z",
      bucket_width: "1d",
      limit: "31",
    };
    assert.deepEqual(
      asked
        .map(({ url = "" }) => new URL(url, "http://x"))
        .map(({ pathname, searchParams }) => [pathname, Object.fromEntries([...searchParams])])
        .sort(),
      [
        ["/prefix/v1/organizations/cost_report", { ...common, "group_by[]": "description" }],
        ["/prefix/v1/organizations/usage_report/messages", { ...common, "group_by[]": "model" }],
      ],
    );
    for (const { headers, method } of asked) {
      assert.equal(method, "GET");
      assert.equal(headers["x-api-key"], adminKey);
      assert.equal(headers["anthropic-version"], "2023-06-01");
      assert.equal(headers["user-agent"], "claude-relay/1.2.3");
      assert.equal(headers.authorization, undefined);
    }
  });

  it("become lines: tokens by model, cost by model, and other costs by kind", async (t) => {
    const { read } = await startApi(t, {
      usage: page([bucket("2026-09-01", [usageResult]), bucket("2026-09-02", [])]),
      cost: page([
        bucket("2026-09-01", [
          costResult,
          { ...costResult, amount: "0.21088", token_type: "output_tokens" },
          { ...costResult, amount: "10", cost_type: "web_search", model: null },
          { ...costResult, amount: "5", cost_type: "code_execution", model: null },
        ]),
      ]),
    });
    const day = "2026-09-01";
    assert.deepEqual(await read(), [
      {
        day,
        costType: "tokens",
        model: "claude-opus-4-6",
        amounts: {
          input_tokens: 1500,
          output_tokens: 500,
          cache_read_input_tokens: 200,
          cache_creation_5m_input_tokens: 500,
          cache_creation_1h_input_tokens: 1000,
          web_search_requests: 10,
        },
      },
      { day, costType: "tokens", model: "claude-opus-4-6", amounts: { cost_micro_usd: 1_240_000 } },
      { day, costType: "web_search", model: null, amounts: { cost_micro_usd: 100_000 } },
      { day, costType: "code_execution", model: null, amounts: { cost_micro_usd: 50_000 } },
    ]);
  });

  it("are read page after page, and days outside the span are left out", async (t) => {
    const { asked, read } = await startApi(t, {
      usage: (query, request, response) => {
        const second = query.get("page") === "page_2+/=";
        const day = second ? "2026-09-02" : "2026-08-31";
        page([bucket(day, [usageResult])], second ? null : "page_2+/=")(query, request, response);
      },
    });
    assert.deepEqual(
      (await read()).map(({ day }) => day),
      ["2026-09-02"],
    );
    assert.equal(asked.length, 3);
  });

  it("are given up when their pages never end", async (t) => {
    const { read } = await startApi(t, { usage: page([], "page_again") });
    await assert.rejects(read(), refused("upstream_unreachable", /pages do not come to an end/));
    let count = 0;
    const ever = await startApi(t, {
      usage: (query, request, response) => page([], `page_${count++}`)(query, request, response),
    });
    await assert.rejects(ever.read(), refused("upstream_unreachable", /do not come to an end/));
    assert.ok(count < 100);
  });

  for (const [what, body] of [
    ["no JSON", "<html>"],
    ["an error with 200", '{"type":"error"}'],
    ["data that is no list", '{"data":{},"has_more":false}'],
    ["no has_more", '{"data":[]}'],
    ["more, but no page", '{"data":[],"has_more":true,"next_page":null}'],
    [
      "a result without tokens",
      JSON.stringify({ data: [bucket("2026-09-01", [{}])], has_more: false }),
    ],
    ["a negative count", withUsage({ output_tokens: -1 })],
    ["a fraction of a token", withUsage({ uncached_input_tokens: 0.5 })],
    ["a count as text", withUsage({ cache_read_input_tokens: "200" })],
    ["a bucket that begins at noon", withUsage({}, "2026-09-01T12:00:00Z")],
  ] as const) {
    it(`are refused rather than read as nothing: ${what}`, async (t) => {
      const { read } = await startApi(t, { usage: says(200, body) });
      await assert.rejects(read(), refused("upstream_unreachable", /a shape this version/));
    });
  }

  it("are refused with an amount that is none, or in another currency", async (t) => {
    for (const changes of [{ amount: 12 }, { amount: "1e3" }, { currency: "EUR" }]) {
      const { read } = await startApi(t, {
        cost: page([bucket("2026-09-01", [{ ...costResult, ...changes }])]),
      });
      await assert.rejects(read(), refused("upstream_unreachable", /US cents/));
    }
  });

  it("say which key is wrong, that they are asked too often, and what else upstream says", async (t) => {
    const error = (message: string) =>
      JSON.stringify({ type: "error", error: { type: "x", message }, request_id: "r" });
    const answered = async (answer: Answer) => (await startApi(t, { cost: answer })).read();
    await assert.rejects(
      answered(says(401, error("invalid x-api-key"))),
      refused("conflict", /ANTHROPIC_ADMIN_KEY \(401: invalid x-api-key\)/),
    );
    await assert.rejects(
      answered(says(403, error(`no ${adminKey}`))),
      refused("conflict", /\(403\)/),
    );
    await assert.rejects(
      answered(says(429, error("slow down"), { "retry-after": "17" })),
      (failure: unknown) =>
        refused("rate_limited", /slow down/)(failure) &&
        (failure as Refusal).details.retryAfterSeconds === 17,
    );
    await assert.rejects(
      answered(says(500, "oops")),
      refused("upstream_unreachable", /answered 500/),
    );
    await assert.rejects(
      answered(says(302, "", { location: "http://127.0.0.1:1/" })),
      refused("upstream_unreachable", /answered 302/),
    );
  });

  it("time out, page by page and as a whole", async (t) => {
    const { read } = await startApi(t, { usage: () => undefined });
    await assert.rejects(read({ pageTimeoutMs: 50 }), refused("upstream_timeout", /too long/));
    await assert.rejects(read({ deadlineMs: 50 }), refused("upstream_timeout", /too long/));
  });

  it("cannot be had where nobody listens, and the address is not told", async (t) => {
    const { read } = await startApi(t, {});
    await assert.rejects(
      read({ baseUrl: "http://127.0.0.1:1" }),
      (error: unknown) =>
        refused("upstream_unreachable", /cannot be reached/)(error) &&
        !(error as Error).message.includes("127.0.0.1"),
    );
  });
});

function withUsage(changes: object, startingAt = "2026-09-01T00:00:00Z"): string {
  const one = {
    ...bucket("2026-09-01", [{ ...usageResult, ...changes }]),
    starting_at: startingAt,
  };
  return JSON.stringify({ data: [one], has_more: false, next_page: null });
}
