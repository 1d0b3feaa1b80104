import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type AppKeyId,
  type BudgetId,
  type DeviceId,
  epochMs,
  type OrganizationId,
  type PolicyId,
  type UserId,
} from "@claude-relay/contract";
import type { BudgetRecord, PolicyRecord } from "../pipeline/owner-ports.ts";
import { createStore } from "./store.ts";
import { onEachDatabase, type Place } from "./testing/databases.ts";
import { noon } from "./testing/samples.ts";

const lab = "lab" as OrganizationId;
const ann = "ann" as UserId;

const policy = (id: string, changes: Partial<PolicyRecord> = {}): PolicyRecord => ({
  id: id as PolicyId,
  scope: { kind: "relay", id: "" },
  models: null,
  requestsPerMinute: null,
  inputTokensPerMinute: null,
  outputTokensPerMinute: null,
  concurrency: null,
  requestsPerDay: null,
  onDisconnect: null,
  bootstrap: null,
  createdAt: noon,
  ...changes,
});

const budget = (id: string, changes: Partial<BudgetRecord> = {}): BudgetRecord => ({
  id: id as BudgetId,
  scope: { kind: "relay", id: "" },
  unit: "micro_usd",
  limit: 5,
  window: { kind: "total" },
  createdAt: noon,
  ...changes,
});

const open = async (context: TestContext, place: Place) => {
  const store = await createStore(place);
  context.after(() => store.close());
  return store;
};

/** The lab with Ann in it. */
const openLab = async (context: TestContext, place: Place) => {
  const store = await open(context, place);
  await store.organizations.insert({ id: lab, name: null, createdAt: noon });
  await store.users.insert({ id: ann, name: "Ann", organizationId: lab, createdAt: noon });
  return store;
};

