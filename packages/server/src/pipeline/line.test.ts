import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BudgetId, epochMs } from "@claude-relay/contract";
import type { Budget, Limit, Verdict } from "./admission.ts";
import type { LineDeps } from "./line.ts";
import { Refusal } from "./refusal.ts";
import { body, caller, lineFixture } from "./test-setup.ts";

const refuse = (code: "credential_invalid" | "storage_unavailable" | "too_large") => () => {
  throw new Refusal(code, "no");
};
const refusedAs = (code: string) => (error: unknown) =>
  error instanceof Refusal && error.code === code;
const isRevokedNow = (isRevoked: () => boolean) => () => {
  if (isRevoked()) {
    throw new Refusal("credential_invalid", "revoked");
  }
  return caller;
};
const limit: Limit = {
  scope: { kind: "device", id: "test-device-0001" },
  kind: "requests",
  max: 1,
  windowMs: 60_000,
};
const full: Verdict = {
  kind: "over_limit",
  state: { limit, remaining: 0, resetMs: 0 },
  retryAfterMs: 5000,
};
const budget: Budget = {
  id: "bud_1" as BudgetId,
  scope: { kind: "user", id: "ada" },
  unit: "micro_usd",
  limit: 6000,
  window: { kind: "day" },
};
const spent: Verdict = {
  kind: "over_budget",
  state: { budget, held: 0, spent: 5500, left: 500, resetsAt: epochMs(1_790_000_000_000) },
  wanted: 5000,
};
const granted: Verdict = { kind: "granted", limits: [], budgets: [] };

