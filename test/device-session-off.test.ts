/** A laptop that was off for longer than its token lived, where a code or an approval let it in. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import {
  type DeviceSession,
  RelayConnectionError,
  type SessionLock,
  SignedOutError,
  WaitingForApprovalError,
} from "../packages/client/src/device/index.ts";
import { deadNetwork, Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

type Policy = "code" | "approve";
type Laptop = Readonly<{ relay: InsideRelay; machine: Machine; session: DeviceSession }>;

/** A laptop that was let in; its token is fresh. */
const letIn = async (t: TestContext, policy: Policy, now?: number): Promise<Laptop> => {
  const relay = await startInside({
    env: { BOOTSTRAP: policy, IP_RATE_LIMIT_MAX: "1000000" },
    ...(now !== undefined && { now }),
  });
  t.after(() => relay.remove());
  const machine = new Machine(() => relay);
  t.after(() => machine.stop());
  const session = machine.session({
    relayUrl: relay.url,
    ...(policy === "code" && { enrollmentCode: await mint(relay) }),
  });
  if (policy === "approve") {
    await assert.rejects(session.token(), WaitingForApprovalError);
    await approve(relay, session);
    await machine.advance(20_000);
  }
  await session.token();
  machine.asked.length = 0;
  machine.events.length = 0;
  return { relay, machine, session };
};

const mint = async (relay: InsideRelay): Promise<string> =>
  (await relay.admin("/admin/enrollment-codes", { body: {} })).body.enrollment_code;

const approve = async (relay: InsideRelay, session: DeviceSession): Promise<void> => {
  const { deviceId, fingerprint } = await session.identity();
  const body = { device_key_fingerprint: fingerprint };
  const { status } = await relay.admin(`/admin/devices/${deviceId}/approve`, { body });
  assert.equal(status, 200);
};

const works = async (relay: InsideRelay, token: string): Promise<void> =>
  assert.equal((await relay.ask(token)).status, 200);

/** What the audit log has, oldest first. */
const audited = async (relay: InsideRelay, action: string): Promise<string[]> => {
  const { body } = await relay.admin(`/admin/audit?action=${action}`);
  return body.data.map(({ outcome }: { outcome: string }) => outcome).reverse();
};

const needsCode = (error: unknown): true => {
  assert.ok(error instanceof SignedOutError, String(error));
  assert.equal(error.reason, "enrollment_code");
  assert.match(
    error.message,
    /enrollment_code is required: ask the operator of this relay for one/,
  );
  return true;
};

for (const policy of ["code", "approve"] as const) {
  describe(`a laptop that was off (BOOTSTRAP=${policy})`, () => {
    it("for three days comes back by itself, awake or started anew", async (t) => {
      const { relay, machine, session } = await letIn(t, policy);
      const { deviceId } = await session.identity();
      const old = await session.token();
      machine.sleep(3 * day);
      const fresh = await session.token();
      assert.notEqual(fresh, old);
      await works(relay, fresh);
      machine.kill();
      machine.sleep(29 * day);
      const next = machine.session({ relayUrl: relay.url });
      await next.start();
      assert.equal(next.state.kind, "ready");
      await works(relay, await next.token());
      assert.deepEqual(machine.paths(), ["/refresh", "/refresh", "/healthz"]);
      assert.equal((await next.identity()).deviceId, deviceId);
      assert.ok(!machine.types().includes("bootstrapping"));
      assert.deepEqual(await audited(relay, "device.replay"), []);
    });

    it("for three days comes back in the background, and stays", async (t) => {
      const { relay, machine, session } = await letIn(t, policy);
      await session.start();
      machine.sleep(3 * day);
      await machine.advance(minute);
      assert.equal(session.state.kind, "ready");
      await machine.advance(3 * day);
      await works(relay, await session.token());
      assert.ok(!machine.paths().includes("/bootstrap"));
    });

    it("and whose clock stands wrong since comes back all the same", async (t) => {
      const { relay, machine } = await letIn(t, policy);
      machine.kill();
      machine.sleep(3 * day);
      machine.setClock(-40 * day);
      const next = machine.session({ relayUrl: relay.url });
      await next.start();
      await works(relay, await next.token());
      assert.ok(!machine.paths().includes("/bootstrap"));
    });

    it("is refused clearly when it was disabled meanwhile, and comes back once enabled", async (t) => {
      const { relay, machine, session } = await letIn(t, policy);
      const path = `/admin/devices/${(await session.identity()).deviceId}`;
      const set = (status: string) => relay.admin(path, { method: "PATCH", body: { status } });
      await set("disabled");
      machine.sleep(3 * day);
      await assert.rejects(session.token(), (error: unknown) => {
        assert.ok(error instanceof SignedOutError);
        assert.equal(error.reason, "refused");
        assert.match(error.message, /disabled.*Ask the operator/);
        return true;
      });
      await set("active");
      await machine.advance(minute);
      await works(relay, await session.token());
      assert.ok(!machine.paths().includes("/bootstrap"));
    });
  });
}

