/** Routers as an operator has them: added, limited, rotated and revoked over the admin API. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { DeviceId, RouterId } from "@claude-relay/contract";
import { createStore } from "../packages/server/src/store/store.ts";
import { sampleIntent, sampleOutcome } from "../packages/server/src/store/testing/samples.ts";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, badToken, forbidden, invalid } from "./harness/refused.ts";
import { keptBy } from "./harness/stores.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const aSecret = /^crr_[A-Za-z0-9_-]{43}$/;
const conflict = (says: RegExp) =>
  ({ status: 409, type: "invalid_request_error", says, retry: "false" }) as const;
const notFound = { status: 404, type: "not_found_error", says: /No router is called/ };

describe("an admin", () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside();
    await createOwners(relay, "lab", "ann");
  });
  after(() => relay.remove());
  afterEach(async () => {
    for (const { id } of (await relay.admin("/admin/routers")).body.data) {
      await relay.admin(`/admin/routers/${id}`, { method: "DELETE" });
    }
  });

  const add = (body: object): Promise<Answer> => relay.admin("/admin/routers", { body });
  const rotate = (id: string): Promise<Answer> =>
    relay.admin(`/admin/routers/${id}/rotate`, { method: "POST" });

  it("adds a router: its secret once, its policy as the relay has it", async () => {
    const added = await add({ id: "office" });
    assert.equal(added.status, 201, added.text);
    const { secret, ...shown } = added.body;
    assert.match(secret, aSecret);
    assert.deepEqual(shown, {
      id: "office",
      status: "active",
      enrolled_by: "admin",
      identity: null,
      created_at: new Date(relay.now()).toISOString(),
      rotated_at: null,
      revoked_at: null,
      last_seen_at: null,
      models: null,
      requests_per_minute: null,
      user_id: null,
      organization_id: null,
    });
    assert.deepEqual((await relay.admin("/admin/routers/office")).body, shown);
    const list = await relay.admin("/admin/routers?limit=1");
    assert.deepEqual(list.body.data, [shown]);
    assert.ok(!list.text.includes(secret.slice(4)));
  });

  it("adds one with every field, changes some and clears some", async () => {
    const policy = {
      models: ["claude-haiku-*", "opus"],
      requests_per_minute: 3,
      user_id: "ann",
      organization_id: null,
    };
    const { body } = await add({ id: "full", ...policy });
    const { secret: _secret, ...shown } = body;
    assert.deepEqual(shown, { ...shown, ...policy, organization_id: "lab" }, "its user's");
    const changes = { models: null, requests_per_minute: 9, user_id: null };
    const changed = await relay.admin("/admin/routers/full", { method: "PATCH", body: changes });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.body, { ...shown, ...changes, organization_id: null });
    assert.deepEqual((await relay.admin("/admin/routers/full")).body, changed.body);
  });

  it("is told what is wrong with a request, by field", async () => {
    const adding: [unknown, RegExp][] = [
      [{}, /^id: field required/],
      [{ id: "" }, /^id: /],
      [{ id: ".hidden" }, /^id: /],
      [{ id: "a/b" }, /^id: /],
      [{ id: "a\n" }, /^id: /],
      [{ id: "ä" }, /^id: /],
      [{ id: "x".repeat(65) }, /^id: /],
      [{ id: 5 }, /^id: /],
      [{ id: "a", requests_per_minute: 0 }, /^requests_per_minute: /],
      [{ id: "a", requests_per_minute: "2" }, /^requests_per_minute: /],
      [{ id: "a", models: ["claude-*-x"] }, /^models/],
      [{ id: "a", secret: "crr_mine" }, /^secret: unknown field/],
      [{ id: "a", generation: 1 }, /^generation: unknown field/],
      [{ id: "a", user_id: "nobody" }, /^user_id: there is no user/],
      [{ id: "a", organization_id: "none" }, /^organization_id: there is no organization/],
      ["[]", /object/],
      [undefined, /./],
    ];
    for (const [body, says] of adding) {
      assertRefused(await relay.admin("/admin/routers", { method: "POST", body }), invalid(says));
    }
    await add({ id: "a" });
    for (const [body, says] of [
      [{}, /./],
      [{ id: "b" }, /^id: unknown field/],
      [{ user_id: "nobody" }, /^user_id: /],
    ] as const) {
      const answer = await relay.admin("/admin/routers/a", { method: "PATCH", body });
      assertRefused(answer, invalid(says));
    }
    const { data } = (await relay.admin("/admin/routers")).body;
    const active = data.filter(({ status }: { status: string }) => status === "active");
    assert.deepEqual(
      active.map(({ id }: { id: string }) => id),
      ["a"],
    );
  });

  it("cannot add a name in use, nor touch one that is unknown or revoked", async () => {
    await add({ id: "taken" });
    assertRefused(await add({ id: "taken" }), conflict(/"taken" exists: rotate it/));
    for (const id of ["nobody", "__proto__", "%2e%2e%2fdevices", "constructor"]) {
      const path = `/admin/routers/${id}`;
      for (const answer of [
        await relay.admin(path),
        await relay.admin(path, { method: "PATCH", body: { requests_per_minute: 1 } }),
        await relay.admin(path, { method: "DELETE" }),
        await rotate(id),
      ]) {
        assertRefused(answer, notFound);
      }
    }
    await relay.admin("/admin/routers/taken", { method: "DELETE" });
    const body = { requests_per_minute: 1 };
    const changed = await relay.admin("/admin/routers/taken", { method: "PATCH", body });
    assertRefused(changed, conflict(/revoked: add it anew/));
    assertRefused(await rotate("taken"), conflict(/revoked/));
  });

  it("rotates, revokes, and adds anew: each time with another secret", async () => {
    const first = await add({ id: "turning", requests_per_minute: 5 });
    relay.advance(1000);
    const second = await rotate("turning");
    assert.equal(second.status, 200, second.text);
    assert.equal(second.body.rotated_at, new Date(relay.now()).toISOString());
    assert.equal(second.body.requests_per_minute, 5);
    const revoked = await relay.admin("/admin/routers/turning", { method: "DELETE" });
    assert.deepEqual(
      [revoked.body.status, revoked.body.revoked_at],
      ["revoked", new Date(relay.now()).toISOString()],
    );
    const third = await add({ id: "turning" });
    assert.deepEqual([third.body.status, third.body.requests_per_minute], ["active", null]);
    const secrets = [first, second, third].map(({ body }) => body.secret);
    assert.ok(secrets.every((secret) => aSecret.test(secret)));
    assert.equal(new Set(secrets).size, 3);
  });

  it("sets policies and budgets for routers that are there", async () => {
    await add({ id: "branch" });
    const scope = { scope: "router", scope_id: "branch" };
    const policy = await relay.admin("/admin/policies", { body: { ...scope, concurrency: 2 } });
    assert.equal(policy.status, 201, policy.text);
    assert.deepEqual([policy.body.scope, policy.body.scope_id], ["router", "branch"]);
    const amount = { limit_micro_usd: 1_000_000, window: "day" };
    const budget = await relay.admin("/admin/budgets", { body: { ...scope, ...amount } });
    assert.equal(budget.status, 201, budget.text);
    const { body } = await relay.admin(`/admin/budgets/${budget.body.id}`);
    assert.deepEqual([body.scope, body.spent, body.left], ["router", 0, 1_000_000]);
    const unknown = { scope: "router", scope_id: "elsewhere" };
    const says = invalid(/^scope_id: no router is called "elsewhere": add it first/);
    assertRefused(await relay.admin("/admin/policies", { body: { ...unknown, models: [] } }), says);
    assertRefused(await relay.admin("/admin/budgets", { body: { ...unknown, ...amount } }), says);
    const unnamed = await relay.admin("/admin/budgets", { body: { scope: "router", ...amount } });
    assertRefused(unnamed, invalid(/^scope_id: field required: the router's id/));
  });

  it("keeps an owner that a router still belongs to", async () => {
    await createOwners(relay, "guild", "bob");
    await add({ id: "bobs", user_id: "bob" });
    const removing = await relay.admin("/admin/users/bob", { method: "DELETE" });
    assertRefused(removing, conflict(/router "bobs"/));
    await relay.admin("/admin/routers/bobs", { method: "DELETE" });
    assert.equal((await relay.admin("/admin/users/bob", { method: "DELETE" })).status, 200);
  });

  it("asks for usage by router, and for one caller at a time", async () => {
    const grouped = await relay.admin("/admin/usage?group_by=router,operation&router=office");
    assert.equal(grouped.status, 200, grouped.text);
    const rows = await relay.admin("/admin/usage/requests?router=office&operation=router");
    assert.deepEqual([rows.status, rows.body.data], [200, []]);
    const both = await relay.admin("/admin/usage?router=office&device=mac-00001");
    assertRefused(both, invalid(/device, app_key and router exclude each other/));
  });

  it("alone may: neither a device, nor a key, nor a router with its secret", async () => {
    const { secret } = (await add({ id: "ambitious" })).body;
    const refusals = [
      [await relay.bootstrap(), forbidden(/admin token/)],
      [await relay.mint(), forbidden(/admin token/)],
      [secret, badToken(/./)],
    ] as const;
    for (const [token, refused] of refusals) {
      for (const [path, method, body] of [
        ["/admin/routers", "POST", { id: "x" }],
        ["/admin/routers", "GET", undefined],
        ["/admin/routers/ambitious", "GET", undefined],
        ["/admin/routers/ambitious", "PATCH", { requests_per_minute: 9 }],
        ["/admin/routers/ambitious", "DELETE", undefined],
        ["/admin/routers/ambitious/rotate", "POST", undefined],
      ] as const) {
        assertRefused(await relay.call(path, { token, method, body }), refused);
      }
    }
    assert.equal((await relay.admin("/admin/routers/ambitious")).body.rotated_at, null);
  });

  it("finds every act in the audit log, and no secret in it", async () => {
    const { secret } = (await add({ id: "watched" })).body;
    const body = { requests_per_minute: 5 };
    await relay.admin("/admin/routers/watched", { method: "PATCH", body });
    const rotated = (await rotate("watched")).body.secret;
    await relay.admin("/admin/routers/watched", { method: "DELETE" });
    const audit = await relay.admin("/admin/audit?limit=1000&subject=watched");
    assert.deepEqual(
      audit.body.data.map(({ action, actor }: Record<string, string>) => [action, actor]),
      ["router.revoke", "router.rotate", "router.change", "router.add"].map((action) => [
        action,
        "admin",
      ]),
    );
    assert.ok(!audit.text.includes(secret.slice(4)) && !audit.text.includes(rotated.slice(4)));
  });
});

it("what a router has spent counts against its budget, and is seen by router", async (t) => {
  const dataDir = tempFolder(t);
  const store = await createStore({ dataDir });
  const office = "office" as RouterId;
  const router = { callerKind: "router", callerId: office, operation: "router" } as const;
  for (const [number, of] of [
    [1, router],
    [2, router],
    [3, { ...router, callerId: "shop" as RouterId }],
    [4, { callerId: "office" as DeviceId }],
  ] as const) {
    await store.ledger.open(sampleIntent(number, of));
    store.ledger.close(sampleOutcome(number));
  }
  await store.close();
  const relay = await startInside({ dataDir });
  t.after(() => relay.close());
  await relay.admin("/admin/routers", { body: { id: "office" } });
  const { costMicroUsd } = sampleOutcome(1);
  const scope = { scope: "router", scope_id: "office", window: "total" };
  const { body } = await relay.admin("/admin/budgets", {
    body: { ...scope, limit_micro_usd: 5 * costMicroUsd },
  });
  const budget = (await relay.admin(`/admin/budgets/${body.id}`)).body;
  assert.deepEqual([budget.spent, budget.left], [2 * costMicroUsd, 3 * costMicroUsd]);
  const rows = (await relay.admin("/admin/usage/requests?router=office")).body.data;
  assert.deepEqual(
    rows.map(({ caller_kind, router: name, device_id, operation }: Record<string, unknown>) => [
      caller_kind,
      name,
      device_id,
      operation,
    ]),
    [
      ["router", "office", null, "router"],
      ["router", "office", null, "router"],
    ],
  );
  const csv = await relay.admin("/admin/usage?group_by=router&operation=router&format=csv");
  assert.match(csv.text, /^router,requests[\s\S]*^office,2,[\s\S]*^shop,1,/m);
});

it("routers are there after a restart, and no file or log line holds a secret of theirs", async (t) => {
  const dataDir = tempFolder(t);
  const first = await startInside({ dataDir });
  const added = await first.admin("/admin/routers", { body: { id: "office" } });
  const rotated = await first.admin("/admin/routers/office/rotate", { method: "POST" });
  const secrets = [added.body.secret, rotated.body.secret];
  const { secret: _secret, ...shown } = rotated.body;
  await first.close();
  const again = await startInside({ dataDir });
  t.after(() => again.close());
  assert.deepEqual((await again.admin("/admin/routers/office")).body, shown);
  const kept = await keptBy(dataDir);
  assert.ok(kept.some(([, text]) => text.includes("office")));
  for (const secret of secrets) {
    for (const [place, text] of kept) {
      assert.ok(!text.includes(secret.slice(4)), place);
    }
    for (const line of [...first.logs, ...again.logs]) {
      assert.ok(!line.includes(secret.slice(4)), line);
    }
  }
});