onEachDatabase(({ newPlace }) => {
  test("what was stored comes back after a restart, every field set or none", async (context) => {
    const place = await newPlace(context);
    const first = await createStore(place);
    const organization = { id: lab, name: "The Lab", createdAt: noon };
    const user = { id: ann, name: null, organizationId: lab, createdAt: noon };
    const full = policy("full", {
      scope: { kind: "device", id: "my laptop / work" },
      models: ["claude-*"],
      requestsPerMinute: 1,
      inputTokensPerMinute: 2,
      outputTokensPerMinute: 1_000_000_000,
      concurrency: 4,
      requestsPerDay: 5,
      onDisconnect: "drain",
      bootstrap: "approve",
    });
    const large = budget("large", {
      scope: { kind: "session", id: "*" },
      unit: "tokens",
      limit: Number.MAX_SAFE_INTEGER,
      window: { kind: "rolling", hours: 8760 },
    });
    assert.deepEqual(await first.organizations.insert(organization), organization);
    assert.deepEqual(await first.users.insert(user), user);
    assert.deepEqual(await first.policies.insert(full), full);
    await first.policies.insert(policy("bare", { models: [] }));
    assert.deepEqual(await first.budgets.insert(large), large);
    await first.budgets.insert(budget("none", { limit: 0 }));
    await first.close();
    const again = await open(context, place);
    assert.deepEqual(await again.organizations.loadAll(), [organization]);
    assert.deepEqual(await again.users.loadAll(), [user]);
    const byId = <Row extends Readonly<{ id: string }>>(rows: readonly Row[]) =>
      [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(byId(await again.policies.loadAll()), [policy("bare", { models: [] }), full]);
    assert.deepEqual(byId(await again.budgets.loadAll()), [large, budget("none", { limit: 0 })]);
  });

  test("an id that is taken is refused, and so is a second policy for a scope", async (context) => {
    const store = await openLab(context, await newPlace(context));
    await store.policies.insert(policy("a"));
    await store.budgets.insert(budget("a"));
    const again = [
      store.organizations.insert({ id: lab, name: "other", createdAt: noon }),
      store.users.insert({ id: ann, name: "other", organizationId: null, createdAt: noon }),
      store.policies.insert(policy("b")),
      store.budgets.insert(budget("a", { limit: 6 })),
    ];
    for (const attempt of await Promise.allSettled(again)) {
      assert.equal(attempt.status, "rejected");
      assert.equal(attempt.reason.code, "conflict");
    }
    assert.equal((await store.users.loadAll())[0]?.name, "Ann");
    assert.equal((await store.budgets.loadAll())[0]?.limit, 5);
  });

  test("a row is replaced but for its age; an unknown one is not made", async (context) => {
    const store = await openLab(context, await newPlace(context));
    const later = epochMs(noon + 1);
    const moved = { id: ann, name: null, organizationId: null, createdAt: later };
    assert.deepEqual(await store.users.replace(moved), { ...moved, createdAt: noon });
    await store.budgets.insert(budget("a"));
    const changed = budget("a", { limit: 9, window: { kind: "rolling", hours: 2 } });
    assert.deepEqual(await store.budgets.replace({ ...changed, createdAt: later }), changed);
    assert.equal(
      await store.organizations.replace({ id: "x" as never, name: "", createdAt: noon }),
      null,
    );
    assert.equal(await store.users.replace({ ...moved, id: "x" as UserId }), null);
    assert.equal(await store.policies.replace(policy("x")), null);
    assert.equal(await store.budgets.replace(budget("x")), null);
  });

  test("lists are newest first, page by page", async (context) => {
    const { users, budgets } = await open(context, await newPlace(context));
    for (const [id, age] of Object.entries({ a: 1, b: 3, c: 2, d: 3 })) {
      const createdAt = epochMs(noon + age);
      await users.insert({ id: id as UserId, name: null, organizationId: null, createdAt });
      await budgets.insert(budget(id, { createdAt }));
    }
    for (const store of [users, budgets]) {
      const first = await store.list({ limit: 3 });
      const rest = await store.list({ limit: 3, cursor: first.next_cursor ?? "" });
      assert.deepEqual(
        [...first.data, ...rest.data].map(({ id }) => id),
        ["d", "b", "c", "a"],
      );
      assert.equal(rest.next_cursor, null);
      await assert.rejects(store.list({ limit: 3, cursor: "?" }), { code: "invalid_request" });
    }
  });

  test("an owner goes with its policy when nobody belongs to it, and only then", async (context) => {
    const store = await openLab(context, await newPlace(context));
    await store.policies.insert(policy("of-lab", { scope: { kind: "organization", id: lab } }));
    await store.policies.insert(policy("of-relay"));
    assert.deepEqual(await store.organizations.remove(lab, noon), {
      kind: "in_use",
      members: ['user "ann"'],
      more: 0,
    });
    assert.equal((await store.policies.loadAll()).length, 2);
    assert.deepEqual(await store.users.remove(ann, noon), { kind: "removed" });
    assert.deepEqual(await store.organizations.remove(lab, noon), { kind: "removed" });
    assert.deepEqual(await store.organizations.remove(lab, noon), { kind: "unknown" });
    assert.deepEqual(await store.organizations.loadAll(), []);
    assert.deepEqual(
      (await store.policies.loadAll()).map(({ id }) => id),
      ["of-relay"],
    );
  });

  test("devices, living keys, usable codes and budgets keep their user", async (context) => {
    const store = await openLab(context, await newPlace(context));
    const owned = { userId: ann, organizationId: null, models: null, requestsPerMinute: null };
    await store.devices.insert({
      ...owned,
      id: "device-0001" as DeviceId,
      status: "revoked",
      label: null,
      appVersion: null,
      publicKey: null,
      waitingKey: null,
      createdAt: noon,
      approvedAt: null,
      lastBootstrapAt: null,
      tokensValidAfter: noon,
      replayedAt: noon,
    });
    const key = {
      ...owned,
      previousHash: null,
      previousValidUntil: null,
      createdAt: noon,
      rotatedAt: null,
      expiresAt: null,
      lastUsedAt: null,
      requestsPerDay: null,
      concurrency: null,
      doors: null,
    };
    const keyId = (id: string) => ({ id: id as AppKeyId, secretHash: id });
    await store.appKeys.put({ ...key, ...keyId("living"), revokedAt: null });
    await store.appKeys.put({ ...key, ...keyId("revoked"), revokedAt: noon });
    const code = { ...owned, label: null, maxUses: 1, createdAt: noon, revokedAt: null };
    const expiresAt = epochMs(noon + 1);
    const codes = {
      usable: { usesLeft: 1, expiresAt },
      used: { usesLeft: 0, expiresAt },
      old: { usesLeft: 1, expiresAt: noon },
      revoked: { usesLeft: 1, expiresAt, revokedAt: noon },
    };
    for (const [id, changes] of Object.entries(codes)) {
      await store.enrollmentCodes.create({ ...code, id, codeHash: id, ...changes });
    }
    await store.budgets.insert(budget("bud_1", { scope: { kind: "user", id: ann } }));
    await store.budgets.insert(budget("bud_2", { scope: { kind: "device", id: ann } }));
    assert.deepEqual(await store.users.remove(ann, noon), {
      kind: "in_use",
      members: [
        'device "device-0001"',
        'app key "living"',
        'enrollment code "usable"',
        'budget "bud_1"',
      ],
      more: 0,
    });
  });

  test("of many members ten are named and the rest counted", async (context) => {
    const store = await openLab(context, await newPlace(context));
    for (let number = 0; number < 12; number++) {
      const id = `u-${String(number).padStart(2, "0")}` as UserId;
      await store.users.insert({ id, name: null, organizationId: lab, createdAt: noon });
    }
    const removal = await store.organizations.remove(lab, noon);
    assert.ok(removal.kind === "in_use");
    assert.deepEqual([removal.members.length, removal.more], [10, 3]);
  });
});
