import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { Limit } from "../pipeline/admission.ts";
import type { PolicyRules, PolicyScope } from "../pipeline/owner-ports.ts";
import type { Caller } from "../pipeline/types.ts";
import {
  appKey,
  device,
  lab,
  ofAnn,
  ofAppKey,
  ofDevice,
  ofLab,
  ofRouter,
  policy,
  relay,
  router,
  setUpDirectory,
} from "./testing/owners.ts";

const models = ["claude-haiku-4-5", "claude-haiku-3", "claude-opus-4-1", "other"];
const patterns = ["claude-*", "claude-haiku-*", "claude-haiku-4-5", "other", "opus"];
const modelLists = fc.option(fc.subarray(patterns));
const counts = fc.option(fc.integer({ min: 1, max: 5 }));

const rules: fc.Arbitrary<PolicyRules> = fc.record({
  models: modelLists,
  requestsPerMinute: counts,
  inputTokensPerMinute: counts,
  outputTokensPerMinute: counts,
  concurrency: counts,
  requestsPerDay: counts,
  onDisconnect: fc.option(fc.constantFrom("cancel", "drain")),
  bootstrap: fc.option(fc.constantFrom("open", "code", "approve")),
});

const scopes = fc.constantFrom<PolicyScope>(relay, ofLab, ofAnn, ofDevice, ofAppKey, ofRouter);
const settings = fc.array(fc.tuple(scopes, rules), { maxLength: 5 });

const callers: fc.Arbitrary<Caller> = fc.oneof(
  fc.record({ models: modelLists, requestsPerMinute: counts }).map(device),
  fc.record({ models: modelLists, requestsPerMinute: counts }).map(router),
  fc
    .record({ models: modelLists, requestsPerMinute: counts, concurrency: counts })
    .map((own) => appKey(own)),
);

/** Whether something held to `limits` is held at least as tightly as `before` says. */
const isHeld = (before: Limit, limits: readonly Limit[]): boolean =>
  limits.some(
    (now) =>
      now.kind === before.kind &&
      now.scope.kind === before.scope.kind &&
      now.scope.id === before.scope.id &&
      ("windowMs" in now ? now.windowMs : 0) === ("windowMs" in before ? before.windowMs : 0) &&
      now.max <= before.max,
  );

const rank = { open: 0, code: 1, approve: 2 };

it("setting one more policy, on any level, never allows what was not allowed before", async () => {
  await fc.assert(
    fc.asyncProperty(
      callers,
      settings,
      fc.constantFrom("open" as const, "code" as const, "approve" as const),
      scopes,
      rules,
      async (caller, before, bootstrap, scope, added) => {
        const { index, directory } = await setUpDirectory({ bootstrap });
        for (const [where, what] of before) {
          // The scope of the one to be added has none yet.
          if (where !== scope) {
            index.policies.keep(policy(where, what));
          }
        }
        const limits = directory.limitsOf(caller);
        const allowed = models.filter(directory.allowsModel(caller));
        const enrolling = [directory.bootstrapOf(null), directory.bootstrapOf(lab)];
        index.policies.keep(policy(scope, added));
        for (const limit of limits) {
          assert.ok(isHeld(limit, directory.limitsOf(caller)), JSON.stringify(limit));
        }
        const stillAllowed = models.filter(directory.allowsModel(caller));
        assert.ok(stillAllowed.every((model) => allowed.includes(model)));
        const now = [directory.bootstrapOf(null), directory.bootstrapOf(lab)];
        assert.ok(now.every((kind, place) => rank[kind] >= rank[enrolling[place]!]));
      },
    ),
  );
});

it("every rule set on a level of the caller holds, and none of another's", async () => {
  await fc.assert(
    fc.asyncProperty(callers, settings, async (caller, set) => {
      const { index, directory } = await setUpDirectory();
      const last = new Map(set);
      for (const [where, what] of last) {
        index.policies.keep(policy(where, what));
      }
      const limits = directory.limitsOf(caller);
      for (const [scope, { requestsPerMinute: max, concurrency }] of last) {
        const applies =
          !["device", "app_key", "router"].includes(scope.kind) || scope.kind === caller.kind;
        if (max !== null) {
          const limit: Limit = { scope, kind: "requests", max, windowMs: 60_000 };
          assert.equal(isHeld(limit, limits), applies);
        }
        if (concurrency !== null) {
          assert.equal(isHeld({ scope, kind: "concurrency", max: concurrency }, limits), applies);
        }
      }
    }),
  );
});
