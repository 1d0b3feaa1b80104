import assert from "node:assert/strict";
import { test } from "node:test";
import { type DeviceId, epochMs, type UserId } from "@claude-relay/contract";
import type { DeviceChanges, DeviceRecord, DeviceStore } from "../pipeline/ports.ts";
import type { DeviceCaller } from "../pipeline/types.ts";
import { DeviceIndex } from "./device-index.ts";
import { createSignInDevices, demandPersons } from "./sign-in-devices.ts";
import { emptyOwners } from "./testing/owners.ts";
import { createWrapperTokens } from "./wrapper-token.ts";

const caller = (id: string, userId: string | null): DeviceCaller => ({
  kind: "device",
  id: id as DeviceId,
  userId: userId as UserId | null,
  organizationId: null,
  policy: { models: null, requestsPerMinute: null },
});

/** Everybody's credential is good; only ann is a user. */
const identifying = (found: DeviceCaller) =>
  demandPersons({ known: () => found, verify: async () => found }, (id) => id === "ann");

test("a sign-in counts as long as its person is a user", async () => {
  const ann = caller("signin-1", "ann");
  assert.equal(identifying(ann).known("token"), ann);
  assert.equal(await identifying(ann).verify("token"), ann);
});

test("a sign-in whose person is gone is nobody, whatever its own row says", async () => {
  for (const gone of [caller("signin-1", "bob"), caller("signin-1", null)]) {
    assert.equal(identifying(gone).known("token"), null);
    await assert.rejects(identifying(gone).verify("token"), { code: "credential_invalid" });
  }
});

test("any other device needs no person", async () => {
  const laptop = caller("laptop-0001", null);
  assert.equal(identifying(laptop).known("token"), laptop);
  assert.equal(await identifying(laptop).verify("token"), laptop);
});

const ann = "ann" as UserId;
const clock = { now: () => epochMs(1000), monotonicMs: () => 1000 };

const setUp = async () => {
  const rows = new Map<string, DeviceRecord>();
  const store = {
    loadAll: async () => [...rows.values()],
    loadSuperseded: async () => [],
    pruneSuperseded: async () => 0,
    upsert: async (device: DeviceRecord) => {
      // Databases take their time.
      await new Promise(setImmediate);
      rows.set(device.id, device);
      return device;
    },
    update: async (id: DeviceId, changes: DeviceChanges) => {
      const changed = { ...rows.get(id), ...changes } as DeviceRecord;
      rows.set(id, changed);
      return changed;
    },
  } as Partial<DeviceStore> as DeviceStore;
  const owners = await emptyOwners();
  owners.users.keep({ id: ann, name: null, organizationId: null, createdAt: epochMs(0) });
  const index = await DeviceIndex.load(store, clock, () => null);
  const secret = "the-jwt-secret-of-these-tests-32";
  const tokens = createWrapperTokens({ secret, previousSecret: null, lifetimeHours: 1, clock });
  return { rows, owners, devices: createSignInDevices({ store, index, owners, tokens, clock }) };
};

const mine = { id: "signin-1" as DeviceId, userId: ann, appVersion: null };

test("no device is made for a person who went before", async () => {
  const { rows, owners, devices } = await setUp();
  assert.equal(await devices.enroll(mine), true);
  owners.users.forget(ann);
  assert.equal(await devices.enroll({ ...mine, id: "signin-2" as DeviceId }), false);
  assert.deepEqual([...rows.keys()], ["signin-1"]);
});

test("a person who goes while a device is made takes it along", async () => {
  const { rows, owners, devices } = await setUp();
  const enrolled = devices.enroll(mine);
  const gone = owners.alone(async () => owners.users.forget(ann)).then(() => devices.forget(ann));
  assert.equal(await enrolled, true);
  await gone;
  const { status, userId } = rows.get("signin-1") ?? {};
  assert.deepEqual([status, userId], ["revoked", null]);
});

test("a device that another process made for somebody who went is not renewed by who has the id next", async () => {
  const { owners, devices } = await setUp();
  await devices.enroll(mine);
  assert.notEqual(await devices.issue(mine.id, epochMs(1000)), null);
  const next = { id: ann, name: null, organizationId: null, createdAt: epochMs(1001) };
  owners.users.keep(next);
  assert.equal(await devices.issue(mine.id, epochMs(1000)), null);
  const own = "signin-2" as DeviceId;
  assert.equal(await devices.enroll({ ...mine, id: own }), true, "by a clock that is behind");
  assert.notEqual(await devices.issue(own, epochMs(1000)), null);
});
