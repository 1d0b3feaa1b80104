/** The ledger beside what upstream says it billed: after real traffic, and after traffic the relay never saw. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { ask, askStream, type Setting, startSetting } from "./harness/anthropic.ts";
import { send, withToken } from "./harness/http.ts";
import { rowsWhen } from "./harness/ledger.ts";
import { startRelay } from "./harness/relay.ts";
import { adminToken, masterKey } from "./harness/secrets.ts";

const adminKey = "sk-ant-admin-test-reconcile-0001";
const bin = new URL("../bin/claude-relay", import.meta.url).pathname;
const dayMs = 86_400_000;
const day = (offset: number): string =>
  new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10);
/** Yesterday too: midnight may pass while the test runs. */
const span = (): string => `from=${day(-1)}&to=${day(1)}`;

const webSearch = { type: "web_search_20250305", name: "web_search", max_uses: 2 };
const webSearchFirst = { type: "tool", name: "web_search" };

// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
type Body = any;

describe("reconciling", () => {
  let setting: Setting;
  before(async () => {
    setting = await startSetting({
      env: { ANTHROPIC_ADMIN_KEY: adminKey },
      simulator: { acceptAdminKeys: [adminKey] },
    });
  });
  after(() => setting.stop());

  const call = (body: object, scenario?: string) =>
    send(setting.relay.url, { headers: withToken(setting.token, scenario), body });
  const reconcile = async (query = ""): Promise<Body> => {
    const { status, body } = await setting.relay.admin(`/admin/reconcile?${span()}${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const cli = (...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const env = {
        PATH: process.env["PATH"] ?? "",
        CLAUDE_RELAY_URL: setting.relay.url,
        ADMIN_TOKEN: adminToken,
      };
      const args = ["reconcile", "--from", day(-1), "--to", day(1), ...more];
      execFile(bin, args, { cwd: "/", env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });

  it("finds nothing where nothing was asked", async () => {
    const { rows, agrees, upstream } = await reconcile();
    assert.deepEqual([rows, agrees, upstream], [[], true, "anthropic"]);
  });

  it("finds no drift after real traffic, to the token, of every kind", async () => {
    const cached = {
      ...ask("again"),
      system: [{ type: "text", text: "long ".repeat(4000), cache_control: { type: "ephemeral" } }],
    };
    const hour = { type: "ephemeral", ttl: "1h" };
    const cachedHour = {
      ...ask("again"),
      system: [{ type: "text", text: "wide ".repeat(4000), cache_control: hour }],
    };
    await Promise.all([
      call(ask("plain")),
      call(askStream("streamed")),
      call({ ...ask("by its full name"), model: "claude-haiku-4-5-20251001" }),
      call({ ...ask("another"), model: "claude-opus-5-5" }),
      call({ ...ask("regional"), inference_geo: "us" }),
      call({ ...ask("long"), model: "claude-haiku-5-5", system: "word ".repeat(120_000) }),
      call(ask("refused"), "529"),
      call({ ...ask("search the web"), tools: [webSearch], tool_choice: webSearchFirst }),
    ]);
    for (const body of [cached, cached, cachedHour, cachedHour]) {
      await call(body);
    }
    await send(setting.relay.url, {
      path: "/v1/messages/count_tokens",
      headers: withToken(setting.token),
      body: { model: "claude-haiku-4-5", messages: [{ role: "user", content: "count" }] },
    });
    await rowsWhen(setting.relay, (rows) => rows.length >= 13);
    const { rows, totals, agrees } = await reconcile("&tolerance_percent=0");
    assert.ok(agrees, JSON.stringify(rows));
    assert.deepEqual([...new Set(rows.map(({ model }: Body) => model))].sort(), [
      "claude-haiku-4-5",
      "claude-haiku-5-5",
      "claude-opus-5-5",
      null,
    ]);
    const bills = [...setting.simulator.bills.values()];
    const inputs = bills.reduce((sum, { usage }) => sum + usage.input_tokens, 0);
    assert.equal(totals.theirs.input_tokens, inputs);
    for (const [name, difference] of Object.entries(totals.difference)) {
      if (name === "cost_micro_usd") {
        assert.ok(Number(difference) >= 0 && Number(difference) <= totals.ours.requests);
      } else {
        assert.equal(difference, 0, name);
        assert.ok(totals.ours[name] > 0, `${name} was exercised`);
      }
    }
    const ran = await cli("--tolerance", "0");
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /claude-opus-5-5 +match/);
  });

  it("keeps an answer the caller left apart as an estimate, and takes it for no drift", async () => {
    await leave();
    await rowsWhen(setting.relay, (rows) => rows.some(({ accuracy }) => accuracy === "estimated"));
    await setting.simulator.until(({ aborted }) => aborted > 0);
    const { rows, totals, agrees } = await reconcile("&tolerance_percent=0");
    assert.equal(totals.estimated.requests, 1);
    const row = rows.find(({ model }: Body) => model === "claude-sonnet-5-5");
    assert.deepEqual([row.sides, row.ours.requests, row.estimated.requests], ["both", 1, 1]);
    assert.equal(row.difference.input_tokens, 0);
    assert.ok(row.theirs.output_tokens > 0);
    assert.notEqual(row.verdict, "drift", JSON.stringify(row));
    assert.ok(agrees);
  });

  it("reports what somebody else spent with the same organization, and exits 3", async () => {
    const direct = {
      headers: withToken(masterKey),
      body: { ...ask("x"), model: "claude-sonnet-5" },
    };
    assert.equal((await send(setting.upstreamUrl, direct)).status, 200);
    const { rows, agrees, totals } = await reconcile();
    assert.equal(agrees, false);
    const drifted = rows.filter(({ verdict }: Body) => verdict === "drift");
    assert.deepEqual(
      drifted.map(({ model, sides }: Body) => [model, sides]),
      [["claude-sonnet-5", "theirs"]],
    );
    assert.ok(drifted[0].theirs.cost_micro_usd > 0);
    assert.equal(drifted[0].difference.output_tokens, -drifted[0].theirs.output_tokens);
    assert.ok(totals.difference.output_tokens < 0);
    const ran = await cli("--json");
    assert.equal(ran.code, 3, ran.stderr);
    assert.equal(JSON.parse(ran.stdout).agrees, false);
    const named = await cli();
    assert.match(named.stdout, /claude-sonnet-5 +drift/);
    assert.match(named.stderr, /drifted apart/);
  });

  it("is the admin's alone, and wants days", async () => {
    const asDevice = await fetch(`${setting.relay.url}/admin/reconcile?${span()}`, {
      headers: { authorization: `Bearer ${setting.token}` },
    });
    assert.equal(asDevice.status, 403);
    assert.equal((await fetch(`${setting.relay.url}/admin/reconcile?${span()}`)).status, 401);
    for (const query of [
      "",
      `from=${day(-1)}`,
      `from=${day(-1)}T00:00:00Z&to=${day(0)}`,
      `from=${day(0)}&to=${day(3)}`,
      `from=${day(0)}&to=${day(-1)}`,
      `${span()}&tolerance_percent=-1`,
      `${span()}&tolerance_percent=NaN`,
      `${span()}&device=x`,
    ]) {
      const { status, body } = await setting.relay.admin(`/admin/reconcile?${query}`);
      assert.equal(status, 400, query);
      assert.equal(body.error.type, "invalid_request_error");
    }
  });

  it("never sends the admin key with a message, nor logs it", async () => {
    const { log } = setting.simulator;
    const admin = log.filter(({ path }) => path.startsWith("/v1/organizations/"));
    assert.ok(admin.length > 0);
    for (const { path, headers } of log) {
      const expected = path.startsWith("/v1/organizations/") ? adminKey : masterKey;
      const given = headers["x-api-key"] ?? headers.authorization?.replace("Bearer ", "");
      assert.equal(given, expected, path);
    }
    assert.ok(!JSON.stringify(setting.relay.logs).includes(adminKey));
    assert.ok(!setting.relay.stderr().includes(adminKey));
  });

  /** Asks for a stream that falls silent after its first words, and leaves when they are there. */
  const leave = async (): Promise<void> => {
    const controller = new AbortController();
    const { body } = await fetch(`${setting.relay.url}/v1/messages`, {
      method: "POST",
      signal: controller.signal,
      headers: withToken(setting.token, "stall:5"),
      body: JSON.stringify({ ...askStream("a long tale"), model: "claude-sonnet-5-5" }),
    });
    let text = "";
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.split("content_block_delta\n").length > 2) {
        break;
      }
    }
    controller.abort();
  };
});

describe("reconciling without the right key", () => {
  it("says what to set when there is none", async () => {
    const relay = await startRelay();
    try {
      const { status, body } = await relay.admin(`/admin/reconcile?${span()}`);
      assert.equal(status, 409);
      assert.match(body.error.message, /ANTHROPIC_ADMIN_KEY is not set.*sk-ant-admin/);
    } finally {
      await relay.stop();
    }
  });

  it("says that Anthropic does not take it", async () => {
    const wrong = await startSetting({
      env: { ANTHROPIC_ADMIN_KEY: "sk-ant-admin-test-of-another-org" },
      simulator: { acceptAdminKeys: [adminKey] },
    });
    try {
      const { status, body } = await wrong.relay.admin(`/admin/reconcile?${span()}`);
      assert.equal(status, 409);
      assert.match(
        body.error.message,
        /does not take ANTHROPIC_ADMIN_KEY \(401: invalid x-api-key\)/,
      );
    } finally {
      await wrong.stop();
    }
  });

  it("does not start with a messages key in its place", async () => {
    await assert.rejects(
      startRelay({ env: { ANTHROPIC_ADMIN_KEY: "sk-ant-api03-0123456789abcdef" } }),
      /ANTHROPIC_ADMIN_KEY is no Admin API key/,
    );
  });
});
