import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeviceId, epochMs, type ModelId } from "@claude-relay/contract";
import type { ScopeKind } from "./admission.ts";
import { admitModels, admitRate } from "./admit.ts";
import type { Rate, RateDecision } from "./rate-limiter.ts";
import { Refusal } from "./refusal.ts";
import type { BodyFacts, Caller } from "./types.ts";

const clock = { now: () => epochMs(1_790_000_000_000), monotonicMs: () => 0 };

const rated = (requestsPerMinute: number | null, decision: Partial<RateDecision>) => {
  const asked: [key: string, rate: Rate | undefined][] = [];
  const take = (key: string, rate?: Rate): RateDecision => {
    asked.push([key, rate]);
    return {
      allowed: false,
      limit: 100,
      windowMs: 60_000,
      remaining: 0,
      resetMs: 45_000,
      retryAfterMs: 0,
      ...decision,
    };
  };
  const caller: Caller = {
    kind: "device",
    id: "test-device-0001" as DeviceId,
    userId: null,
    organizationId: null,
    policy: { models: null, requestsPerMinute },
  };
  const admit = () => admitRate({ take, peek: take }, caller, clock);
  return { admit, asked };
};

describe("the rate of a caller", () => {
  it("is the relay's, or its own per minute", () => {
    const plain = rated(null, { allowed: true });
    plain.admit();
    assert.deepEqual(plain.asked, [["device:test-device-0001:", undefined]]);
    const own = rated(7, { allowed: true });
    own.admit();
    assert.deepEqual(own.asked, [["device:test-device-0001:7", { max: 7, windowMs: 60_000 }]]);
  });

  it("is refused in Anthropic's headers, with a wait of whole seconds from 1 to 60", () => {
    for (const [retryAfterMs, seconds] of [
      [0, 1],
      [1, 1],
      [1001, 2],
      [59_999, 60],
      [3_600_000, 60],
    ] as const) {
      assert.throws(rated(null, { retryAfterMs }).admit, (error: Refusal) => {
        assert.equal(error.code, "rate_limited");
        assert.equal(error.details.retryAfterSeconds, seconds);
        assert.deepEqual(error.details.headers, {
          "anthropic-ratelimit-requests-limit": "100",
          "anthropic-ratelimit-requests-remaining": "0",
          "anthropic-ratelimit-requests-reset": new Date(1_790_000_045_000).toISOString(),
        });
        return true;
      });
    }
  });
});

describe("the models of a body", () => {
  const facts = (...models: readonly string[]): BodyFacts => ({
    model: models[0] as ModelId,
    maxTokens: 1,
    stream: false,
    models: models.map((model, n) => ({ field: `field${n}`, model: model as ModelId })),
    serverToolUses: 0,
    speed: null,
    serviceTier: null,
    inferenceGeo: null,
  });
  const only = (allowed: string) => (model: string) => model.startsWith(allowed);
  const any = (_model: string) => true;

  const asker = (
    allows: typeof any,
    kind: "device" | "router" = "device",
    level: ScopeKind = kind,
  ) => ({ kind, allows, deniedBy: () => level });

  it("must all be allowed, by the relay and for the device", () => {
    admitModels(facts("a1", "a2"), only("a"), asker(any));
    admitModels(facts("a1", "a2"), any, asker(only("a")));
    const check = (relay: typeof any, own: typeof any, says: RegExp) =>
      assert.throws(
        () => admitModels(facts("a1", "b2"), relay, asker(own)),
        (error) =>
          error instanceof Refusal && error.code === "model_denied" && says.test(error.message),
      );
    check(only("a"), any, /^field1: "b2" is not allowed on this relay\./);
    check(any, only("a"), /^field1: "b2" is not allowed on this device\./);
    check(only("x"), only("x"), /^field0: "a1" is not allowed on this relay\./);
  });

  it("are refused naming whose policy it is, and who can change it", () => {
    const check = (level: ScopeKind, kind: "device" | "router", says: RegExp) =>
      assert.throws(() => admitModels(facts("b2"), any, asker(only("a"), kind, level)), {
        message: says,
      });
    const remedy = "GET /v1/models lists what is; the operator of this relay can change it\\.$";
    for (const [level, words] of [
      ["device", "on this device"],
      ["user", "by the policy of this device's user"],
      ["organization", "by the policy of this device's organization"],
      ["relay", "on this relay"],
    ] as const) {
      check(level, "device", new RegExp(`^field0: "b2" is not allowed ${words}\\. ${remedy}`));
    }
    check("organization", "router", /which the policy of this router's organization does not/);
    check("relay", "router", /which the relay's policy does not allow: its operator can/);
  });

  it("are the relay's own choice for a router: it is told so, and which of the two lists is in the way", () => {
    const check = (relay: typeof any, own: typeof any, says: RegExp) =>
      assert.throws(() => admitModels(facts("b2"), relay, asker(own, "router")), {
        code: "model_denied",
        message: says,
      });
    check(any, only("a"), /^The relay asks b2 for routers .*which this router's policy does not/);
    check(only("a"), any, /^The relay asks b2 for routers .*which ALLOWED_MODELS does not allow/);
  });
});
