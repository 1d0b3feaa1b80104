import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeviceId, epochMs } from "@claude-relay/contract";
import type {
  AuditEntry,
  AuditLog,
  DeviceChanges,
  DeviceRecord,
  DeviceStore,
  EnrollmentCodeRecord,
  EnrollmentCodeStore,
} from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { createDeviceAdmin } from "./device-admin.ts";
import { DeviceIndex } from "./device-index.ts";
import { createEnrollment } from "./enrollment.ts";
import { emptyOwners } from "./testing/owners.ts";
import { createWrapperTokens } from "./wrapper-token.ts";

const id = "test-device-0001" as DeviceId;
const code = { models: null, requestsPerMinute: null, userId: null, organizationId: null };

const renewal = { proof: null, appVersion: null, clientIp: "127.0.0.1" };

/** A store whose every write waits until it is let through: the slowest there can be. */
const slowStore = () => {
  const rows = new Map<string, DeviceRecord>();
  const waiting: (() => void)[] = [];
  const slowly = <Result>(work: () => Result): Promise<Result> =>
    new Promise((resolve) => waiting.push(() => resolve(work())));
  const devices = {
    loadAll: async () => [],
    loadSuperseded: async () => [],
    pruneSuperseded: async () => 0,
    supersedeToken: (token: never) => slowly(() => token),
    upsert: (device: DeviceRecord) =>
      slowly(() => {
        rows.set(device.id, device);
        return device;
      }),
    update: (device: DeviceId, changes: DeviceChanges) =>
      slowly(() => {
        const changed = { ...rows.get(device), ...changes } as DeviceRecord;
        rows.set(device, changed);
        return changed;
      }),
  } as Partial<DeviceStore> as DeviceStore;
  const codes = {
    consume: () =>
      slowly(() => ({ kind: "consumed" as const, code: code as EnrollmentCodeRecord })),
  } as Partial<EnrollmentCodeStore> as EnrollmentCodeStore;
  return {
    rows,
    devices,
    codes,
    /** Lets the writes that wait now through, oldest first. */
    letThrough: (): void => {
      for (const next of waiting.splice(0)) {
        next();
      }
    },
  };
};

const setup = async (policy: "open" | "code" | "approve") => {
  const time = { ms: 1_790_000_000_250 };
  const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
  const store = slowStore();
  const index = await DeviceIndex.load(store.devices, clock, () => null);
  const entries: AuditEntry[] = [];
  const audit = {
    append: async (entry: AuditEntry) => void entries.push(entry),
  } as Partial<AuditLog> as AuditLog;
  const tokens = createWrapperTokens({
    secret: "an-honest-secret-0123456789abcdef0123456789",
    previousSecret: null,
    lifetimeHours: 24,
    clock,
  });
  const enrollment = createEnrollment({
    policyOf: () => policy,
    organizationOf: () => null,
    tokens,
    devices: index,
    deviceStore: store.devices,
    codes: store.codes,
    deviceKeys: "optional",
    renewableMs: 0,
    demandAppVersion: () => undefined,
    audit,
    clock,
  });
  const owners = await emptyOwners();
  const admin = createDeviceAdmin({ store: store.devices, index, owners, audit, clock });
  const boot = () =>
    enrollment.bootstrap({
      deviceId: id,
      appVersion: "1.0",
      deviceName: null,
      enrollmentCode: "AAAAA",
      publicKey: null,
      clientIp: "127.0.0.1",
      fromThisMachine: true,
    });
  /** Lets the store do its part until the work is over. */
  const done = async <Result>(work: Promise<Result>): Promise<Result> => {
    const state = { over: false };
    const end = (): void => {
      state.over = true;
    };
    work.then(end, end);
    while (!state.over) {
      await new Promise((resolve) => setImmediate(resolve));
      store.letThrough();
    }
    return work;
  };
  return { time, store, index, entries, tokens, enrollment, admin, boot, done };
};

const refusedAs = (wanted: string) => (error: unknown) =>
  error instanceof Refusal && error.code === wanted;

describe("enrollment, over a store as slow as it likes", () => {
  for (const policy of ["open", "code"] as const) {
    it(`(${policy}) does not undo a revocation that comes in between`, async () => {
      const { boot, done, admin, store, index, tokens } = await setup(policy);
      await done(boot());
      const again = boot();
      const revoked = admin.change(id, { status: "revoked" }, "127.0.0.1");
      const issued = await done(again);
      await done(revoked);
      assert.equal(store.rows.get(id)?.status, "revoked");
      assert.equal(index.get(id)?.status, "revoked");
      assert.ok(issued.kind === "issued");
      const claims = await tokens.verify(issued.token.token);
      assert.throws(() => index.callerFor(claims), refusedAs("credential_invalid"));
      await assert.rejects(done(boot()), refusedAs("forbidden"));
    });
  }

  it("spends an approval once, however many ask meanwhile", async () => {
    const { boot, done, admin } = await setup("approve");
    assert.equal((await done(boot())).kind, "waiting");
    await done(admin.approve(id, null, "127.0.0.1"));
    const results = await done(Promise.all([boot(), boot(), boot(), boot()]));
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ["issued", "waiting", "waiting", "waiting"],
    );
  });

  it("gives no new token for one that is revoked while it is renewed", async () => {
    const { boot, done, admin, enrollment, index, tokens, time } = await setup("open");
    const first = await done(boot());
    assert.ok(first.kind === "issued");
    const revoked = admin.revokeTokens(id, "127.0.0.1");
    const renewed = enrollment.refresh(first.token.token, renewal);
    time.ms += 5000;
    const [, outcome] = await done(Promise.allSettled([revoked, renewed]));
    assert.ok(outcome.status === "rejected" && refusedAs("credential_invalid")(outcome.reason));
    const claims = await tokens.verify(first.token.token);
    assert.throws(() => index.callerFor(claims), refusedAs("credential_invalid"));
  });

  it("audits issue, renewal and refusal, with the token's id and never the token", async () => {
    const { boot, done, enrollment, admin, entries } = await setup("open");
    const first = await done(boot());
    assert.ok(first.kind === "issued");
    const fresh = await done(enrollment.refresh(first.token.token, renewal));
    await done(admin.change(id, { status: "disabled" }, "127.0.0.1"));
    await assert.rejects(done(boot()), refusedAs("forbidden"));
    await assert.rejects(done(enrollment.refresh(fresh.token, renewal)), refusedAs("forbidden"));
    assert.deepEqual(
      entries.map(({ actor, action, outcome }) => `${actor} ${action} ${outcome}`),
      [
        `device:${id} device.bootstrap ok`,
        `device:${id} device.refresh ok`,
        "admin device.disable ok",
        `device:${id} device.bootstrap forbidden`,
        `device:${id} device.refresh forbidden`,
      ],
    );
    assert.equal(entries[1]?.detail?.["replaced"], first.token.jti);
    const told = JSON.stringify(entries);
    assert.ok(!told.includes(first.token.token) && !told.includes(fresh.token));
  });
});
