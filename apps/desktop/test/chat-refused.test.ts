/** Chatting when no answer comes, or breaks off: what the user is told, and what is kept. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyRow, rowsWhen } from "../../../test/harness/ledger.ts";
import { faultOf } from "./harness/chat-desk.ts";
import { begin, deltasOf, deskDevice, setUp } from "./harness/chat-places.ts";

describe("an answer that does not come", { concurrency: 4 }, () => {
  it("for a cap: what is left of it, in words for people, and nothing reaches upstream", async (t) => {
    const { desk, relay, simulator } = await setUp(t);
    const budget = { scope: "device", scope_id: deskDevice, window: "day" };
    await relay.bootstrap(deskDevice);
    const set = await relay.admin("/admin/budgets", {
      method: "POST",
      body: JSON.stringify({ ...budget, limit_micro_usd: 1000 }),
    });
    assert.equal(set.status, 201);
    const { kind, message, retryAt } = faultOf((await desk.ask("How much?")).reply);
    assert.equal(kind, "capped");
    assert.ok(retryAt !== null && retryAt > Date.now() - 60_000 && retryAt % 86_400_000 === 0);
    assert.match(message, /^\$0\.0010 are left of it, .* the operator of the relay/);
    assert.equal(simulator.counters().requests, 0);
  });

  it("for a model that is not allowed: it is named, and the list is asked for anew", async (t) => {
    const { desk } = await setUp(t, { ALLOWED_MODELS: "claude-haiku-*" });
    const { reply } = await desk.ask("You?", "claude-opus-4-5");
    const { kind, message, retryAt } = faultOf(reply);
    assert.equal(kind, "model_denied");
    assert.match(message, /claude-opus-4-5 .* Choose another/);
    assert.equal(retryAt, null);
  });

  it("for a model that upstream does not have", async (t) => {
    const { desk } = await setUp(t);
    const { kind } = faultOf((await desk.ask("You?", "claude-nobody")).reply);
    assert.equal(kind, "model_denied");
  });

  it("for the device's rate limit: with the time to try again", async (t) => {
    const { desk } = await setUp(t, { RATE_LIMIT_MAX: "1", RATE_LIMIT_WINDOW: "60s" });
    assert.equal((await desk.ask("First.")).reply.ending.kind, "complete");
    const before = Date.now();
    const { kind, retryAt } = faultOf((await desk.ask("Second.")).reply);
    assert.equal(kind, "rate_limited");
    assert.ok(retryAt !== null && retryAt > before && retryAt <= Date.now() + 60_000);
  });

  it("for an open circuit breaker: with the time to try again", async (t) => {
    const { desk } = await setUp(t);
    for (let failed = 0; failed < 5; failed += 1) {
      assert.equal(faultOf((await desk.ask("Up?", "claude-sim-529")).reply).kind, "overloaded");
    }
    const { kind, retryAt } = faultOf((await desk.ask("Up?")).reply);
    assert.equal(kind, "breaker_open");
    assert.ok(retryAt !== null && retryAt > Date.now() && retryAt <= Date.now() + 30_000);
  });

  it("for its size: the way out is a new conversation", async (t) => {
    const { desk } = await setUp(t, { MAX_PAYLOAD_SIZE: "64KiB" });
    const { kind, message } = faultOf((await desk.ask("long ".repeat(20_000))).reply);
    assert.equal(kind, "too_large");
    assert.match(message, /new conversation/);
  });

  it("for a page instead of an answer: no HTML before the user", async (t) => {
    const { desk } = await setUp(t);
    const { kind, message } = faultOf((await desk.ask("Hm?", "claude-sim-html:502")).reply);
    assert.equal(kind, "other");
    assert.match(message, /answered 502/);
    assert.doesNotMatch(message, /</);
  });

  it("for the relay's own key: the device's token stays", async (t) => {
    const { desk, device } = await setUp(t);
    const { kind, message } = faultOf((await desk.ask("Hm?", "claude-sim-401")).reply);
    assert.equal(kind, "other");
    assert.match(message, /the relay's own key .* operator/);
    assert.deepEqual(device.rejected, []);
  });

  it("for a relay that is away: offline, and the session looks after it", async (t) => {
    const { desk, relay, device } = await setUp(t);
    await device.session.token();
    await relay.kill();
    const { kind, message } = faultOf((await desk.ask("Anyone?")).reply);
    assert.equal(kind, "offline");
    assert.match(message, /is the relay running/);
    assert.equal(desk.relayFailures(), 1);
  });

  it("for a device that an admin has disabled: signed out", async (t) => {
    const { desk, relay, device } = await setUp(t);
    assert.equal((await desk.ask("In?")).reply.ending.kind, "complete");
    const disabled = await relay.admin(`/admin/devices/${deskDevice}`, {
      method: "PATCH",
      body: JSON.stringify({ status: "disabled" }),
    });
    assert.equal(disabled.status, 200, JSON.stringify(disabled));
    const { kind, message } = faultOf((await desk.ask("Still?")).reply);
    assert.equal(kind, "signed_out");
    assert.match(message, /disabled/);
    assert.deepEqual(device.rejected, []);
  });
});

describe("an answer that breaks off", { concurrency: 4 }, () => {
  it("with the relay: what came stays", async (t) => {
    const { desk, relay } = await setUp(t);
    const { id, replyId } = await begin(desk);
    await relay.kill();
    await desk.event("reply_ended");
    const reply = await desk.reply(id);
    assert.equal(faultOf(reply).kind, "broken_off");
    assert.match(reply.text, /^(tick )+$/);
    assert.equal(deltasOf(desk.events, replyId), reply.text);
    assert.equal(desk.relayFailures(), 1);
  });

  for (const scenario of ["reset-mid-event", "close-mid-stream", "end-mid-stream"]) {
    it(`by ${scenario} upstream: what came stays, and the relay says what happened`, async (t) => {
      const { desk, relay } = await setUp(t);
      const { reply } = await desk.ask("Go on.", `claude-sim-${scenario}:4`);
      const { kind, message } = faultOf(reply);
      assert.equal(kind, "broken_off");
      assert.ok(message.length > 10 && !message.includes("event:"), message);
      assert.match(reply.text, /^\[simulator\]/);
      assert.equal((await onlyRow(relay)).ending, "upstream_broke");
    });
  }

  it("by an error of Anthropic's within it: overloaded", async (t) => {
    const { desk } = await setUp(t);
    const { reply } = await desk.ask("Go on.", "claude-sim-error-after-start:4");
    assert.equal(faultOf(reply).kind, "overloaded");
    assert.match(reply.text, /^\[simulator\]/);
  });

  it("can be retried, and what came of the broken one is asked for anew", async (t) => {
    const { desk, relay } = await setUp(t);
    const { id, replyId } = await begin(desk, "claude-sim-first-n:1:close-mid-stream:4+paced:3:10");
    await desk.event("reply_ended");
    await desk.call["chat.retry"]({ conversationId: id });
    await desk.event("reply_ended", (event) => event.replyId !== replyId);
    const reply = await desk.reply(id);
    assert.equal(reply.ending.kind, "complete");
    assert.equal((await rowsWhen(relay, (rows) => rows.length === 2)).length, 2);
  });
});
