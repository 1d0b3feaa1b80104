/**
 * A device's sign-in when its process ends in the middle of something, and when somebody else has a copy of it.
 * A code let it in that is used up: whoever had to enroll again would be out.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { DeviceSession, SessionLock } from "../packages/client/src/device/index.ts";
import { makeDeviceKey } from "./harness/device-key.ts";
import { hungNetwork, Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";

const hour = 3_600_000;
const minute = 60_000;

let relay: InsideRelay;
let machine: Machine;
let code: string;

before(async () => {
  relay = await startInside({ env: { BOOTSTRAP: "code", IP_RATE_LIMIT_MAX: "1000000" } });
});
after(() => relay.remove());
beforeEach(async () => {
  machine = new Machine(() => relay);
  code = (await relay.admin("/admin/enrollment-codes", { body: {} })).body.enrollment_code;
});
afterEach(() => machine.stop());

const count = (path: string) => machine.paths().filter((one) => one === path).length;
const works = async (token: string) => assert.equal((await relay.ask(token)).status, 200);
const refresh = (token: string, body: object = {}) =>
  relay.call("/refresh", { method: "POST", token, body });

/** What the audit log has of replays of this device, oldest first. */
const replays = async (session: DeviceSession): Promise<unknown[]> => {
  const { deviceId } = await session.identity();
  const { body } = await relay.admin(`/admin/audit?action=device.replay&subject=${deviceId}`);
  return body.data.map(({ outcome }: { outcome: string }) => outcome).reverse();
};

/** A session that is in; its token is due for renewal when `isDue`. */
const enrolled = async (isDue = true): Promise<DeviceSession> => {
  const session = machine.session({ enrollmentCode: code });
  await session.token();
  if (isDue) {
    await machine.advance(23 * hour + minute);
  }
  return session;
};

/** From now on the relay does what it is asked at `path`, and its answer never arrives. */
const loseAnswers = (path: string): void => {
  machine.network = async (...request) => {
    const response = await fetch(...request);
    if (!String(request[0]).endsWith(path)) {
      return response;
    }
    machine.network = machine.hung;
    return machine.hung(...request);
  };
};

/** Answers wait for `release`; `seen` resolves when the relay has given one. */
const holdAnswers = () => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isSeen = false;
  machine.network = async (...request) => {
    const response = await fetch(...request);
    isSeen = true;
    await released;
    return response;
  };
  const seen = async (): Promise<void> => {
    while (!isSeen) {
      await turn();
    }
  };
  return { release: () => release(), seen };
};

/** The process dies when the relay has renewed the token and nobody has heard of it. */
const killedInRenewal = async (session: DeviceSession): Promise<void> => {
  loseAnswers("/refresh");
  session.token().catch(() => undefined);
  await machine.settle();
  machine.kill();
  machine.network = fetch;
};