describe("the line", () => {
  it("authenticates, limits, reads, writes to the ledger, and only then calls upstream", async () => {
    const { walk, steps, upstream, intents } = lineFixture();
    const walked = walk();
    const receiver = await upstream.called;
    assert.deepEqual(steps, ["authenticate", "early", "body", "authenticate", "hold", "open"]);
    assert.deepEqual(upstream.notes, ["send"]);
    const [intent] = intents;
    assert.equal(intent?.model, "claude-haiku-4-5");
    assert.equal(intent?.bodyBytes, body.length);
    assert.equal(intent?.holdMicroUsd, 5000);
    assert.equal(intent?.fallback.accuracy, "estimated");
    receiver.onStart(200, {});
    receiver.onEnd();
    await walked;
  });

  const refusals: readonly [
    what: string,
    changes: Partial<LineDeps>,
    steps: string[],
    code: string,
  ][] = [
    ["a bad credential", { authenticate: refuse("credential_invalid") }, [], "credential_invalid"],
    [
      "a full limit",
      { admission: { refusedAlready: () => full, ask: () => granted, settle() {} } },
      ["authenticate"],
      "rate_limited",
    ],
    [
      "a denied model",
      { relayAllows: () => false },
      ["authenticate", "early", "body", "authenticate", "hold"],
      "model_denied",
    ],
    [
      "a budget it does not fit",
      { admission: { refusedAlready: () => null, ask: async () => spent, settle() {} } },
      ["authenticate", "body", "authenticate"],
      "over_budget",
    ],
    [
      "a ledger that cannot be written",
      {
        ledger: { open: async () => refuse("storage_unavailable")(), progress() {}, close() {} },
      },
      ["authenticate", "early", "body", "authenticate", "hold"],
      "storage_unavailable",
    ],
  ];
  for (const [what, changes, reached, code] of refusals) {
    it(`stops at ${what}: no later stage runs and upstream is not called`, async () => {
      const { walk, steps, upstream, outcomes, active } = lineFixture(changes);
      await assert.rejects(walk(), refusedAs(code));
      assert.deepEqual(steps, reached);
      assert.deepEqual(upstream.notes, []);
      assert.deepEqual(outcomes, []);
      assert.equal(active.size, 0);
    });
  }

  it("tells what it refuses a caller, but not what is thrown before anyone is known", async () => {
    const limited = lineFixture({
      admission: { refusedAlready: () => full, ask: () => granted, settle() {} },
    });
    await assert.rejects(limited.walk());
    assert.equal(limited.refused.length, 1);
    assert.match(limited.refused[0] ?? "", /^test-device-0001: Refusal: This device's limit/);
    const unknown = lineFixture({ authenticate: refuse("credential_invalid") });
    await assert.rejects(unknown.walk());
    assert.deepEqual(unknown.refused, []);
  });

  it("stops at a credential revoked while the body was on its way", async () => {
    for (const lookup of ["at once", "later"]) {
      let isRevoked = false;
      const { walk, upstream, intents } = lineFixture({
        authenticate: () => {
          if (!isRevoked) {
            return caller;
          }
          const refusal = new Refusal("credential_invalid", "revoked");
          if (lookup === "at once") {
            throw refusal;
          }
          return Promise.reject(refusal);
        },
      });
      const readBody = async () => {
        isRevoked = true;
        return body;
      };
      await assert.rejects(walk({ readBody }), refusedAs("credential_invalid"));
      assert.deepEqual([upstream.notes, intents], [[], []]);
    }
  });

  it("stops at a credential revoked while the request waited for a place, which is given back", async () => {
    let isRevoked = false;
    const settled: unknown[] = [];
    const { walk, upstream, intents } = lineFixture({
      authenticate: isRevokedNow(() => isRevoked),
      admission: {
        refusedAlready: () => null,
        ask: async () => {
          isRevoked = true;
          return { kind: "granted", limits: [], budgets: [], queuedMs: 5 };
        },
        settle: (_id, used) => void settled.push(used),
      },
    });
    await assert.rejects(walk(), refusedAs("credential_invalid"));
    assert.deepEqual([upstream.notes, intents, settled], [[], [], [null]]);
  });

  it("does not look up again a credential of which nothing has changed", async () => {
    const { walk, steps, upstream } = lineFixture({ isUnchanged: (one) => one === caller });
    void walk();
    await upstream.called;
    assert.equal(steps.filter((step) => step === "authenticate").length, 1);
  });

  it("stops at a body that is refused, and at one that is not JSON", async () => {
    const { walk, upstream, intents } = lineFixture();
    await assert.rejects(walk({ readBody: refuse("too_large") }), refusedAs("too_large"));
    const broken = { readBody: async () => Buffer.from("{") };
    await assert.rejects(walk(broken), refusedAs("invalid_request"));
    assert.deepEqual(upstream.notes, []);
    assert.deepEqual(intents, []);
  });

  it("tells who sends bad bodies beyond the limit of requests of the limit", async () => {
    const { walk, upstream } = lineFixture({
      admission: { refusedAlready: () => null, ask: async () => full, settle() {} },
    });
    const broken = { readBody: async () => Buffer.from("{") };
    await assert.rejects(walk(broken), refusedAs("rate_limited"));
    assert.deepEqual(upstream.notes, []);
  });

  it("holds nothing for what upstream does not bill", async () => {
    const { walk, upstream, intents } = lineFixture();
    void walk({ operation: { kind: "list_models", query: {} }, readBody: async () => null });
    await upstream.called;
    assert.equal(intents[0]?.holdMicroUsd, 0);
    assert.equal(intents[0]?.fallback.accuracy, "free");
    assert.equal(intents[0]?.model, null);
  });

  it("keeps Claude Code's session id when it is one", async () => {
    for (const [header, kept] of [
      ["0b8f7a52-5c1c", "0b8f7a52-5c1c"],
      ["with a blank", null],
      ["x".repeat(129), null],
      ["", null],
    ] as const) {
      const { walk, upstream, intents } = lineFixture();
      void walk({ headers: { "x-claude-code-session-id": header } });
      await upstream.called;
      assert.equal(intents[0]?.sessionId, kept);
    }
  });
});
