import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { RelayAccess } from "../relay/relay-access.ts";
import { createRelayReader } from "./relay-reader.ts";
import { readUsage } from "./usage.ts";

type Answer = Readonly<{ status: number; body: string }>;

const now = Date.parse("2026-11-21T23:59:59.999Z");

const totals = {
  requests: 3,
  errors: 0,
  input_tokens: 10,
  output_tokens: 20,
  cache_read_input_tokens: 1,
  cache_creation_5m_input_tokens: 2,
  cache_creation_1h_input_tokens: 3,
  cost_micro_usd: 99,
};

const good: Answer = { status: 200, body: JSON.stringify({ totals, groups: [] }) };

/** A relay that answers as told; gives what was asked of it. */
const setUp = async (t: TestContext, usage: Answer, budgets: Answer) => {
  const asked: string[] = [];
  let failures = 0;
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const { status, body } = request.url?.startsWith("/admin/usage") ? usage : budgets;
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  t.after(() => server.listening && close());
  const access: RelayAccess = {
    relayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: async () => "some-token",
    reject: () => undefined,
  };
  const read = createRelayReader(
    () => access,
    () => {
      failures += 1;
    },
  );
  const usageOf = () => readUsage(read, { now: () => now });
  return { asked, usageOf, close, failures: () => failures };
};

const refused = (status: number): Answer => ({
  status,
  body: JSON.stringify({ type: "error", error: { type: "some_error", message: `No ${status}` } }),
});

describe("usage", () => {
  it("is of today, by UTC, cached tokens with the others", async (t) => {
    const { asked, usageOf } = await setUp(t, good, { status: 200, body: '{"data":[]}' });
    assert.deepEqual(await usageOf(), {
      today: { requests: 3, inputTokens: 16, outputTokens: 20, costMicroUsd: 99 },
      budgets: [],
    });
    assert.ok(asked.includes("/admin/usage?from=2026-11-21"));
  });

  for (const status of [403, 404]) {
    it(`has no budgets where an older relay answers ${status} to that`, async (t) => {
      const { usageOf } = await setUp(t, good, refused(status));
      assert.deepEqual((await usageOf()).budgets, []);
    });
  }

  it("fails in the relay's words", async (t) => {
    const { usageOf, failures } = await setUp(t, refused(500), refused(404));
    await assert.rejects(usageOf(), { code: "failed", message: "No 500" });
    assert.equal(failures(), 0);
  });

  it("fails when the relay is away, and that is told", async (t) => {
    const { usageOf, close, failures } = await setUp(t, good, good);
    await close();
    await assert.rejects(usageOf(), { code: "failed", message: "The relay cannot be reached." });
    assert.ok(failures() > 0);
  });

  const strange: readonly [what: string, body: string][] = [
    ["a page", "<html>"],
    ["nothing", ""],
    ["other numbers", JSON.stringify({ totals: { ...totals, requests: "many" } })],
  ];
  for (const [what, body] of strange) {
    it(`fails when the answer is ${what}`, async (t) => {
      const { usageOf } = await setUp(
        t,
        { status: 200, body },
        { status: 200, body: '{"data":[]}' },
      );
      await assert.rejects(usageOf(), { code: "failed", message: /does not understand/ });
    });
  }

  it("shows budgets of persons and shared ones, and of no sessions", async (t) => {
    const row = {
      ...{ scope: "user", unit: "tokens", window: { rolling_hours: 1 }, limit: 100 },
      ...{ remaining: 33, remaining_percent: 33, resets_at: "2026-11-22T00:00:00.000Z" },
    };
    const data = [
      row,
      { ...row, scope: "organization", window: "month", limit: null, remaining: null },
      { ...row, scope: "session" },
      { ...row, scope: "relay", window: "total", resets_at: null },
    ];
    const { usageOf } = await setUp(t, good, { status: 200, body: JSON.stringify({ data }) });
    const resetsAt = now + 1;
    const common = { unit: "tokens", limit: 100, remaining: 33, remainingPercent: 33, resetsAt };
    assert.deepEqual((await usageOf()).budgets, [
      { scope: "user", ...common, window: "1 hour" },
      { scope: "organization", ...common, window: "month", limit: null, remaining: null },
      { scope: "relay", ...common, window: "total", resetsAt: null },
    ]);
  });
});
