import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OrganizationId, UserId } from "@claude-relay/contract";
import type { Limit } from "../pipeline/admission.ts";
import type { Directory } from "../pipeline/owner-ports.ts";
import type { Caller } from "../pipeline/types.ts";
import {
  ann,
  appKey,
  budget,
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

/** Each limit on a line: `requests device:mac-00001 100/60000`. */
const lines = (limits: readonly Limit[]): string[] =>
  limits.map((limit) => {
    const window = "windowMs" in limit ? `/${limit.windowMs}` : "";
    return `${limit.kind} ${limit.scope.kind}:${limit.scope.id} ${limit.max}${window}`;
  });

const ids = (directory: Directory, caller: Caller, session: string | null): string[] =>
  directory.budgetsOf(caller, session).map(({ id }) => id);

describe("limits without any policy", () => {
  it("are the relay's for a device, or the device's own instead", async () => {
    const { directory } = await setUpDirectory({ deviceRequests: { max: 7, windowMs: 10_000 } });
    assert.deepEqual(lines(directory.limitsOf(device())), ["requests device:mac-00001 7/10000"]);
    assert.deepEqual(lines(directory.limitsOf(device({ requestsPerMinute: 500 }))), [
      "requests device:mac-00001 500/60000",
    ]);
  });

  it("are for an app key its own or the relay's, and those of all app keys together", async () => {
    const { directory } = await setUpDirectory();
    assert.deepEqual(lines(directory.limitsOf(appKey())), [
      "requests app_key:my-app 60/60000",
      "requests_per_day app_key:my-app 2000",
      "requests_per_day app_key:* 10000",
      "concurrency app_key:* 8",
    ]);
    const own = appKey({ requestsPerMinute: 600, requestsPerDay: 5000, concurrency: 2 });
    assert.deepEqual(lines(directory.limitsOf(own)), [
      "requests app_key:my-app 600/60000",
      "requests_per_day app_key:my-app 5000",
      "requests_per_day app_key:* 10000",
      "concurrency app_key:my-app 2",
      "concurrency app_key:* 8",
    ]);
  });

  it("are for a router its own or the relay's, and none of the app keys'", async () => {
    const { directory } = await setUpDirectory();
    assert.deepEqual(lines(directory.limitsOf(router())), ["requests router:office 30/60000"]);
    assert.deepEqual(lines(directory.limitsOf(router({ requestsPerMinute: 3 }))), [
      "requests router:office 3/60000",
    ]);
  });

  it("leave out what the relay does not limit", async () => {
    const { directory } = await setUpDirectory({ keyRequestsPerDay: null, globalDaily: null });
    assert.deepEqual(lines(directory.limitsOf(appKey())), [
      "requests app_key:my-app 60/60000",
      "concurrency app_key:* 8",
    ]);
  });
});

describe("limits of policies", () => {
  it("come from every level, each counted where it was set", async () => {
    const { index, directory } = await setUpDirectory();
    index.policies.keep(policy(relay, { concurrency: 50, inputTokensPerMinute: 9000 }));
    index.policies.keep(policy(ofLab, { requestsPerMinute: 1000, requestsPerDay: 20_000 }));
    index.policies.keep(policy(ofAnn, { outputTokensPerMinute: 800 }));
    index.policies.keep(policy(ofDevice, { concurrency: 2 }));
    index.policies.keep(policy(ofAppKey, { concurrency: 1 }));
    assert.deepEqual(lines(directory.limitsOf(device())), [
      "requests device:mac-00001 100/60000",
      "requests organization:lab 1000/60000",
      "input_tokens relay: 9000/60000",
      "output_tokens user:ann 800/60000",
      "requests_per_day organization:lab 20000",
      "concurrency device:mac-00001 2",
      "concurrency relay: 50",
    ]);
  });

  it("and budgets of a router are a router's alone, beside its owners' and the relay's", async () => {
    const { index, directory } = await setUpDirectory();
    index.policies.keep(policy(ofRouter, { requestsPerDay: 40, models: ["claude-haiku-*"] }));
    index.policies.keep(policy(ofLab, { concurrency: 2 }));
    index.budgets.keep(budget("bud_router", ofRouter));
    index.budgets.keep(budget("bud_device", { kind: "device", id: router().id }));
    index.budgets.keep(budget("bud_relay", relay));
    assert.deepEqual(lines(directory.limitsOf(router())), [
      "requests router:office 30/60000",
      "requests_per_day router:office 40",
      "concurrency organization:lab 2",
    ]);
    assert.deepEqual(ids(directory, router(), null), ["bud_router", "bud_relay"]);
    const allows = directory.allowsModel(router());
    assert.deepEqual([allows("claude-haiku-4-5"), allows("claude-opus-5")], [true, false]);
  });

  it("on the caller itself are merged with its own: the lower one holds", async () => {
    for (const [own, set, held] of [
      [10, 20, 10],
      [20, 10, 10],
    ] as const) {
      const { index, directory } = await setUpDirectory();
      index.policies.keep(policy(ofDevice, { requestsPerMinute: set }));
      assert.deepEqual(lines(directory.limitsOf(device({ requestsPerMinute: own }))), [
        `requests device:mac-00001 ${held}/60000`,
      ]);
    }
  });

  it("hold beside the relay's default of another window", async () => {
    const { index, directory } = await setUpDirectory({
      deviceRequests: { max: 7, windowMs: 10_000 },
    });
    index.policies.keep(policy(ofDevice, { requestsPerMinute: 20 }));
    assert.deepEqual(lines(directory.limitsOf(device())), [
      "requests device:mac-00001 7/10000",
      "requests device:mac-00001 20/60000",
    ]);
  });

  it("for what is no model call are those on requests alone", async () => {
    const { index, directory } = await setUpDirectory();
    index.policies.keep(policy(ofLab, { requestsPerMinute: 5, concurrency: 1, requestsPerDay: 1 }));
    assert.deepEqual(lines(directory.requestLimitsOf(appKey())), [
      "requests app_key:my-app 60/60000",
      "requests organization:lab 5/60000",
    ]);
  });

  it("are not another's: a caller without owners has the relay's and its own", async () => {
    const { index, directory } = await setUpDirectory();
    index.policies.keep(policy(ofLab, { requestsPerMinute: 1 }));
    index.policies.keep(policy(ofAnn, { requestsPerMinute: 2 }));
    index.policies.keep(policy(relay, { requestsPerMinute: 3000 }));
    const stray = { ...device(), userId: null, organizationId: null };
    assert.deepEqual(lines(directory.limitsOf(stray)), [
      "requests device:mac-00001 100/60000",
      "requests relay: 3000/60000",
    ]);
  });
});

describe("budgets", () => {
  it("are those of every level, from the caller outwards, the session's last", async () => {
    const { index, directory } = await setUpDirectory();
    for (const scope of [relay, ofLab, ofAnn, ofDevice, ofAppKey]) {
      index.budgets.keep(budget(scope.kind, scope));
    }
    index.budgets.keep(budget("one", { kind: "session", id: "s-1" }));
    assert.deepEqual(ids(directory, device(), null), ["device", "user", "organization", "relay"]);
    assert.deepEqual(ids(directory, appKey(), "s-1"), [
      "app_key",
      "user",
      "organization",
      "relay",
      "one",
    ]);
    assert.deepEqual(ids(directory, appKey(), "s-2"), ids(directory, appKey(), null));
  });

  it("of each session are counted for each apart", async () => {
    const { index, directory } = await setUpDirectory();
    const each = budget("each", { kind: "session", id: "*" }, { limit: 5 });
    index.budgets.keep(each);
    const caller = device();
    const [first] = directory.budgetsOf(caller, "s-1");
    assert.deepEqual(first, {
      id: "each:s-1",
      scope: { kind: "session", id: "s-1" },
      unit: "micro_usd",
      limit: 5,
      window: { kind: "day" },
      createdAt: each.createdAt,
    });
    assert.deepEqual(ids(directory, caller, "s-2"), ["each:s-2"]);
    assert.deepEqual(ids(directory, caller, "*"), ["each:*"]);
    assert.deepEqual(ids(directory, caller, null), []);
  });

  it("could apply on every level, whether or not one is set: these are the scopes of a request", async () => {
    const { index, directory } = await setUpDirectory();
    const caller = device();
    const all = directory.scopesOf(caller, "s");
    assert.equal(directory.scopesOf(caller, "s"), all, "the same objects");
    for (const scope of all) {
      index.budgets.keep(budget(`of-${scope.kind}`, scope));
    }
    assert.deepEqual(
      directory.budgetsOf(caller, "s").map(({ scope }) => scope),
      all,
    );
    assert.deepEqual(directory.scopesOf(caller, null), all.slice(0, -1));
    assert.equal(directory.scopesOf(caller, "other").at(-1)?.id, "other");
  });

  it("appear, change and go at once", async () => {
    const { index, directory } = await setUpDirectory();
    const caller = device();
    assert.deepEqual(directory.budgetsOf(caller, "s"), []);
    index.budgets.keep(budget("one", { kind: "session", id: "s" }));
    assert.deepEqual(ids(directory, caller, "s"), ["one"]);
    index.budgets.forget(budget("one", relay).id);
    index.budgets.keep(budget("b", ofLab));
    assert.equal(directory.budgetsOf(caller, "s")[0]?.limit, 1_000_000);
    index.budgets.keep(budget("b", ofLab, { limit: 3 }));
    assert.equal(directory.budgetsOf(caller, "s")[0]?.limit, 3);
    index.budgets.forget(budget("b", ofLab).id);
    assert.deepEqual(directory.budgetsOf(caller, "s"), []);
  });
});

describe("models", () => {
  it("are allowed that every level allows", async () => {
    const { index, directory } = await setUpDirectory();
    index.policies.keep(policy(relay, { models: ["claude-*"] }));
    index.policies.keep(policy(ofLab, { models: ["claude-haiku-*", "claude-opus-4-1"] }));
    const allows = directory.allowsModel(device({ models: ["claude-haiku-4-5", "other"] }));
    assert.deepEqual(
      ["claude-haiku-4-5", "claude-haiku-3", "claude-opus-4-1", "other"].map(allows),
      [true, false, false, false],
    );
  });

  it("are denied by the first level that leaves them out, from the caller outwards", async () => {
    const { index, directory } = await setUpDirectory();
    index.policies.keep(policy(relay, { models: ["claude-*"] }));
    index.policies.keep(policy(ofLab, { models: ["claude-haiku-*", "gpt"] }));
    const caller = device({ models: ["claude-haiku-4-5", "claude-opus-4-1", "gpt"] });
    assert.deepEqual(
      ["claude-sonnet-5", "claude-opus-4-1", "gpt"].map((model) =>
        directory.modelDeniedBy(caller, model),
      ),
      ["device", "organization", "relay"],
    );
    index.policies.keep(policy(ofDevice, { models: [] }));
    index.policies.keep(policy(ofAnn, { models: [] }));
    assert.equal(directory.modelDeniedBy(device(), "gpt"), "device");
    assert.equal(directory.modelDeniedBy(appKey(), "gpt"), "user");
  });

  it("are all allowed where nothing is said, and said to be", async () => {
    const { index, directory } = await setUpDirectory();
    assert.equal(directory.restrictsModels(device()), false);
    assert.equal(directory.allowsModel(device())("anything"), true);
    assert.equal(directory.restrictsModels(device({ models: [] })), true);
    index.policies.keep(policy(ofAnn, { models: [] }));
    assert.equal(directory.restrictsModels(device()), true);
    assert.equal(directory.allowsModel(device())("anything"), false);
  });
});

describe("on disconnect", () => {
  it("the most specific level that says something decides; else it is cancelled", async () => {
    const { index, directory } = await setUpDirectory();
    const caller = device();
    assert.equal(directory.onDisconnect(caller), "cancel");
    index.policies.keep(policy(relay, { onDisconnect: "drain" }));
    assert.equal(directory.onDisconnect(caller), "drain");
    index.policies.keep(policy(ofLab, { onDisconnect: "cancel" }));
    assert.equal(directory.onDisconnect(caller), "cancel");
    index.policies.keep(policy(ofAnn, { models: null }));
    assert.equal(directory.onDisconnect(caller), "cancel");
    index.policies.keep(policy(ofDevice, { onDisconnect: "drain" }));
    assert.equal(directory.onDisconnect(caller), "drain");
    assert.equal(directory.onDisconnect(appKey()), "cancel");
  });
});

describe("bootstrap", () => {
  it("is the tightest of the setting, the relay's policy and the organization's", async () => {
    const { index, directory } = await setUpDirectory({ bootstrap: "code" });
    assert.equal(directory.bootstrapOf(null), "code");
    index.policies.keep(policy(relay, { bootstrap: "open" }));
    assert.equal(directory.bootstrapOf(null), "code");
    index.policies.keep(policy(ofLab, { bootstrap: "approve" }));
    assert.equal(directory.bootstrapOf(lab), "approve");
    assert.equal(directory.bootstrapOf("other" as OrganizationId), "code");
    index.policies.keep(policy(relay, { bootstrap: "approve" }));
    assert.equal(directory.bootstrapOf(null), "approve");
  });
});

describe("a directory", () => {
  it("knows a user's organization", async () => {
    const { directory } = await setUpDirectory();
    assert.equal(directory.organizationOf(ann), lab);
    assert.equal(directory.organizationOf("nobody" as UserId), null);
    assert.equal(directory.organizationOf(null), null);
  });

  it("gives the same answers, not only equal ones, until something changes", async () => {
    const { index, directory } = await setUpDirectory();
    index.budgets.keep(budget("each", { kind: "session", id: "*" }));
    const caller = appKey({ models: ["claude-*"] });
    const ask = () => [
      directory.limitsOf(caller),
      directory.requestLimitsOf(caller),
      directory.budgetsOf(caller, null),
      directory.budgetsOf(caller, "s-1"),
      directory.allowsModel(caller),
    ];
    const first = ask();
    for (const [place, answer] of ask().entries()) {
      assert.equal(answer, first[place]);
    }
    index.policies.keep(policy(relay, { requestsPerMinute: 1 }));
    assert.notDeepEqual(directory.limitsOf(caller), first[0]);
  });
});
