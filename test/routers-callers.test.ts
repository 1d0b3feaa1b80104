/** Routers are callers like any other: budgets, limits, models, revocation; and upstream's troubles stay the relay's. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commands, sharedSecret, startRouters } from "./harness/routers.ts";
import { cut, Failure } from "./harness/scripted-upstream.ts";

const read = "/ip address print";

describe("a router, a caller like any other,", { concurrency: 4 }, () => {
  it("is refused by a budget of its own before upstream is asked, in the relay's words", async (t) => {
    const { relay, upstream, connected } = await startRouters(t);
    const router = await connected();
    upstream.answerWith(commands(read));
    const body = { scope: "router", scope_id: "office", window: "total", limit_micro_usd: 1 };
    const set = await relay.admin("/admin/budgets", { method: "POST", body: JSON.stringify(body) });
    assert.equal(set.status, 201, JSON.stringify(set.body));
    const refused = await router.ask("show addresses");
    assert.deepEqual([refused.success, refused.code], [false, "budget_exceeded"]);
    assert.match(refused.error, /This router's budget/);
    assert.doesNotMatch(refused.error, /max_tokens/);
    assert.equal(upstream.asked.length, 0);
    const other = await connected({ id: "branch" });
    assert.equal((await other.ask("show addresses")).success, true);
  });

  it("has a limit of requests a minute, and is told when to come back", async (t) => {
    const { upstream, router, add } = await startRouters(t);
    const secret = await add("own", { requests_per_minute: 2 });
    const client = router({ id: "own", secret });
    assert.equal((await client.handshake()).success, true);
    upstream.answerWith(commands(read));
    const codes: unknown[] = [];
    for (let count = 0; count < 3; count += 1) {
      const answer = await client.ask("show");
      codes.push(answer.code);
      if (answer.code !== undefined) {
        assert.ok(answer.retry_after >= 1);
      }
    }
    assert.deepEqual(codes, [undefined, undefined, "rate_limited"]);
  });

  it("may use the models of its policy alone", async (t) => {
    const { upstream, router, add } = await startRouters(t);
    const secret = await add("own", { models: ["claude-haiku-*"] });
    const client = router({ id: "own", secret });
    await client.handshake();
    const refused = await client.ask("show");
    assert.equal(refused.code, "model_denied");
    assert.match(
      refused.error,
      /for routers \(CLAUDE_RELAY_ROUTER_MODEL\), which this router's policy/,
    );
    assert.equal(upstream.asked.length, 0);
  });

  it("that is revoked is told so in the middle of its session, and not let in again", async (t) => {
    const { relay, connected, router } = await startRouters(t);
    const client = await connected();
    const { status } = await relay.admin("/admin/routers/office", { method: "DELETE" });
    assert.equal(status, 200);
    assert.equal((await client.ask("show")).code, "router_revoked");
    assert.equal((await router().handshake()).code, "router_revoked");
    const { body } = await relay.admin("/admin/audit?action=router.refuse");
    assert.deepEqual(
      new Set(body.data.map((row: { actor: string }) => row.actor)),
      new Set(["router:office"]),
    );
  });

  it("never hears of the relay's own account", async (t) => {
    const { relay, upstream, connected } = await startRouters(t);
    const router = await connected();
    const cases: [object, string][] = [
      [
        new Failure(401, "authentication_error", "invalid x-api-key org-hidden"),
        "upstream_unavailable",
      ],
      [
        new Failure(400, "invalid_request_error", "Your credit balance is too low"),
        "upstream_unavailable",
      ],
      [new Failure(500, "api_error", "Internal org-hidden"), "upstream_unavailable"],
      [new Failure(504, "timeout_error", "too slow"), "timeout"],
      [cut, "upstream_unavailable"],
    ];
    for (const [failure, code] of cases) {
      upstream.answerWith(failure);
      const said = await router.ask("show");
      assert.equal(said.code, code, JSON.stringify(said));
      assert.doesNotMatch(JSON.stringify(said), /credit|org-hidden|x-api-key/);
    }
    assert.ok(!JSON.stringify(relay.logs).includes(sharedSecret));
  });
});
