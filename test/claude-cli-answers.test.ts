/** What the real Claude Code's answers, errors and ends become on the way to the caller. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import {
  filesIn,
  sandboxes,
  skip,
  skipSandbox,
  startAnthropic,
  startClaudeCli,
} from "./harness/claude-cli.ts";
import { assertNothingLeft, idle, prepareAttack } from "./harness/claude-cli-traps.ts";

for (const sandbox of Object.values(sandboxes)) {
  const reason = sandbox.kind === "bwrap" ? skipSandbox : skip;
  describe(`answers of the locked Claude Code, sandbox ${sandbox.kind}`, {
    skip: reason,
    timeout: 180_000,
  }, () => {
    it("answers max_tokens, a refusal and an empty answer as the API does, with one request each", async (t) => {
      const { ask, anthropic, cli } = await prepareAttack(t, sandbox);
      for (const [model, stopReason] of [
        ["claude-haiku-5-5", "max_tokens"],
        ["claude-sim-refusal", "refusal"],
        ["claude-sim-empty", "end_turn"],
        ["claude-sim-deltas:500", "end_turn"],
      ] as const) {
        const before = anthropic.bodies().length;
        const { received } = ask("hello", {
          model,
          max_tokens: stopReason === "max_tokens" ? 3 : 900,
        });
        await received.over;
        assert.equal(received.status, 200);
        assert.ok(received.ended, JSON.stringify(received.failure));
        assert.equal(received.text.match(/event: message_start/g)?.length, 1);
        assert.match(
          received.text,
          new RegExp(`"stop_reason":"${stopReason}"[^\\n]*\\n\\nevent: message_stop`),
        );
        await idle(cli);
        assert.equal(anthropic.bodies().length - before, 1, model);
      }
    });

    it("tells upstream's errors as an app is to see them, without trying again", async (t) => {
      const { ask, anthropic, cli, logged } = await prepareAttack(t, sandbox);
      for (const [model, status, type, requests] of [
        ["claude-sim-400", 400, "invalid_request_error", 1],
        ["claude-sim-401", 502, "api_error", 1],
        ["claude-sim-403", 502, "api_error", 1],
        // A 404 is tried once more without streaming: Claude Code has no switch for it.
        ["claude-sim-404", 400, "invalid_request_error", 2],
        ["claude-sim-429:7", 429, "rate_limit_error", 1],
        ["claude-sim-500", 502, "api_error", 1],
        ["claude-sim-529", 502, "overloaded_error", 1],
      ] as const) {
        const before = anthropic.bodies().length;
        const { received } = ask("hello", { model });
        await received.over;
        assert.equal(received.status, status, model);
        const { error } = JSON.parse(received.text);
        assert.equal(error.type, type);
        assert.doesNotMatch(error.message, /127\.0\.0\.1|API Error|gateway|\/login/);
        await idle(cli);
        assert.equal(anthropic.bodies().length - before, requests, model);
      }
      assert.match(logged.join("\n"), /credential was refused \(401\)/);
      assert.equal(cli.status().closedBecause, null);
    });

    it("lets no broken stream look whole", async (t) => {
      const { ask, anthropic, cli } = await prepareAttack(t, sandbox);
      for (const model of [
        "claude-sim-error-after-start:5",
        "claude-sim-close-mid-stream:5",
        "claude-sim-end-mid-stream:5",
        "claude-sim-reset-mid-event:5",
        "claude-sim-reset-before-headers",
      ]) {
        const before = anthropic.bodies().length;
        const { received } = ask("hello", { model });
        await received.over;
        assert.doesNotMatch(received.text, /message_stop/, model);
        assert.ok(
          received.failure !== null || /\n\nevent: error\n.*\n\n$/.test(received.text),
          model,
        );
        await idle(cli);
        assert.equal(anthropic.bodies().length - before, 1, model);
      }
    });

    it("ends upstream's request when the caller leaves, and leaves nothing behind", async (t) => {
      const { ask, anthropic, cli, tempRoot } = await prepareAttack(t, sandbox);
      const { received, exchange } = ask("hello", { model: "claude-sim-paced:1000:20" });
      await received.begun;
      exchange.cancel();
      await anthropic.simulator.until(({ aborted }) => aborted === 1);
      await idle(cli);
      await cli.close();
      assert.deepEqual(filesIn(tempRoot), []);
      assert.deepEqual(readdirSync(tempRoot), []);
    });

    it("is ended when upstream is silent for too long", async (t) => {
      const anthropic = await startAnthropic(t);
      const { ask, cli, tempRoot } = startClaudeCli(t, anthropic.url, { sandbox }, 2_000);
      const { received } = ask("hello", { model: "claude-sim-stall:3" });
      await received.over;
      assert.equal(received.failure?.kind, "timeout");
      await idle(cli);
      assert.equal(anthropic.simulator.counters().open, 0);
      assertNothingLeft(tempRoot);
    });

    it("starts a call without system prompt with none, and each with its own model and limit", async (t) => {
      const { ask, anthropic } = await prepareAttack(t, sandbox);
      await ask("one", { model: "claude-opus-4-5-20251101", max_tokens: 77 }).received.over;
      await ask("two", { model: "claude-sonnet-5-5", max_tokens: 9, system: "be brief" }).received
        .over;
      const [one, two] = anthropic.bodies().map((body) => JSON.parse(body));
      assert.deepEqual([one.model, one.max_tokens], ["claude-opus-4-5-20251101", 77]);
      assert.deepEqual([two.model, two.max_tokens], ["claude-sonnet-5-5", 9]);
      assert.match(one.system.at(-1).text, /^You are a Claude agent/);
      assert.equal(two.system.at(-1).text, "be brief");
    });

    it("asks for an old model by its name, where Claude Code would quietly take a new one", async (t) => {
      const { ask, anthropic } = await prepareAttack(t, sandbox);
      const { received } = ask("one", { model: "claude-opus-4-1" });
      await received.over;
      assert.equal(received.status, 400);
      assert.match(received.text, /claude-opus-4-1.*is not known upstream/);
      assert.ok(anthropic.bodies().every((body) => body.includes('"model":"claude-opus-4-1"')));
    });

    it("closes the door when a process is not the version that was probed", async (t) => {
      const anthropic = await startAnthropic(t);
      const { ask, cli } = startClaudeCli(t, anthropic.url, { sandbox, version: "2.1.330" });
      const { received } = ask("hello");
      await received.over;
      assert.equal(received.failure?.kind, "unreachable");
      assert.equal(received.failure?.sent, false);
      assert.match(cli.status().closedBecause ?? "", /not version 2.1.330/);
      assert.deepEqual(anthropic.bodies(), []);
    });
  });
}