describe("a device session that is stopped", () => {
  it("while it renews waits for the token and keeps it: nothing looks like a theft later", async () => {
    const session = await enrolled();
    const { release, seen } = holdAnswers();
    const asked = session.token().catch((error: unknown) => error);
    await seen();
    const stopped = session.stop();
    release();
    await stopped;
    assert.equal(session.state.kind, "stopped");
    machine.network = fetch;
    await machine.advance(10 * minute);
    machine.asked.length = 0;
    const next = machine.session();
    const token = await next.token();
    await works(token);
    assert.equal(token, await asked);
    assert.deepEqual(machine.paths(), [], "the stored one is the new one");
    assert.deepEqual(await replays(next), []);
  });

  it("while it enrolls waits for the token: the code is used up by then", async () => {
    const session = machine.session({ enrollmentCode: code });
    const { release, seen } = holdAnswers();
    const asked = session.token().catch((error: unknown) => error);
    await seen();
    const stopped = session.stop();
    release();
    await stopped;
    await asked;
    machine.network = fetch;
    await works(await machine.session().token());
    assert.equal(count("/bootstrap"), 1);
  });

  it("does not wait longer than three seconds for a relay that hangs", async () => {
    const session = await enrolled();
    machine.network = hungNetwork;
    const asked = session.token().catch((error: unknown) => error);
    await machine.settle();
    let isStopped = false;
    const stopped = session.stop().then(() => {
      isStopped = true;
    });
    await machine.advance(2_900);
    assert.equal(isStopped, false);
    await machine.advance(200);
    await stopped;
    assert.match(String(await asked), /stopped/);
  });

  it("begins nothing more: a refused renewal is not followed by an enrollment", async () => {
    const session = await enrolled(false);
    const token = await session.token();
    const { deviceId } = await session.identity();
    await machine.advance(minute);
    await relay.admin(`/admin/devices/${deviceId}/revoke-tokens`, { method: "POST" });
    session.reject(token);
    const { release, seen } = holdAnswers();
    const asked = session.token().catch((error: unknown) => error);
    await seen();
    const stopped = session.stop();
    release();
    await stopped;
    assert.match(String(await asked), /stopped/);
    assert.deepEqual(machine.paths(), ["/bootstrap", "/refresh"]);
  });

  it("does not wait for another process", async () => {
    const otherHas: SessionLock = {
      hold: (_work, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    };
    await enrolled();
    const session = machine.session({ lock: otherHas });
    const asked = session.token().catch((error: unknown) => error);
    await machine.settle();
    await session.stop();
    assert.equal(session.state.kind, "stopped");
    assert.match(String(await asked), /stopped/);
  });
});

describe("a device whose process is killed", () => {
  it("between the relay's answer and the store signs with the token before, and nothing is revoked", async () => {
    await killedInRenewal(await enrolled());
    await machine.advance(20 * minute);
    const next = machine.session();
    const token = await next.token();
    await works(token);
    assert.equal(count("/bootstrap"), 1);
    assert.deepEqual(await replays(next), ["renewed"]);
    // And its life goes on as any other's.
    await next.start();
    await machine.advance(3 * 24 * hour);
    await works(await next.token());
    assert.equal(count("/bootstrap"), 1);
    assert.deepEqual(await replays(next), ["renewed"]);
  });

  it("so twice in a row goes on all the same", async () => {
    await enrolled();
    for (let killed = 0; killed < 2; killed += 1) {
      await killedInRenewal(machine.session());
      await machine.advance(5 * minute);
    }
    const next = machine.session();
    await works(await next.token());
    assert.equal(count("/bootstrap"), 1);
    assert.deepEqual(await replays(next), ["renewed", "renewed"]);
  });

  it("within a minute of it does not even look odd", async () => {
    await enrolled();
    await killedInRenewal(machine.session());
    await machine.advance(minute / 2);
    const next = machine.session();
    await works(await next.token());
    assert.deepEqual(await replays(next), []);
  });

  it("by a laptop's lid: asleep for half an hour in the middle of a renewal, it goes on", async () => {
    const session = await enrolled(false);
    await session.start();
    await machine.advance(22 * hour + 50 * minute);
    loseAnswers("/refresh");
    for (let waited = 0; waited < 12 && !machine.types().includes("refreshing"); waited += 1) {
      await machine.advance(minute);
    }
    assert.ok(machine.types().includes("refreshing"));
    machine.sleep(30 * minute);
    await machine.advance(minute);
    machine.network = fetch;
    await machine.advance(6 * minute);
    assert.equal(session.state.kind, "ready");
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
  });
});

describe("a device whose token somebody copied", () => {
  it("goes on with its key when the copy is brought back, in each of its processes", async () => {
    const session = await enrolled(false);
    const other = machine.session();
    const copied = await session.token();
    await machine.advance(23 * hour + minute);
    const own = await session.token();
    assert.equal(await other.token(), own);
    await machine.advance(5 * minute);
    assert.equal((await refresh(copied)).status, 401);
    for (const process of [session, other]) {
      const token = await process.token();
      if ((await relay.ask(token)).status === 401) {
        process.reject(token);
      }
      await works(await process.token());
    }
    assert.equal(await session.token(), await other.token());
    assert.equal(count("/bootstrap"), 1);
    assert.deepEqual(await replays(session), ["revoked", "renewed"]);
    // The copy has done all that it can do.
    await machine.advance(5 * minute);
    const { deviceId } = await session.identity();
    await refresh(copied, makeDeviceKey().proof(deviceId, copied, relay.now()));
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
  });

  it("(not so one whose tokens an admin ended: it is out until it has a new code)", async () => {
    const session = await enrolled(false);
    const token = await session.token();
    const { deviceId } = await session.identity();
    await machine.advance(minute);
    await relay.admin(`/admin/devices/${deviceId}/revoke-tokens`, { method: "POST" });
    session.reject(token);
    await assert.rejects(session.token(), /enrollment_code is required/);
    assert.ok(session.state.kind === "signed_out");
    assert.equal(session.state.reason, "enrollment_code");
    const next = (await relay.admin("/admin/enrollment-codes", { body: {} })).body;
    await works((await session.enroll(next.enrollment_code)).token);
    assert.equal((await session.identity()).deviceId, deviceId);
  });
});

describe("a device that an admin turns away while it waits", () => {
  for (const [status, says] of [
    ["disabled", /is disabled\. Ask the operator/],
    ["revoked", /is revoked\. Ask the operator/],
  ] as const) {
    it(`(${status}) is signed out with the reason, and let in again comes in by itself`, async (t) => {
      const asking = await startInside({
        env: { BOOTSTRAP: "approve", IP_RATE_LIMIT_MAX: "1000000" },
      });
      t.after(() => asking.remove());
      const own = new Machine(() => asking);
      t.after(() => own.stop());
      const session = own.session();
      await session.start();
      const where = () => session.state;
      assert.equal(where().kind, "waiting_for_approval");
      const { deviceId, fingerprint } = await session.identity();
      const path = `/admin/devices/${deviceId}`;
      const set = (to: string) => asking.admin(path, { method: "PATCH", body: { status: to } });
      await set(status);
      await own.advance(minute);
      const { kind, reason, message } = { reason: "", message: "", ...where() };
      assert.deepEqual([kind, reason], ["signed_out", "refused"]);
      assert.match(message, says);
      await assert.rejects(session.token(), says);
      assert.equal(own.types().filter((type) => type === "signed_out").length, 1);
      own.asked.length = 0;
      await own.advance(2 * hour);
      const asked = own.paths().filter((one) => one === "/bootstrap").length;
      assert.ok(asked >= 3 && asked <= 5, String(asked));
      await set("active");
      await own.advance(31 * minute);
      assert.deepEqual(where(), { kind: "waiting_for_approval", deviceId, fingerprint });
      await asking.admin(`${path}/approve`, { method: "POST" });
      await own.advance(minute);
      assert.equal(where().kind, "ready");
      assert.equal((await asking.ask(await session.token())).status, 200);
    });
  }
});
