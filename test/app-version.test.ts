/** MIN_APP_VERSION: an app that is too old is told so, by the relay and by its own session. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { SignedOutError } from "../packages/client/src/device/index.ts";
import { loadConfig } from "../packages/server/src/config.ts";
import { makeDeviceKey } from "./harness/device-key.ts";
import { Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { assertRefused, badToken, forbidden } from "./harness/refused.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const hour = 3_600_000;
const minute = 60_000;
const tooOld = forbidden(/version 1\.9\.2 is too old.*wants 1\.10\.0 or newer.*Update the app/);

const boot = (relay: InsideRelay, device_id: string, more: object = {}) =>
  relay.call("/bootstrap", { body: { device_id, ...more } });
const refresh = (relay: InsideRelay, token: string, body: object = {}) =>
  relay.call("/refresh", { method: "POST", token, body });
const versionOf = async (relay: InsideRelay, id: string) =>
  (await relay.admin(`/admin/devices/${id}`)).body.app_version;

describe("MIN_APP_VERSION", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env: { MIN_APP_VERSION: "1.10.0", IP_RATE_LIMIT_MAX: "100000" } });
  });
  after(() => relay.remove());

  it("keeps a lower version from a token at /bootstrap, and no device is made of it", async () => {
    const answer = await boot(relay, "an-old-device", { app_version: "1.9.2" });
    assertRefused(answer, tooOld);
    assert.equal(answer.headers.get("x-relay-error"), "update_needed");
    assert.equal((await relay.admin("/admin/devices/an-old-device")).status, 404);
    const [row] = (await relay.admin("/admin/audit?action=device.bootstrap")).body.data;
    assert.deepEqual([row.subject, row.outcome], ["an-old-device", "update_needed"]);
  });

  it("lets the same version, a newer one, one of another form and none at all in", async () => {
    for (const [at, app_version] of ["1.10.0", "1.10.1", "cli 0.1.0", undefined].entries()) {
      const answer = await boot(relay, `a-good-device-${at}`, { app_version });
      assert.equal(answer.status, 200, answer.text);
      const renewed = await refresh(relay, answer.body.wrapper_token, { app_version });
      assert.equal(renewed.status, 200, renewed.text);
    }
  });

  it("keeps a lower version from renewing; its token is not replaced and lives on", async () => {
    const { body } = await boot(relay, "a-downgraded-device", { app_version: "1.10.0" });
    const token = body.wrapper_token;
    const answer = await refresh(relay, token, { app_version: "1.9.2" });
    assertRefused(answer, tooOld);
    assert.equal(answer.headers.get("x-relay-error"), "update_needed");
    relay.advance(2 * minute);
    assert.equal((await relay.ask(token)).status, 200);
    assert.equal(await versionOf(relay, "a-downgraded-device"), "1.10.0");
    assert.equal((await refresh(relay, token, { app_version: "1.10.5" })).status, 200);
    assert.equal(await versionOf(relay, "a-downgraded-device"), "1.10.5");
  });

  it("is said after what is worse: no token, a barred device", async () => {
    const old = { app_version: "1.9.2" };
    assertRefused(await refresh(relay, "no-token-of-ours", old), badToken());
    const { body } = await boot(relay, "a-barred-device");
    const change = { method: "PATCH", body: { status: "disabled" } };
    await relay.admin("/admin/devices/a-barred-device", change);
    assertRefused(await refresh(relay, body.wrapper_token, old), forbidden(/disabled/));
    assertRefused(await boot(relay, "a-barred-device", old), forbidden(/disabled/));
  });

  it("ends nothing when an old app brings back a token that was replaced", async () => {
    const key = makeDeviceKey();
    const id = "a-replaying-device";
    const { body } = await boot(relay, id, { device_public_key: key.publicKey });
    const old = body.wrapper_token;
    const next = await refresh(relay, old, key.proof(id, old, relay.now()));
    relay.advance(2 * minute);
    assertRefused(await refresh(relay, old, { app_version: "1.9.2" }), tooOld);
    assert.equal((await relay.ask(next.body.wrapper_token)).status, 200);
  });

  it("does not spend a code or an approval", async (t) => {
    const closed = await startInside({ env: { MIN_APP_VERSION: "1.10.0", BOOTSTRAP: "code" } });
    t.after(() => closed.remove());
    const { enrollment_code } = (await closed.admin("/admin/enrollment-codes", { body: {} })).body;
    const ask = (app_version: string) =>
      boot(closed, "a-coded-device", { enrollment_code, app_version });
    assertRefused(await ask("1.9.2"), tooOld);
    assert.equal((await ask("1.10.0")).status, 200);
  });

  it("must be three numbers, or the relay does not start", () => {
    for (const value of [
      "1",
      "1.2",
      "v1.2.3",
      "1.2.3-beta",
      "latest",
      "1.2.3.4",
      "1..3",
      "-1.0.0",
    ]) {
      const result = loadConfig({
        environment: { MIN_APP_VERSION: value },
        file: new Map(),
        faults: [],
      });
      assert.ok(!result.ok, value);
      const said = result.faults.filter((fault) => fault.includes("MIN_APP_VERSION"));
      assert.equal(said.length, 1, value);
      assert.match(said[0] ?? "", /three numbers such as 1\.2\.3/);
    }
  });

  it("is off unless it is set", async (t) => {
    const open = await startInside();
    t.after(() => open.remove());
    assert.equal((await boot(open, "any-old-device", { app_version: "0.0.1" })).status, 200);
  });
});

describe("a device session whose app is too old", () => {
  it("at first launch is signed out with the reason, and looks again at its usual pace", async (t) => {
    const relay = await startInside({
      env: { MIN_APP_VERSION: "1.10.0", IP_RATE_LIMIT_MAX: "100000" },
    });
    t.after(() => relay.remove());
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    const session = machine.session({ appVersion: "1.9.2" });
    await session.start();
    assert.ok(session.state.kind === "signed_out");
    assert.equal(session.state.reason, "update_needed");
    await assert.rejects(session.token(), (error: unknown) => {
      assert.ok(error instanceof SignedOutError);
      assert.equal(error.reason, "update_needed");
      assert.match(error.message, /1\.9\.2.*1\.10\.0.*Update the app/);
      return true;
    });
    await machine.advance(4 * hour);
    const asked = machine.paths().filter((path) => path === "/bootstrap").length;
    assert.ok(asked >= 8 && asked <= 9, String(asked));
    assert.equal(machine.types().filter((type) => type === "signed_out").length, 1);
  });

  it("after the relay was told to want a newer one keeps its sign-in for the update", async (t) => {
    const dataDir = tempFolder(t);
    // One code, used at first launch: there is no way back in but the sign-in itself.
    const env = { BOOTSTRAP: "code", IP_RATE_LIMIT_MAX: "100000" };
    let relay = await startInside({ dataDir, env });
    t.after(() => relay.close());
    const { enrollment_code } = (await relay.admin("/admin/enrollment-codes", { body: {} })).body;
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    const session = machine.session({ appVersion: "1.9.2", enrollmentCode: enrollment_code });
    await session.start();
    const identity = await session.identity();
    await relay.close();
    relay = await startInside({
      dataDir,
      env: { ...env, MIN_APP_VERSION: "1.10.0" },
      now: machine.clock.now(),
    });
    machine.asked.length = 0;
    await machine.advance(22 * hour);
    assert.equal((await relay.ask(await session.token())).status, 200, "good until it is renewed");
    await machine.advance(hour + 10 * minute);
    assert.ok(session.state.kind === "signed_out");
    assert.equal(session.state.reason, "update_needed");
    await assert.rejects(session.token(), /Update the app/);
    const renewals = machine.asked.filter(({ path }) => path !== "/healthz");
    assert.ok(renewals.length >= 1 && renewals.length <= 3, String(renewals.length));
    for (const { path, status, body } of renewals) {
      assert.deepEqual([path, status, body["app_version"]], ["/refresh", 403, "1.9.2"]);
    }
    assert.deepEqual(await session.identity(), identity);
    await session.stop();

    const updated = machine.session({ appVersion: "1.10.0" });
    await updated.start();
    assert.equal((await relay.ask(await updated.token())).status, 200);
    assert.deepEqual(await updated.identity(), identity);
    assert.equal(await versionOf(relay, identity.deviceId), "1.10.0");
    assert.ok(!machine.paths().includes("/bootstrap"));
  });

  it("believes only a relay that it is: a proxy's page with the same header is no reason", async (t) => {
    const relay = await startInside();
    t.after(() => relay.remove());
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    machine.network = async () =>
      new Response("no", { status: 403, headers: { "x-relay-error": "update_needed" } });
    const session = machine.session({ appVersion: "1.9.2" });
    await session.start();
    assert.equal(session.state.kind, "offline");
  });
});
