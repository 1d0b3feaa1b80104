/** What an operator sees and does. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, badToken, forbidden } from "./harness/refused.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
type Row = any;

describe("the admin API of devices", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "100000" } });
    for (let made = 0; made < 5; made += 1) {
      await relay.bootstrap(`listed-device-${made}`);
      relay.advance(1000);
    }
  });
  after(() => relay.remove());

  it("lists them newest first, in pages", async () => {
    const first = (await relay.admin("/admin/devices?limit=2")).body;
    const second = (await relay.admin(`/admin/devices?limit=2&cursor=${first.next_cursor}`)).body;
    const third = (await relay.admin(`/admin/devices?limit=2&cursor=${second.next_cursor}`)).body;
    assert.deepEqual(
      [...first.data, ...second.data, ...third.data].map(({ id }: Row) => id),
      [4, 3, 2, 1, 0].map((made) => `listed-device-${made}`),
    );
    assert.equal(third.next_cursor, null);
  });

  it("shows one whole", async () => {
    const { status, body } = await relay.admin("/admin/devices/listed-device-0");
    assert.equal(status, 200);
    assert.equal(body.status, "active");
    assert.equal(body.models, null);
    assert.ok(Date.parse(body.created_at) > 0);
    assert.ok(Date.parse(body.last_bootstrap_at) > 0);
  });

  it("finds a device by an id of 128 characters, blanks and slashes", async () => {
    for (const id of ["d".repeat(128), "my laptop / work", "100% mine?#"]) {
      await relay.bootstrap(id);
      const { status, body } = await relay.admin(`/admin/devices/${encodeURIComponent(id)}`);
      assert.equal(status, 200);
      assert.equal(body.id, id);
    }
  });

  it("changes what it is told to and leaves the rest", async () => {
    const path = "/admin/devices/listed-device-1";
    const patch = (body: unknown) => relay.admin(path, { method: "PATCH", body });
    await createOwners(relay, "lab", "ann");
    await patch({ label: "Ann's", user_id: "ann", organization_id: "lab", models: ["claude-*"] });
    const { body } = await patch({ requests_per_minute: 9 });
    assert.equal(body.label, "Ann's");
    assert.equal(body.user_id, "ann");
    assert.deepEqual(body.models, ["claude-*"]);
    assert.equal(body.requests_per_minute, 9);
    assert.equal((await patch({ models: null, label: null })).body.models, null);
    const disabled = await patch({ status: "disabled" });
    assert.equal(disabled.body.status, "disabled");
    const listed = (await relay.admin("/admin/devices?status=disabled")).body.data;
    assert.deepEqual(
      listed.map(({ id }: Row) => id),
      ["listed-device-1"],
    );
  });

  it("opens to the admin token alone", async () => {
    const token = await relay.bootstrap("curious-device");
    const routes: readonly [method: string, path: string][] = [
      ["GET", "/admin/devices"],
      ["GET", "/admin/devices/curious-device"],
      ["PATCH", "/admin/devices/curious-device"],
      ["POST", "/admin/devices/curious-device/approve"],
      ["POST", "/admin/devices/curious-device/revoke-tokens"],
      ["GET", "/admin/enrollment-codes"],
      ["POST", "/admin/enrollment-codes"],
      ["DELETE", "/admin/enrollment-codes/enr_1"],
      ["GET", "/admin/audit"],
      ["POST", "/admin/circuit-breaker/reset"],
    ];
    for (const [method, path] of routes) {
      const body = method === "PATCH" || method === "POST" ? {} : undefined;
      const call = (credential: object) => relay.call(path, { method, body, ...credential });
      assertRefused(await call({ token }), forbidden(/takes the admin token/));
      const wrong = await call({ token: "wrong-admin-token-0123456789" });
      assertRefused(wrong, badToken(/^This is not the admin token\. .*ADMIN_TOKEN in the relay's/));
      assert.doesNotMatch(wrong.text, /bootstrap|refresh/);
      assertRefused(await call({}), badToken(/A credential is required/));
    }
    const both = { authorization: `Bearer ${token}`, "x-api-key": "another" };
    const twice = await relay.call("/admin/devices", { headers: both });
    assertRefused(twice, badToken(/two different credentials/));
    const empty = await relay.call("/admin/devices", { headers: { "x-api-key": "" } });
    assertRefused(empty, badToken(/^The credential is empty\. This route takes the admin token/));
    // A new token of its own would not open it either: none is asked for.
    relay.advance(25 * 3_600_000);
    assertRefused(await relay.call("/admin/devices", { token }), badToken(/not the admin token/));
    // The credential is judged before the body: a stranger learns nothing of the fields.
    const probe = await relay.call("/admin/devices/curious-device", {
      method: "PATCH",
      token: await relay.bootstrap("curious-device"),
      body: { colour: 1 },
    });
    assert.equal(probe.status, 403);
  });

  it("is no credential for Claude: the admin token buys no message", async () => {
    const { status } = await relay.admin("/v1/models");
    assert.equal(status, 401);
    assert.equal(relay.simulator.counters().requests, 0);
  });
});

describe("the audit log", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env: { BOOTSTRAP: "code", IP_RATE_LIMIT_MAX: "100000" } });
  });
  after(() => relay.remove());

  const rows = async (query: string): Promise<Row[]> =>
    (await relay.admin(`/admin/audit?${query}`)).body.data;
  const device = "audited-device";

  it("has a row for every issue, refresh, refusal and admin action", async () => {
    const { body: minted } = await relay.admin("/admin/enrollment-codes", {
      body: { max_uses: 9 },
    });
    const enter = (code: string) =>
      relay.call("/bootstrap", { body: { device_id: device, enrollment_code: code } });
    await enter("00000-00000-00000-00000");
    const { body: issued } = await enter(minted.enrollment_code);
    const refreshed = await relay.call("/refresh", { method: "POST", token: issued.wrapper_token });
    assert.equal(refreshed.status, 200);
    await relay.call("/refresh", { method: "POST", token: "not-a-token" });
    await relay.ask("not-a-token");
    relay.advance(25 * 3_600_000);
    await relay.ask(issued.wrapper_token);
    await relay.call("/refresh", { method: "POST", token: issued.wrapper_token });
    const act = (path: string, body?: unknown) =>
      relay.admin(`/admin/devices/${device}${path}`, { method: body ? "PATCH" : "POST", body });
    await act("/approve");
    await act("/revoke-tokens");
    await act("", { label: "x" });
    await act("", { status: "disabled" });
    await act("", { status: "active" });
    await act("", { status: "revoked" });
    await relay.admin(`/admin/enrollment-codes/${minted.id}`, { method: "DELETE" });
    await relay.admin("/admin/circuit-breaker/reset", { method: "POST" });

    const seen = (await rows("limit=1000")).map(
      ({ actor, action, subject, outcome }) => `${actor} ${action} ${subject} ${outcome}`,
    );
    assert.deepEqual(seen.reverse(), [
      `admin enrollment_code.mint ${minted.id} ok`,
      `device:${device} device.bootstrap ${device} forbidden`,
      `device:${device} device.bootstrap ${device} ok`,
      `device:${device} device.refresh ${device} ok`,
      "unknown device.refresh unknown credential_invalid",
      "unknown credential.refuse null credential_invalid",
      "unknown credential.refuse null credential_expired",
      `device:${device} device.refresh ${device} credential_expired`,
      `admin device.approve ${device} ok`,
      `admin device.revoke_tokens ${device} ok`,
      `admin device.change ${device} ok`,
      `admin device.disable ${device} ok`,
      `admin device.enable ${device} ok`,
      `admin device.revoke ${device} ok`,
      `admin enrollment_code.revoke ${minted.id} ok`,
      "admin circuit_breaker.reset anthropic ok",
    ]);
  });

  it("tells when, from where and why, can be searched, and comes in pages", async () => {
    const [refusal] = await rows("action=device.bootstrap&subject=audited-device&limit=1000");
    assert.equal(refusal.client_ip, "127.0.0.1");
    assert.ok(Date.parse(refusal.at) > 0);
    const all = await rows("action=device.bootstrap");
    assert.match(all.at(-1).detail.reason, /enrollment_code is unknown/);
    const first = (await relay.admin("/admin/audit?limit=3")).body;
    const second = (await relay.admin(`/admin/audit?limit=3&cursor=${first.next_cursor}`)).body;
    assert.ok(second.data[0].id < first.data[2].id);
  });
});
