import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reconcileTable } from "./reconcile-table.ts";
import { runCli, startTestRelay } from "./test-relay.ts";

const amounts = { input_tokens: 1000, output_tokens: 10, cost_micro_usd: 1500 };
const row = {
  day: "2026-11-20",
  cost_type: "tokens",
  model: "claude-haiku-4-5",
  verdict: "drift",
  sides: "both",
  ours: { requests: 4, ...amounts },
  estimated: { requests: 1 },
  theirs: { ...amounts, input_tokens: 1200, cost_micro_usd: 2000 },
  difference: { input_tokens: -200, output_tokens: 0, cost_micro_usd: -500 },
  relative: { input_tokens: -0.1667, output_tokens: 0, cost_micro_usd: -0.25 },
};
const searches = { ...row, cost_type: "web_search", model: null, verdict: "match", relative: {} };
const report = { agrees: false, open_day: null, rows: [row, searches], totals: row };

describe("the table of a comparison", () => {
  it("shows the differences by day and model, searches by their kind, and the sum", () => {
    const lines = reconcileTable(report) ?? [];
    assert.equal(lines.length, 4);
    assert.match(
      lines[1] ?? "",
      /^2026-11-20 +claude-haiku-4-5 +drift +4 +1 +-200 +0 +0 +0 +0 +\$0\.001500 +\$0\.002000 +-\$0\.000500 \(-25\.00 %\)$/,
    );
    assert.match(lines[2] ?? "", /web_search +match/);
    assert.match(lines[3] ?? "", /^all /);
  });

  it("is none of something else, and lets nothing rewrite the terminal", () => {
    assert.equal(reconcileTable({}), null);
    assert.equal(reconcileTable({ rows: [1], totals: {} }), null);
    const [, line] = reconcileTable({ rows: [{ model: "a\u001b[2Jb" }], totals: {} }) ?? [];
    assert.ok(!line?.includes("\u001b"));
  });
});

describe("claude-relay reconcile", () => {
  const args = ["reconcile", "--from", "2026-11-01", "--to", "2026-11-21"];
  const against = async (t: Parameters<typeof startTestRelay>[0], body: unknown, status = 200) => {
    const relay = await startTestRelay(t, () => ({ status, body }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: "the-admin-token-of-the-test" };
    return { relay, run: (...more: string[]) => runCli([...args, ...more], env) };
  };

  it("exits 3 on drift and 0 without, and passes the tolerance on", async (t) => {
    const drifted = await against(t, report);
    const ran = await drifted.run("--tolerance", "2.5");
    assert.equal(ran.code, 3, ran.stderr);
    assert.match(ran.stdout, /claude-haiku-4-5 +drift/);
    assert.match(ran.stderr, /drifted apart/);
    assert.equal(
      drifted.relay.asked[0]?.path,
      "/admin/reconcile?from=2026-11-01&to=2026-11-21&tolerance_percent=2.5",
    );
    const agreeing = await against(t, { ...report, agrees: true, open_day: "2026-11-20" });
    const well = await agreeing.run();
    assert.equal(well.code, 0, well.stderr);
    assert.match(well.stderr, /Today is not over/);
  });

  it("prints the whole answer with --json", async (t) => {
    const { run } = await against(t, report);
    const ran = await run("--json");
    assert.deepEqual(JSON.parse(ran.stdout), report);
    assert.equal(ran.code, 3);
  });

  it("exits 1 when nothing could be compared, in the relay's words", async (t) => {
    const message = "ANTHROPIC_ADMIN_KEY is not set: make one";
    const { run } = await against(t, { type: "error", error: { type: "x", message } }, 409);
    const ran = await run();
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /ANTHROPIC_ADMIN_KEY is not set/);
    const strange = await (await against(t, { hello: 1 })).run();
    assert.equal(strange.code, 1);
    assert.match(strange.stderr, /version does not fit/);
  });

  it("asks for both days, and for a tolerance that is one", async (t) => {
    const { relay, run } = await against(t, report);
    assert.equal((await run("--tolerance", "101")).code, 1);
    assert.equal((await run("--tolerance", "-1")).code, 1);
    assert.equal((await runCli(["reconcile", "--from", "2026-11-01"], {})).code, 1);
    assert.equal(relay.asked.length, 0);
  });
});
