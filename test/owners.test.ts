/** Who owns what: organizations, users and the policies set on them, by their admin API. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, forbidden, invalid, type Refused } from "./harness/refused.ts";

const conflict = (says: RegExp): Refused => ({
  status: 409,
  type: "invalid_request_error",
  says,
  retry: "false",
});
const unknown = (says: RegExp): Refused => ({ status: 404, type: "not_found_error", says });

/** What the audit log says was done to a subject, oldest first. */
const actionsOn = async (relay: InsideRelay, subject: string): Promise<string[]> => {
  const { body } = await relay.admin(`/admin/audit?subject=${encodeURIComponent(subject)}`);
  return body.data.map((row: { action: string }) => row.action).reverse();
};

const patch = (relay: InsideRelay, path: string, body: unknown): Promise<Answer> =>
  relay.admin(path, { method: "PATCH", body });

const remove = (relay: InsideRelay, path: string): Promise<Answer> =>
  relay.admin(path, { method: "DELETE" });

describe("organizations and users", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside();
  });
  after(() => relay.remove());

  it("are created, read, listed, changed and deleted, each change audited", async () => {
    const at = new Date(relay.now()).toISOString();
    const body = { id: "acme", name: "Acme Inc." };
    const acme = { ...body, created_at: at };
    const created = await relay.admin("/admin/organizations", { body });
    assert.deepEqual([created.status, created.body], [201, acme]);
    const user = { id: "ann@example.com", organization_id: "acme" };
    const ann = { ...user, name: null, created_at: at };
    assert.deepEqual((await relay.admin("/admin/users", { body: user })).body, ann);
    assert.deepEqual((await relay.admin("/admin/organizations/acme")).body, acme);
    assert.deepEqual((await relay.admin("/admin/users/ann%40example.com")).body, ann);
    assert.deepEqual((await relay.admin("/admin/users")).body, { data: [ann], next_cursor: null });
    assert.deepEqual((await relay.admin("/admin/organizations")).body.data, [acme]);
    const renamed = await patch(relay, "/admin/organizations/acme", { name: null });
    assert.deepEqual(renamed.body, { ...acme, name: null });
    const moved = { name: "Ann", organization_id: null };
    const changed = await patch(relay, "/admin/users/ann@example.com", moved);
    assert.deepEqual(changed.body, { ...ann, ...moved });
    assert.equal((await remove(relay, "/admin/users/ann@example.com")).status, 200);
    assert.equal((await remove(relay, "/admin/organizations/acme")).status, 200);
    assertRefused(await relay.admin("/admin/users/ann@example.com"), unknown(/no user "ann@/));
    const actions = ["create", "change", "delete"];
    assert.deepEqual(
      await actionsOn(relay, "acme"),
      actions.map((action) => `organization.${action}`),
    );
    assert.deepEqual(
      await actionsOn(relay, "ann@example.com"),
      actions.map((action) => `user.${action}`),
    );
  });

  it("are refused when their id is taken, ill-formed, or their parent missing", async () => {
    await createOwners(relay, "lab", "ann");
    const taken = await relay.admin("/admin/organizations", { body: { id: "lab", name: "x" } });
    assertRefused(taken, conflict(/"lab" already: change it \(PATCH .*\/lab\), or/));
    assert.equal((await relay.admin("/admin/organizations/lab")).body.name, null);
    for (const id of ["", "-a", "a b", "ä", "x".repeat(129), 7, null]) {
      const answer = await relay.admin("/admin/users", { body: { id } });
      assertRefused(answer, invalid(/^id: /));
    }
    const orphan = await relay.admin("/admin/users", {
      body: { id: "eve", organization_id: "no" },
    });
    assertRefused(orphan, invalid(/^organization_id: .*"no".*POST \/admin\/organizations/));
    assertRefused(await relay.admin("/admin/users/eve"), unknown(/"eve"/));
    const lost = await patch(relay, "/admin/users/ann", { name: "A", organization_id: "no" });
    assertRefused(lost, invalid(/^organization_id: /));
    assert.equal((await relay.admin("/admin/users/ann")).body.name, null);
    assertRefused(await patch(relay, "/admin/users/ann", {}), invalid(/at least one field/));
    assertRefused(await patch(relay, "/admin/users/nobody", { name: "x" }), unknown(/nobody/));
    assertRefused(await remove(relay, "/admin/organizations/nothing"), unknown(/"nothing"/));
  });

  it("stay while something belongs to them, and the refusal names it", async () => {
    await createOwners(relay, "team", "bob");
    await relay.mint({ label: "bobs-app", user_id: "bob" });
    const budget = { scope: "user", scope_id: "bob", limit_tokens: 1, window: "day" };
    const { id } = (await relay.admin("/admin/budgets", { body: budget })).body;
    assertRefused(
      await remove(relay, "/admin/organizations/team"),
      conflict(/still has user "bob"/),
    );
    const said = new RegExp(`"bob" still has app key "bobs-app", budget "${id}"`);
    assertRefused(await remove(relay, "/admin/users/bob"), conflict(said));
    await remove(relay, "/admin/keys/bobs-app");
    await remove(relay, `/admin/budgets/${id}`);
    const policy = { scope: "user", scope_id: "bob", models: [] };
    const set = (await relay.admin("/admin/policies", { body: policy })).body;
    assert.equal((await remove(relay, "/admin/users/bob")).status, 200);
    // Its policy went with it: another of that name starts afresh.
    assertRefused(await relay.admin(`/admin/policies/${set.id}`), unknown(/No policy/));
    assert.equal((await remove(relay, "/admin/organizations/team")).status, 200);
  });

  it("must exist before a device, a key or a code is given to them", async () => {
    await relay.bootstrap("owned-device");
    await relay.mint({ label: "owned-key" });
    const attempts = (owner: Readonly<Record<string, string>>) => [
      patch(relay, "/admin/devices/owned-device", { label: "changed", ...owner }),
      patch(relay, "/admin/keys/owned-key", { requests_per_day: 1, ...owner }),
      relay.admin("/admin/keys", { body: { label: "unborn", ...owner } }),
      relay.admin("/admin/enrollment-codes", { body: { label: "unborn", ...owner } }),
    ];
    for (const answer of await Promise.all(attempts({ user_id: "ghost" }))) {
      assertRefused(answer, invalid(/^user_id: there is no user "ghost".*POST \/admin\/users/));
    }
    for (const answer of await Promise.all(attempts({ organization_id: "ghost" }))) {
      assertRefused(answer, invalid(/^organization_id: .*"ghost".*POST \/admin\/organizations/));
    }
    assert.equal((await relay.admin("/admin/devices/owned-device")).body.label, null);
    assert.equal((await relay.admin("/admin/keys/owned-key")).body.requests_per_day, null);
    assertRefused(await relay.admin("/admin/keys/unborn"), unknown(/unborn/));
    assert.deepEqual((await relay.admin("/admin/enrollment-codes")).body.data, []);
  });

  it("give their organization to what says none of its own, and to its ledger rows", async () => {
    await createOwners(relay, "north", "nora");
    await relay.admin("/admin/organizations", { body: { id: "south" } });
    const secret = await relay.mint({ label: "noras-app", user_id: "nora" });
    const token = await relay.bootstrap("noras-device");
    await patch(relay, "/admin/devices/noras-device", { user_id: "nora" });
    const organizations = async () => [
      (await relay.admin("/admin/keys/noras-app")).body.organization_id,
      (await relay.admin("/admin/devices/noras-device")).body.organization_id,
    ];
    assert.deepEqual(await organizations(), ["north", "north"]);
    await relay.ask(secret);
    await patch(relay, "/admin/users/nora", { organization_id: "south" });
    assert.deepEqual(await organizations(), ["south", "south"]);
    await relay.ask(secret);
    await relay.ask(token);
    const requests = async (organization: string): Promise<number> =>
      (await relay.admin(`/admin/usage?org=${organization}`)).body.totals.requests;
    assert.deepEqual([await requests("north"), await requests("south")], [1, 2]);
    await patch(relay, "/admin/keys/noras-app", { organization_id: "north" });
    assert.deepEqual(await organizations(), ["north", "south"]);
  });

  it("are as they were after a restart", async () => {
    const other = await startInside();
    await createOwners(other, "kept", "kim");
    const secret = await other.mint({ label: "kims-app", user_id: "kim" });
    await other.close();
    const again = await startInside({ dataDir: other.dataDir });
    try {
      assert.equal((await again.admin("/admin/users/kim")).body.organization_id, "kept");
      assert.equal((await again.admin("/admin/keys/kims-app")).body.organization_id, "kept");
      assert.equal((await again.ask(secret)).status, 200);
    } finally {
      await again.remove();
    }
  });

  it("open to the admin token alone", async () => {
    const token = await relay.bootstrap("curious-device");
    for (const path of ["organizations", "users", "policies", "budgets"]) {
      for (const [method, suffix] of [
        ["GET", ""],
        ["POST", ""],
        ["GET", "/x"],
        ["PATCH", "/x"],
        ["DELETE", "/x"],
      ]) {
        const body = method === "PATCH" || method === "POST" ? {} : undefined;
        const route = `/admin/${path}${suffix}`;
        if (method === "GET" && route === "/admin/budgets") {
          // A caller's own: budgets-callers.test.ts.
          continue;
        }
        const answer = await relay.call(route, { method, body, token } as object);
        assertRefused(answer, forbidden(/takes the admin token/));
      }
    }
  });
});

