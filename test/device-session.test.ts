/** A device's sign-in over its life: first launch, codes, approval, renewal, restarts. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  type RelayError,
  type SessionLock,
  SignedOutError,
  WaitingForApprovalError,
} from "../packages/client/src/device/index.ts";
import { Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const hour = 3_600_000;
const minute = 60_000;

const deviceOf = async (relay: InsideRelay, id: string) =>
  (await relay.admin(`/admin/devices/${id}`)).body;

describe("a device session", () => {
  let relay: InsideRelay;
  let machine: Machine;

  before(async () => {
    relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "1000000" } });
  });
  after(() => relay.remove());
  beforeEach((t) => {
    machine = new Machine(() => relay);
    const made = machine;
    (t as { after?: (work: () => Promise<void>) => void }).after?.(() => made.stop());
  });

  it("at first launch makes an id and a key, enrolls, and says so in four lines", async () => {
    const session = machine.session({ appVersion: "2.0.0", deviceName: "Ann's\n desk" });
    assert.equal(session.state.kind, "idle");
    await session.start();
    assert.deepEqual(machine.lines, [
      "Bootstrapping proxy configuration...",
      "Proxy token bootstrapped successfully",
      "Proxy is healthy and ready",
      "Starting proxy token refresh service",
    ]);
    assert.deepEqual(machine.types(), [
      "bootstrapping",
      "token_changed",
      "bootstrapped",
      "healthy",
    ]);
    assert.deepEqual(machine.paths(), ["/bootstrap", "/healthz"]);
    const { deviceId, fingerprint } = await session.identity();
    assert.match(deviceId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const row = await deviceOf(relay, deviceId);
    assert.equal(row.device_key_fingerprint, fingerprint);
    assert.equal(row.app_version, "2.0.0");
    assert.equal(row.label, "Ann's desk");
    const { token, proxyBaseUrl, expiresAt } = await session.credential();
    assert.equal(proxyBaseUrl, `http://localhost:${relay.port}`);
    assert.deepEqual(session.state, { kind: "ready", expiresAt, proxyBaseUrl });
    assert.equal((await relay.ask(token)).status, 200);
  });

  it("takes the stored token at the next start, and asks for none", async () => {
    const first = machine.session();
    const token = await first.token();
    const second = machine.session();
    machine.asked.length = 0;
    assert.equal(await second.token(), token);
    assert.deepEqual(machine.asked, []);
    await second.start();
    assert.deepEqual(machine.paths(), ["/healthz"]);
    assert.deepEqual(await second.identity(), await first.identity());
  });

  it("gives many who ask at once the one token of one request", async () => {
    const session = machine.session();
    const tokens = await Promise.all(Array.from({ length: 50 }, () => session.token()));
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual(machine.paths(), ["/bootstrap"]);
  });

  it("renews in the background when about an hour remains, and never gives the old token again", async () => {
    const session = machine.session();
    await session.start();
    const old = await session.token();
    machine.asked.length = 0;
    await machine.advance(22 * hour + 53 * minute);
    assert.ok(!machine.paths().includes("/refresh"));
    assert.equal(await session.token(), old);
    for (let minutes = 0; minutes < 8 && !machine.types().includes("refreshed"); minutes += 1) {
      await machine.advance(minute / 2);
      await machine.advance(minute / 2);
    }
    const fresh = await session.token();
    assert.notEqual(fresh, old);
    assert.equal(machine.paths().filter((path) => path === "/refresh").length, 1);
    assert.ok(!machine.paths().includes("/bootstrap"));
    assert.deepEqual(machine.types().slice(-3), ["refreshing", "token_changed", "refreshed"]);
    assert.equal((await relay.ask(fresh)).status, 200);
    await machine.advance(minute);
    assert.equal((await relay.ask(old)).status, 401);
    assert.equal(await session.token(), fresh);
  });

  it("goes on so for ten days without enrolling again", async () => {
    const session = machine.session();
    await session.start();
    await machine.advance(10 * 24 * hour);
    assert.equal(machine.paths().filter((path) => path === "/bootstrap").length, 1);
    const renewals = machine.paths().filter((path) => path === "/refresh").length;
    assert.ok(renewals === 10, String(renewals));
    assert.equal((await relay.ask(await session.token())).status, 200);
    assert.deepEqual([...new Set(machine.asked.map(({ status }) => status))], [200]);
  });

  it("looks after the relay's health every 30 minutes, and tells of a change only", async () => {
    const session = machine.session();
    await session.start();
    machine.asked.length = 0;
    await machine.advance(2 * hour);
    assert.deepEqual(machine.paths(), ["/healthz", "/healthz", "/healthz", "/healthz"]);
    assert.equal(machine.types().filter((type) => type === "healthy").length, 1);
    assert.ok(!machine.types().includes("unhealthy"));
  });

  it("without a background renews when it is asked, in time", async () => {
    const session = machine.session();
    const old = await session.token();
    await machine.advance(22 * hour + 59 * minute);
    assert.equal(await session.token(), old);
    await machine.advance(2 * minute);
    const fresh = await session.token();
    assert.notEqual(fresh, old);
    assert.deepEqual(machine.paths(), ["/bootstrap", "/refresh"]);
  });

  it("takes over what another session renewed", async () => {
    const [mine, other] = [machine.session(), machine.session()];
    const old = await mine.token();
    assert.equal(await other.token(), old);
    await machine.advance(23 * hour + minute);
    const fresh = await other.token();
    assert.equal(await mine.token(), fresh);
    assert.equal(machine.paths().filter((path) => path === "/refresh").length, 1);
  });

  it("with another in the background beside it renews once a day between the two, for ten days", async () => {
    let last: Promise<unknown> = Promise.resolve();
    const lock: SessionLock = {
      hold: (work) => {
        const turn = last.then(work);
        last = turn.catch(() => undefined);
        return turn;
      },
    };
    const pair = [machine.session({ lock }), machine.session({ lock })];
    for (const session of pair) {
      await session.start();
    }
    await machine.advance(10 * 24 * hour);
    const [one, other] = await Promise.all(pair.map((session) => session.token()));
    assert.equal(one, other);
    const asked = machine.paths().filter((path) => path !== "/healthz");
    assert.deepEqual(asked, ["/bootstrap", ...Array(10).fill("/refresh")]);
    assert.ok(machine.asked.every(({ status }) => status === 200));
  });

  it("does not give a token again that the relay refused", async () => {
    const session = machine.session();
    const { deviceId } = await session.identity();
    const revoked = await session.token();
    await machine.advance(minute);
    await relay.admin(`/admin/devices/${deviceId}/revoke-tokens`, { method: "POST" });
    assert.equal(await session.token(), revoked, "nothing said so yet");
    session.reject(revoked);
    const fresh = await session.token();
    assert.notEqual(fresh, revoked);
    assert.deepEqual(machine.paths(), ["/bootstrap", "/refresh", "/bootstrap"]);
    assert.equal((await relay.ask(fresh)).status, 200);
  });

  it("a disabled device is signed out and told whom to ask; enabled again it goes on", async () => {
    const session = machine.session();
    await session.start();
    const { deviceId } = await session.identity();
    const set = (status: string) =>
      relay.admin(`/admin/devices/${deviceId}`, { method: "PATCH", body: { status } });
    await set("disabled");
    await machine.advance(23 * hour);
    await assert.rejects(session.token(), (error: unknown) => {
      assert.ok(error instanceof SignedOutError);
      assert.equal(error.reason, "refused");
      assert.match(error.message, /disabled.*Ask the operator/);
      return true;
    });
    assert.equal(session.state.kind, "signed_out");
    assert.equal(machine.types().filter((type) => type === "signed_out").length, 1);
    await set("active");
    await machine.advance(40 * minute);
    assert.equal(session.state.kind, "ready");
    assert.equal((await relay.ask(await session.token())).status, 200);
  });

  it("a revoked device is signed out at once", async () => {
    const session = machine.session();
    const token = await session.token();
    const { deviceId } = await session.identity();
    await machine.advance(minute);
    await relay.admin(`/admin/devices/${deviceId}`, {
      method: "PATCH",
      body: { status: "revoked" },
    });
    session.reject(token);
    await assert.rejects(session.token(), /revoked/);
    assert.deepEqual(machine.paths(), ["/bootstrap", "/refresh", "/bootstrap"]);
  });

  it("signs out: forgets id, key and token, and gives no token until it is enrolled again", async () => {
    const session = machine.session();
    await session.start();
    const { deviceId } = await session.identity();
    await session.signOut();
    assert.equal(machine.store.entries.size, 0);
    await assert.rejects(session.token(), SignedOutError);
    await machine.advance(2 * hour);
    assert.deepEqual(
      machine.paths().filter((path) => path !== "/healthz"),
      ["/bootstrap"],
    );
    await session.enroll();
    assert.notEqual((await session.identity()).deviceId, deviceId);
  });

  it("after stop does nothing more and gives no token", async () => {
    const session = machine.session();
    await session.start();
    await session.stop();
    machine.asked.length = 0;
    await machine.advance(30 * hour);
    assert.deepEqual(machine.asked, []);
    await assert.rejects(session.token(), /stopped/);
    assert.equal(session.state.kind, "stopped");
  });

  it("tells no secret, in no line and no event", async () => {
    const session = machine.session();
    await session.start();
    const tokens = [await session.token()];
    await machine.advance(24 * hour);
    tokens.push(await session.token());
    machine.store.broken = true;
    await machine.advance(24 * hour);
    tokens.push(await session.token());
    const told = JSON.stringify([machine.lines, machine.events, session.state]);
    assert.match(told, /store_failed/);
    const identity = [...machine.store.entries].find(([name]) => name.startsWith("identity"));
    const { seed } = JSON.parse(identity?.[1] ?? "{}");
    assert.equal(seed.length, 43);
    for (const secret of [...tokens, seed]) {
      assert.ok(!told.includes(secret));
    }
    assert.equal(new Set(tokens).size, 3);
  });
});

describe("a device session where a code is needed", () => {
  it("is signed out without one, says what is wrong with a bad one, and comes in with a good one", async (t) => {
    const relay = await startInside({ env: { BOOTSTRAP: "code", IP_RATE_LIMIT_MAX: "1000000" } });
    t.after(() => relay.remove());
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    const mint = async (body: object = {}) =>
      (await relay.admin("/admin/enrollment-codes", { body })).body.enrollment_code as string;
    const session = machine.session();
    await session.start();
    assert.equal(session.state.kind, "signed_out");
    const refusedFor = (says: RegExp) => (error: unknown) => {
      assert.ok(error instanceof SignedOutError, String(error));
      assert.equal(error.reason, "enrollment_code");
      assert.match(error.message, says);
      return true;
    };
    await assert.rejects(session.token(), refusedFor(/enrollment_code is required/));
    await assert.rejects(session.enroll("AAAA-BBBB"), refusedFor(/is unknown/));
    const short = await mint({ expires_in_hours: 1 });
    await machine.advance(61 * minute);
    await assert.rejects(session.enroll(short), refusedFor(/is expired/));
    const code = await mint();
    const { token } = await session.enroll(code);
    assert.equal((await relay.ask(token)).status, 200);
    const other = new Machine(() => relay);
    t.after(() => other.stop());
    const late = other.session({ enrollmentCode: code });
    await assert.rejects(late.token(), refusedFor(/is used/));
    const told = JSON.stringify([machine.lines, machine.events, other.lines, other.events]);
    assert.ok(!told.includes(code));
    await machine.advance(23 * hour);
    assert.equal((await relay.ask(await session.token())).status, 200);
    assert.equal(machine.asked.filter(({ body }) => body["enrollment_code"] === code).length, 1);
  });
});

describe("a device session where an admin approves", () => {
  it("shows the fingerprint that the admin sees, and goes on by itself once approved", async (t) => {
    const relay = await startInside({
      env: { BOOTSTRAP: "approve", IP_RATE_LIMIT_MAX: "1000000" },
    });
    t.after(() => relay.remove());
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    const session = machine.session();
    await session.start();
    const { deviceId, fingerprint } = await session.identity();
    assert.deepEqual(session.state, { kind: "waiting_for_approval", deviceId, fingerprint });
    assert.equal((await deviceOf(relay, deviceId)).device_key_fingerprint, fingerprint);
    await assert.rejects(session.token(), (error: unknown) => {
      assert.ok(error instanceof WaitingForApprovalError);
      assert.equal(error.fingerprint, fingerprint);
      return true;
    });
    await machine.advance(2 * minute);
    assert.equal(machine.types().filter((type) => type === "waiting_for_approval").length, 1);
    const ready = session.ready();
    await relay.admin(`/admin/devices/${deviceId}/approve`, {
      method: "POST",
      body: { device_key_fingerprint: fingerprint },
    });
    await machine.advance(20_000);
    assert.equal((await relay.ask((await ready).token)).status, 200);
    assert.equal(session.state.kind, "ready");
    await machine.advance(24 * hour);
    assert.equal((await relay.ask(await session.token())).status, 200);
  });

  it("is told when the admin turns it away", async (t) => {
    const relay = await startInside({ env: { BOOTSTRAP: "approve" } });
    t.after(() => relay.remove());
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    const session = machine.session();
    await session.start();
    const waiting = assert.rejects(session.ready(), (error: unknown) => {
      assert.ok(error instanceof SignedOutError);
      assert.match(error.message, /revoked/);
      return true;
    });
    const { deviceId } = await session.identity();
    await relay.admin(`/admin/devices/${deviceId}`, {
      method: "PATCH",
      body: { status: "revoked" },
    });
    await machine.advance(minute);
    await waiting;
    assert.equal(session.state.kind, "signed_out");
  });
});

describe("a device session and a relay that starts anew", () => {
  it("keeps its token, and renews it with its key", async (t) => {
    const dataDir = tempFolder(t);
    let relay = await startInside({ dataDir });
    t.after(() => relay.close());
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    const session = machine.session();
    await session.start();
    const token = await session.token();
    await relay.close();
    await machine.advance(5 * minute);
    assert.equal(await session.token(), token);
    relay = await startInside({ dataDir, now: machine.clock.now() });
    assert.equal((await relay.ask(await session.token())).status, 200);
    await machine.advance(24 * hour);
    assert.notEqual(await session.token(), token);
    assert.ok(!machine.paths().slice(1).includes("/bootstrap"));
  });

  it("with another secret it enrolls again, under the same id", async (t) => {
    const dataDir = tempFolder(t);
    let relay = await startInside({ dataDir });
    t.after(() => relay.close());
    const machine = new Machine(() => relay);
    t.after(() => machine.stop());
    const session = machine.session();
    const token = await session.token();
    const { deviceId } = await session.identity();
    await relay.close();
    const env = { JWT_SECRET: "another-honest-secret-0123456789abcdef-0123456789" };
    relay = await startInside({ dataDir, env, now: machine.clock.now() });
    await machine.advance(minute);
    session.reject(token);
    assert.equal((await relay.ask(await session.token())).status, 200);
    assert.equal((await session.identity()).deviceId, deviceId);
    assert.ok(!(await session.token().catch((error: RelayError) => error.message)).includes(token));
  });
});