describe("a laptop that was off for longer than DEVICE_RENEWAL_DAYS", () => {
  it("(code) asks for a code, and with one is the same device", async (t) => {
    const { relay, machine, session } = await letIn(t, "code");
    const { deviceId } = await session.identity();
    machine.sleep(31 * day + minute);
    await assert.rejects(session.token(), needsCode);
    assert.deepEqual(machine.paths(), ["/refresh", "/bootstrap"]);
    assert.equal(session.state.kind, "signed_out");
    assert.deepEqual(machine.types().slice(-1), ["signed_out"]);
    await works(relay, (await session.enroll(await mint(relay))).token);
    assert.equal((await session.identity()).deviceId, deviceId);
  });

  it("(approve) waits for an approval with its fingerprint, and is the same device", async (t) => {
    const { relay, machine, session } = await letIn(t, "approve");
    machine.sleep(31 * day + minute);
    const { deviceId, fingerprint } = await session.identity();
    await assert.rejects(session.token(), (error: unknown) => {
      assert.ok(error instanceof WaitingForApprovalError);
      assert.deepEqual([error.deviceId, error.fingerprint], [deviceId, fingerprint]);
      return true;
    });
    await approve(relay, session);
    await machine.advance(20_000);
    await works(relay, await session.token());
  });
});

describe("a laptop that was off and lost its key", () => {
  it("(code) asks for a code", async (t) => {
    const { machine, relay } = await letIn(t, "code");
    machine.kill();
    machine.sleep(3 * day);
    const name = [...machine.store.entries.keys()].find((one) => one.startsWith("identity")) ?? "";
    assert.ok(machine.store.entries.delete(name));
    await assert.rejects(machine.session({ relayUrl: relay.url }).token(), needsCode);
    assert.deepEqual(await audited(relay, "device.refresh"), ["credential_invalid"]);
  });

  it("(approve) waits as a device that nobody knows", async (t) => {
    const { machine, relay, session } = await letIn(t, "approve");
    const { deviceId } = await session.identity();
    machine.kill();
    machine.sleep(3 * day);
    const name = [...machine.store.entries.keys()].find((one) => one.startsWith("identity")) ?? "";
    assert.ok(machine.store.entries.delete(name));
    const next = machine.session({ relayUrl: relay.url });
    await assert.rejects(next.token(), WaitingForApprovalError);
    assert.notEqual((await next.identity()).deviceId, deviceId);
  });
});

describe("a token that expired while its laptop was off", () => {
  it("is handed out to nobody, also while the relay is away", async (t) => {
    const { relay, machine, session } = await letIn(t, "code");
    const old = await session.token();
    machine.network = deadNetwork;
    machine.sleep(3 * day);
    for (let asked = 0; asked < 3; asked += 1) {
      await assert.rejects(session.token(), RelayConnectionError);
    }
    await assert.rejects(machine.session({ relayUrl: relay.url }).token(), RelayConnectionError);
    machine.network = fetch;
    await machine.advance(10 * minute);
    const fresh = await session.token();
    assert.notEqual(fresh, old);
    await works(relay, fresh);
    assert.equal((await relay.ask(old)).status, 401);
  });

  it("is not handed out either when it expires while a renewal hangs", async (t) => {
    const { relay, machine } = await letIn(t, "code");
    const session = machine.session({ relayUrl: relay.url, patienceMs: 20_000 });
    await machine.advance(day - 10_000);
    machine.network = machine.hung;
    const asked = session.token().then(
      (token) => token,
      (error: unknown) => error,
    );
    await machine.advance(90_000);
    assert.match(String(await asked), /RelayTimeoutError/);
  });
});

describe("two sessions after a long sleep", () => {
  it("under one lock renew once between them", async (t) => {
    const { relay, machine } = await letIn(t, "code");
    let last: Promise<unknown> = Promise.resolve();
    const lock: SessionLock = {
      hold: (work) => {
        const turn = last.then(work);
        last = turn.catch(() => undefined);
        return turn;
      },
    };
    const pair = [1, 2].map(() => machine.session({ relayUrl: relay.url, lock }));
    machine.sleep(3 * day);
    const [one = "", other] = await Promise.all(pair.map((session) => session.token()));
    assert.equal(one, other);
    await works(relay, one);
    assert.deepEqual(machine.paths(), ["/refresh"]);
  });

  it("without a lock both come back, and nothing looks like a theft", async (t) => {
    const { relay, machine } = await letIn(t, "code");
    const pair = [1, 2].map(() => machine.session({ relayUrl: relay.url }));
    machine.sleep(3 * day);
    for (const token of await Promise.all(pair.map((session) => session.token()))) {
      await works(relay, token);
    }
    machine.sleep(3 * day);
    for (const session of pair) {
      await works(relay, await session.token());
    }
    assert.ok(!machine.paths().includes("/bootstrap"));
    assert.deepEqual(await audited(relay, "device.replay"), []);
  });

  it("in processes of their own renew once between them", async (t) => {
    // The processes go by the real clock: the relay's three days end now.
    const { relay, machine } = await letIn(t, "code", Date.now() - 3 * day);
    machine.sleep(3 * day);
    const folder = tempFolder(t);
    const entries = JSON.stringify(Object.fromEntries(machine.store.entries));
    writeFileSync(join(folder, "store.json"), entries);
    const processes = Array.from({ length: 4 }, () => {
      const child = spawn(
        process.execPath,
        ["test/harness/device-token-process.ts", relay.url, folder],
        { stdio: ["pipe", "pipe", "inherit"] },
      );
      t.after(() => child.kill("SIGKILL"));
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      return { child, line: async () => String((await lines.next()).value) };
    });
    await Promise.all(processes.map(({ line }) => line()));
    for (const { child } of processes) {
      child.stdin.write("go\n");
    }
    const tokens = await Promise.all(processes.map(({ line }) => line()));
    assert.equal(new Set(tokens).size, 1);
    await works(relay, tokens[0] ?? "");
    assert.deepEqual(await audited(relay, "device.refresh"), ["ok"]);
    assert.deepEqual(await audited(relay, "device.replay"), []);
  });
});
