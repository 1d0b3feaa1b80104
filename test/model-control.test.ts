/** Which models may be used, wherever a body can name one. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, question, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, invalid } from "./harness/refused.ts";

describe("model control", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({
      env: { ALLOWED_MODELS: "claude-haiku-*,claude-sonnet-4-5", RATE_LIMIT_MAX: "1000" },
    });
    token = await relay.bootstrap();
  });
  after(() => relay.remove());

  const upstreamSaw = (): number => {
    const { requests } = relay.simulator.counters();
    relay.simulator.reset();
    return requests;
  };

  it("lets allowed models through, by pattern and by exact id", async () => {
    for (const model of ["claude-haiku-4-5", "claude-haiku-4-5-20251001", "claude-sonnet-4-5"]) {
      assert.equal((await relay.ask(token, { model })).status, 200, model);
    }
    assert.equal(upstreamSaw(), 3);
  });

  const advisor = (model: string) => ({ type: "advisor_20260301", name: "advisor", model });
  const denied: readonly [field: string, changes: Record<string, unknown>][] = [
    ["model", { model: "claude-opus-4-5" }],
    ["model", { model: "claude-sonnet-4-5-20250929" }],
    ["model", { model: "claude-haiku" }],
    ["model", { model: "Claude-Haiku-4-5" }],
    ["model", { model: " claude-haiku-4-5" }],
    ["fallbacks[0].model", { fallbacks: [{ model: "claude-opus-4-5" }] }],
    [
      "fallbacks[1].model",
      { fallbacks: [{ model: "claude-sonnet-4-5" }, { model: "claude-opus-4-5" }] },
    ],
    ["tools[0].model", { tools: [advisor("claude-opus-4-5")] }],
    ["tools[1].model", { tools: [advisor("claude-haiku-4-5"), advisor("claude-opus-4-5")] }],
  ];
  for (const [field, changes] of denied) {
    it(`refuses ${JSON.stringify(changes)} with 400, naming ${field}`, async () => {
      const says = new RegExp(
        `^${RegExp.escape(field)}: ".*" is not allowed on this relay\\. GET /v1/models`,
      );
      assertRefused(await relay.ask(token, changes), invalid(says));
      const counted = await relay.call("/v1/messages/count_tokens", {
        token,
        body: { ...question, ...changes },
      });
      assertRefused(counted, invalid(says));
      assert.equal(upstreamSaw(), 0);
    });
  }

  it("reads what upstream reads: an escaped model is judged by its value", async () => {
    const body = JSON.stringify({ ...question, model: "MODEL" }).replace(
      "MODEL",
      "claude-\\u006fpus-4-5",
    );
    const answer = await relay.call("/v1/messages", { token, body });
    assertRefused(answer, invalid(/^model: "claude-opus-4-5" is not allowed/));
    assert.equal(upstreamSaw(), 0);
  });

  it("refuses the sight of a denied model under GET /v1/models/{id}", async () => {
    const refused = await relay.call("/v1/models/claude-opus-4-5", { token });
    assertRefused(refused, invalid(/^model: "claude-opus-4-5" is not allowed on this relay/));
    assert.equal(upstreamSaw(), 0);
    const headers = { "anthropic-version": "2023-06-01" };
    const allowed = await relay.call("/v1/models/claude-haiku-4-5", { token, headers });
    assert.notEqual(allowed.status, 400);
    assert.equal(upstreamSaw(), 1);
  });

  it("narrows a device further, at once, and never widens it", async () => {
    const own = await relay.bootstrap("narrow-device");
    assert.equal((await relay.ask(own)).status, 200);
    const patch = (models: string[] | null) =>
      relay.admin("/admin/devices/narrow-device", { method: "PATCH", body: { models } });
    await patch(["claude-sonnet-*", "claude-opus-*"]);
    upstreamSaw();
    assertRefused(await relay.ask(own), invalid(/^model: .* is not allowed on this device/));
    const opus = await relay.ask(own, { model: "claude-opus-4-5" });
    assertRefused(opus, invalid(/not allowed on this relay/));
    assert.equal(upstreamSaw(), 0);
    assert.equal((await relay.ask(own, { model: "claude-sonnet-4-5" })).status, 200);
    await patch([]);
    assert.equal((await relay.ask(own, { model: "claude-sonnet-4-5" })).status, 400);
    await patch(null);
    assert.equal((await relay.ask(own)).status, 200);
    assert.equal((await relay.ask(token)).status, 200);
  });

  it("says when it is the organization's policy that denies, and whom to ask", async () => {
    await createOwners(relay, "lab", "ann");
    const own = await relay.bootstrap("anns-laptop");
    const body = { user_id: "ann" };
    await relay.admin("/admin/devices/anns-laptop", { method: "PATCH", body });
    const policy = { scope: "organization", scope_id: "lab", models: ["claude-sonnet-*"] };
    assert.equal((await relay.admin("/admin/policies", { body: policy })).status, 201);
    upstreamSaw();
    const says =
      /not allowed by the policy of this device's organization\. .*; the operator of this relay can change it\.$/;
    assertRefused(await relay.ask(own), invalid(says));
    assert.equal(upstreamSaw(), 0);
  });
});