describe("policies", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside();
    await createOwners(relay, "lab", "ann");
    await relay.bootstrap("policy-device");
    await relay.mint();
  });
  after(() => relay.remove());

  const set = (body: Readonly<Record<string, unknown>>): Promise<Answer> =>
    relay.admin("/admin/policies", { body });

  it("are set once per scope, changed field by field and deleted, each change audited", async () => {
    const rules = {
      models: ["claude-*"],
      requests_per_minute: 1,
      input_tokens_per_minute: 2,
      output_tokens_per_minute: 3,
      concurrency: 4,
      requests_per_day: 5,
      on_disconnect: "drain",
      bootstrap: "approve",
    };
    const body = { scope: "organization", scope_id: "lab", ...rules };
    const created = await set(body);
    assert.equal(created.status, 201, created.text);
    const { id, created_at, ...shown } = created.body;
    assert.match(id, /^pol_[0-9a-f]{32}$/);
    assert.equal(created_at, new Date(relay.now()).toISOString());
    assert.deepEqual(shown, body);
    const path = `/admin/policies/${id}`;
    assert.deepEqual((await relay.admin(path)).body, created.body);
    const second = await set({ scope: "organization", scope_id: "lab", concurrency: 1 });
    assertRefused(second, conflict(new RegExp(`organization "lab" has the policy "${id}"`)));
    const changed = await patch(relay, path, { concurrency: null, requests_per_day: 9 });
    assert.deepEqual(changed.body, { ...created.body, concurrency: null, requests_per_day: 9 });
    assert.deepEqual((await relay.admin("/admin/policies")).body.data, [changed.body]);
    assert.deepEqual((await remove(relay, path)).body, changed.body);
    assertRefused(await relay.admin(path), unknown(/No policy/));
    assertRefused(await remove(relay, path), unknown(/No policy/));
    assertRefused(await patch(relay, path, { concurrency: 1 }), unknown(/No policy/));
    assert.deepEqual(await actionsOn(relay, id), [
      "policy.create",
      "policy.change",
      "policy.delete",
    ]);
  });

  it("can be set on each level, and say null where they say nothing", async () => {
    const scopes = {
      relay: null,
      organization: "lab",
      user: "ann",
      device: "policy-device",
      app_key: "my-app",
    };
    for (const [scope, scope_id] of Object.entries(scopes)) {
      const created = await set(scope_id === null ? { scope } : { scope, scope_id });
      assert.equal(created.status, 201, created.text);
      const { id, created_at: _at, scope: kind, scope_id: owner, ...rules } = created.body;
      assert.deepEqual([kind, owner], [scope, scope_id]);
      assert.ok(Object.values(rules).every((rule) => rule === null));
      await remove(relay, `/admin/policies/${id}`);
    }
  });

  it("are refused with the field named, and nothing is kept of them", async () => {
    const relayScope = { scope: "relay" };
    const refused: readonly [body: Readonly<Record<string, unknown>>, says: RegExp][] = [
      [{}, /^scope: field required/],
      [{ scope: "session", scope_id: "s" }, /^scope: must be "relay"/],
      [{ scope: "relay", scope_id: "lab" }, /^scope_id: the relay has none/],
      [{ scope: "user" }, /^scope_id: field required/],
      [{ scope: "user", scope_id: null }, /^scope_id: field required/],
      [{ scope: "user", scope_id: "nobody" }, /^scope_id: .*POST \/admin\/users/],
      [{ scope: "organization", scope_id: "x" }, /^scope_id: .*POST \/admin\/organizations/],
      [{ scope: "device", scope_id: "unknown-device" }, /^scope_id: .*GET \/admin\/devices/],
      [{ scope: "app_key", scope_id: "x" }, /^scope_id: .*POST \/admin\/keys/],
      [{ ...relayScope, concurrency: 0 }, /^concurrency: must be 1 or more/],
      [{ ...relayScope, requests_per_minute: 1.5 }, /^requests_per_minute: /],
      [{ ...relayScope, requests_per_day: -1 }, /^requests_per_day: /],
      [{ ...relayScope, input_tokens_per_minute: "many" }, /^input_tokens_per_minute: /],
      [{ ...relayScope, output_tokens_per_minute: 1e300 }, /^output_tokens_per_minute: /],
      [{ ...relayScope, models: ["a*b"] }, /^models\.0: /],
      [{ ...relayScope, on_disconnect: "wait" }, /^on_disconnect: must be "cancel"/],
      [{ ...relayScope, bootstrap: "closed" }, /^bootstrap: must be "open"/],
      [{ scope: "user", scope_id: "ann", bootstrap: "code" }, /^bootstrap: .*organizations only/],
      [{ ...relayScope, budget: 1 }, /^budget: unknown field/],
    ];
    for (const [body, says] of refused) {
      assertRefused(await set(body), invalid(says));
    }
    assert.deepEqual((await relay.admin("/admin/policies")).body.data, []);
  });

  it("on bootstrap tighten BOOTSTRAP: for all, or for an organization's devices", async () => {
    const other = await startInside({ env: { BOOTSTRAP: "code" } });
    const boot = (device_id: string, enrollment_code?: string) =>
      other.call("/bootstrap", { body: { device_id, enrollment_code } });
    const mint = async (fields: object = {}): Promise<string> =>
      (await other.admin("/admin/enrollment-codes", { body: { max_uses: 9, ...fields } })).body
        .enrollment_code;
    try {
      await createOwners(other, "lab", "ann");
      const ofLab = { scope: "organization", scope_id: "lab", bootstrap: "approve" };
      await other.admin("/admin/policies", { body: ofLab });
      const [free, labs] = [await mint(), await mint({ user_id: "ann" })];
      const before = await boot("free-device", free);
      assert.equal(before.status, 200);
      assert.equal((await boot("labs-device", labs)).status, 202);
      const waiting = await other.admin("/admin/devices/labs-device");
      assert.equal(waiting.body.waiting_for_approval, true);
      assert.equal((await boot("labs-device", labs)).status, 202);
      await other.admin("/admin/devices/labs-device/approve", { method: "POST" });
      assert.equal((await boot("labs-device")).status, 200);
      // Whoever comes with a device's name and the lab's code waits; the device itself keeps what it has.
      assert.equal((await boot("free-device", labs)).status, 202);
      assert.equal((await other.ask(before.body.wrapper_token)).status, 200);
      await other.admin("/admin/policies", { body: { scope: "relay", bootstrap: "approve" } });
      assert.equal((await boot("late-device", free)).status, 202);
    } finally {
      await other.remove();
    }
  });
});
