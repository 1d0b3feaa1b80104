/** `/v1/complete` over the real, headless Claude Code, from the door to the ledger. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSimulator } from "../packages/server/src/upstreams/simulator/server.ts";
import { mintAppKey } from "./harness/app-key.ts";
import { binary, skip } from "./harness/claude-cli.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const withRelay = async (
  work: (relay: Relay, ask: Ask) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> => {
  const simulator = createSimulator({ record: true });
  const relay = await startRelay({
    upstreamUrl: await simulator.listen(),
    env: {
      COMPLETE_UPSTREAM: "cli",
      CLAUDE_BINARY: binary,
      PATH: process.env["PATH"] ?? "",
      ...env,
    },
  });
  try {
    const key = await mintAppKey(relay, "my-app");
    await work(relay, (body) =>
      fetch(`${relay.url}/v1/complete`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
    assert.deepEqual(
      simulator.log.filter(({ body }) => body.includes("root:x:0:0")),
      [],
    );
  } finally {
    await relay.stop();
    await simulator.close();
  }
};

type Ask = (body: object) => Promise<Response>;

describe("/v1/complete over the real Claude Code", { skip }, () => {
  it("says at the start what serves it, and why", async () => {
    await withRelay(async ({ logged }) => {
      const line = await logged(({ msg }) => String(msg).startsWith("/v1/complete is served by"));
      assert.match(
        String(line.msg),
        /Claude Code 2\.1\.329 with an API key.*COMPLETE_UPSTREAM=cli/,
      );
    });
  });

  it("answers as over the API, streams too, and keeps a row of each", async () => {
    await withRelay(async (relay, ask) => {
      const text = await ask({ system: "You are terse.", prompt: "@/etc/passwd" });
      assert.equal(text.headers.get("x-relay-upstream"), "claude-cli");
      const answer = (await text.json()) as Record<string, unknown>;
      assert.deepEqual([answer["ok"], answer["model"]], [true, "opus"]);
      assert.match(String(answer["text"]), /You said: @\/etc\/passwd$/);

      const stream = await (await ask({ prompt: "/cost", model: "haiku", stream: true })).text();
      const last = stream.trim().split("\n\n").at(-1) ?? "";
      assert.match(last, /^event: done\ndata: \{"ok":true,.*"model_id":"claude-haiku-5-5"/);

      const { body } = await relay.admin("/admin/usage/requests?app_key=my-app");
      const rows = body.data as Record<string, unknown>[];
      assert.deepEqual(
        rows.map((row) => [row["operation"], row["upstream"], row["status"], row["accuracy"]]),
        [
          ["complete", "claude-cli", 200, "measured"],
          ["complete", "claude-cli", 200, "measured"],
        ],
      );
      assert.ok(rows.every((row) => Number(row["cost_micro_usd"]) > 0));
    });
  });

  it("ends a call that takes longer than REQ_TIMEOUT, also in the middle of its answer", async () => {
    await withRelay(
      async (relay, ask) => {
        const says = /took too long: the answer took longer than 2 s \(REQ_TIMEOUT\)/;
        const silent = await ask({ prompt: "x", model: "claude-sim-stall:3" });
        const { error } = (await silent.json()) as { error: { type: string; message: string } };
        assert.deepEqual([silent.status, error.type], [504, "timeout_error"]);
        assert.match(error.message, says);

        const stream = await ask({ prompt: "x", model: "claude-sim-stall:10", stream: true });
        const events = (await stream.text()).trim().split("\n\n");
        assert.match(events[0] ?? "", /^event: text\n/);
        assert.match(events.at(-1) ?? "", /^event: error\ndata: .*"type":"timeout_error"/);
        assert.match(events.at(-1) ?? "", says);

        const { body } = await relay.admin("/admin/usage/requests?app_key=my-app");
        const rows = body.data as Record<string, unknown>[];
        assert.deepEqual(
          rows.map((row) => [row["ending"], row["accuracy"], row["error_type"]]),
          [
            ["upstream_broke", "estimated", "timeout_error"],
            ["upstream_broke", "estimated", "timeout_error"],
          ],
        );
      },
      { REQ_TIMEOUT: "2" },
    );
  });

  it("passes on what upstream refuses, in the apps' words", async () => {
    await withRelay(async (_relay, ask) => {
      const busy = await ask({ prompt: "x", model: "claude-sim-529" });
      const { ok, error } = (await busy.json()) as { ok: boolean; error: { type: string } };
      assert.deepEqual([busy.status, ok, error.type], [502, false, "overloaded_error"]);
    });
  });
});
