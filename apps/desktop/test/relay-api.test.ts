/** What the window shows of the relay: models, usage and budgets, as a real relay tells them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "../../../test/harness/inside.ts";
import { haiku, signIn, sitDown } from "./harness/chat-desk.ts";

describe("a relay", () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside({ env: { ALLOWED_MODELS: "claude-haiku-*,claude-opus-4-*" } });
  });
  after(() => relay.remove());

  it("lists the models that this device may use", async (t) => {
    await relay.bootstrap("narrow-device");
    const body = { models: ["claude-haiku-*", "claude-sonnet-*"] };
    const path = "/admin/devices/narrow-device";
    assert.equal((await relay.admin(path, { method: "PATCH", body })).status, 200);
    const desk = sitDown(t, { relay: signIn(t, relay.url, "narrow-device").access });
    assert.deepEqual(await desk.call["models.list"]({}), [
      { id: "claude-haiku-5-5", displayName: "Claude Haiku 5.5" },
      { id: "claude-haiku-4-5-20251001", displayName: "Claude Haiku 4.5" },
    ]);
  });

  it("says in words that there is no model, and none without a relay", async (t) => {
    await relay.bootstrap("barred-device");
    const body = { models: [] };
    assert.equal(
      (await relay.admin("/admin/devices/barred-device", { method: "PATCH", body })).status,
      200,
    );
    const desk = sitDown(t, { relay: signIn(t, relay.url, "barred-device").access });
    await assert.rejects(desk.call["models.list"]({}), { code: "failed", message: /no model/ });
    const alone = sitDown(t, { relay: null });
    await assert.rejects(alone.call["models.list"]({}), { code: "not_connected" });
    await assert.rejects(alone.call["usage.get"]({}), { code: "not_connected" });
  });

  it("shows a model's loss when it is denied: the list is asked for again", async (t) => {
    const desk = sitDown(t, { relay: signIn(t, relay.url, "losing-device").access });
    const before = await desk.call["models.list"]({});
    const body = { models: ["claude-opus-*"] };
    await relay.admin("/admin/devices/losing-device", { method: "PATCH", body });
    await desk.ask("May I?", haiku);
    await desk.event("models_changed");
    const after = await desk.call["models.list"]({});
    assert.ok(after.length < before.length);
    assert.ok(after.every(({ id }) => id.startsWith("claude-opus-4-")));
  });

  it("counts what this device used today, and no other's", async (t) => {
    const now = () => relay.now();
    const device = signIn(t, relay.url, "counted-device");
    const desk = sitDown(t, { relay: device.access, now });
    const other = sitDown(t, { relay: signIn(t, relay.url, "other-device").access, now });
    await other.ask("Not mine.");
    const nothing = { requests: 0, inputTokens: 0, outputTokens: 0, costMicroUsd: 0 };
    assert.deepEqual((await desk.call["usage.get"]({})).today, nothing);
    const { reply } = await desk.ask("Mine.");
    await desk.event("usage_changed");
    assert.ok(reply.ending.kind === "complete");
    const { inputTokens, outputTokens } = reply.ending.usage;
    const { today, budgets } = await desk.call["usage.get"]({});
    // Haiku costs $1 and $5 per million tokens.
    const costMicroUsd = inputTokens + 5 * outputTokens;
    assert.deepEqual(today, { requests: 1, inputTokens, outputTokens, costMicroUsd });
    assert.deepEqual(budgets, []);
    relay.advance(24 * 3_600_000);
    device.later(24 * 3_600_000);
    assert.deepEqual((await desk.call["usage.get"]({})).today, nothing);
  });

  it("tells how the budgets stand that bind this device", async (t) => {
    const desk = sitDown(t, { relay: signIn(t, relay.url, "kept-short-device").access });
    await relay.bootstrap("kept-short-device");
    const day = Date.parse(new Date(relay.now()).toISOString().slice(0, 10));
    for (const body of [
      { scope: "device", scope_id: "kept-short-device", limit_micro_usd: 1_000_000, window: "day" },
      { scope: "relay", limit_tokens: 100_000_000, window: { rolling_hours: 5 } },
    ]) {
      assert.equal((await relay.admin("/admin/budgets", { body })).status, 201);
    }
    const { budgets } = await desk.call["usage.get"]({});
    const shared = budgets.find(({ scope }) => scope === "relay");
    assert.deepEqual(
      budgets.find(({ scope }) => scope === "device"),
      {
        scope: "device",
        unit: "micro_usd",
        window: "day",
        limit: 1_000_000,
        remaining: 1_000_000,
        remainingPercent: 100,
        resetsAt: day + 24 * 3_600_000,
      },
    );
    assert.deepEqual(
      { ...shared, remainingPercent: 0, resetsAt: null },
      {
        scope: "relay",
        unit: "tokens",
        window: "5 hours",
        limit: null,
        remaining: null,
        remainingPercent: 0,
        resetsAt: null,
      },
    );
  });
});
