import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type DeviceId, epochMs, type UserId } from "@claude-relay/contract";
import type {
  DeviceGrant,
  ManagedSettings,
  RefreshTokenRecord,
} from "../pipeline/sign-in-ports.ts";
import { createStore } from "./store.ts";
import { onEachDatabase, type Place } from "./testing/databases.ts";
import { noon } from "./testing/samples.ts";

const ann = "ann" as UserId;
const device = "signin-1" as DeviceId;

const grant = (name: string, changes: Partial<DeviceGrant> = {}): DeviceGrant => ({
  deviceCodeHash: `device ${name}`,
  userCodeHash: `user ${name}`,
  status: "pending",
  userId: null,
  deviceId: null,
  clientIp: "192.0.2.1",
  userAgent: "claude-code/2",
  createdAt: noon,
  expiresAt: epochMs(noon + 1000),
  lastPolledAt: null,
  intervalSeconds: 5,
  linkId: null,
  ...changes,
});

const token = (hash: string, changes: Partial<RefreshTokenRecord> = {}): RefreshTokenRecord => ({
  hash,
  deviceId: device,
  createdAt: noon,
  expiresAt: epochMs(noon + 1000),
  usedAt: null,
  successorHash: null,
  ...changes,
});

const open = async (context: TestContext, place: Place) => {
  const store = await createStore(place);
  context.after(() => store.close());
  return store;
};

onEachDatabase(({ newPlace }) => {
  test("an approval is given once and used once, however many try", async (context) => {
    const { deviceGrants: grants } = await open(context, await newPlace(context));
    assert.equal(await grants.insert(grant("a"), 10), true);
    assert.deepEqual(await grants.waiting("user a", noon), grant("a"));
    const approved = { kind: "approved", userId: ann, linkId: "link" } as const;
    const decisions = [approved, { kind: "denied" } as const, approved];
    const given = await Promise.all(decisions.map((one) => grants.decide("user a", one, noon)));
    assert.deepEqual(given, [true, false, false]);
    assert.equal(await grants.waiting("user a", noon), null);
    const used = await Promise.all([1, 2, 3].map(() => grants.consume("device a", device)));
    assert.deepEqual(used.filter(Boolean), [true]);
    const last = await grants.get("device a");
    assert.deepEqual([last?.status, last?.userId, last?.deviceId], ["consumed", ann, device]);
    assert.equal(last?.linkId, "link");
  });

  test("what was denied, is unknown or waits still gives nothing", async (context) => {
    const { deviceGrants: grants } = await open(context, await newPlace(context));
    await grants.insert(grant("a"), 10);
    assert.equal(await grants.consume("device a", device), false);
    await grants.decide("user a", { kind: "denied" }, noon);
    assert.equal(await grants.consume("device a", device), false);
    assert.equal(await grants.consume("device b", device), false);
    assert.equal(await grants.get("device b"), null);
  });

  test("expired ones wait for nobody, and make room", async (context) => {
    const { deviceGrants: grants } = await open(context, await newPlace(context));
    await grants.insert(grant("a"), 1);
    assert.equal(await grants.insert(grant("b"), 1), false);
    const later = epochMs(noon + 1000);
    assert.equal(await grants.waiting("user a", later), null);
    assert.equal(await grants.decide("user a", { kind: "denied" }, later), false);
    assert.equal(await grants.insert(grant("b", { createdAt: later }), 1), true);
    assert.equal(await grants.get("device a"), null);
    assert.equal(await grants.insert(grant("b", { createdAt: noon }), 10), false, "a taken code");
  });

  test("of polls that know the same, one is the next; who is too early is slowed down", async (context) => {
    const { deviceGrants: grants } = await open(context, await newPlace(context));
    await grants.insert(grant("a"), 10);
    for (const at of [epochMs(noon + 5), epochMs(noon + 9)]) {
      const known = (await grants.get("device a")) ?? grant("none");
      const taken = await Promise.all([1, 2, 3].map(() => grants.poll(known, at)));
      assert.deepEqual(taken.filter(Boolean), [true]);
      assert.equal((await grants.get("device a"))?.lastPolledAt, at);
    }
    await grants.slowDown("device a", epochMs(noon + 10), 10);
    const kept = await grants.get("device a");
    assert.deepEqual([kept?.lastPolledAt, kept?.intervalSeconds], [noon + 10, 10]);
  });

  test("an account is one user, and a user one account of a provider, whoever comes second", async (context) => {
    const { signInLinks: links, users } = await open(context, await newPlace(context));
    const link = { id: "1", issuer: "https://a", subject: "s", userId: ann, linkedAt: noon };
    assert.equal(await links.insert(link), true);
    assert.equal(await links.insert({ ...link, id: "2", userId: "bob" as UserId }), false);
    assert.equal(await links.insert({ ...link, id: "3", subject: "t" }), false);
    const elsewhere = { ...link, id: "4", issuer: "https://b", linkedAt: epochMs(noon + 1) };
    assert.equal(await links.insert(elsewhere), true);
    assert.deepEqual(await links.get("1"), link);
    assert.deepEqual(await links.ofAccount("https://a", "s"), link);
    assert.equal(await links.ofAccount("https://a", "t"), null);
    assert.deepEqual(await links.ofUser(ann), [link, elsewhere]);
    assert.equal(await links.removeOf(ann), 2);
    assert.equal(await links.removeOf(ann), 0);
    await users.insert({ id: ann, name: null, organizationId: null, createdAt: noon });
    await links.insert(link);
    await users.remove(ann, noon);
    assert.equal(await links.get("1"), null, "it goes with the user");
  });

  test("a refresh token is exchanged once: both rows or neither", async (context) => {
    const place = await newPlace(context);
    const first = await createStore(place);
    await first.refreshTokens.insert(token("a"));
    const next = token("b", { createdAt: epochMs(noon + 1), expiresAt: epochMs(noon + 9000) });
    const rotations = ["b", "c"].map((hash) => first.refreshTokens.rotate("a", { ...next, hash }));
    assert.deepEqual(await Promise.all(rotations), [true, false]);
    assert.equal(await first.refreshTokens.get("c"), null);
    await first.close();
    const { refreshTokens } = await open(context, place);
    const used = { usedAt: epochMs(noon + 1), successorHash: "b" };
    assert.deepEqual(await refreshTokens.get("a"), token("a", used));
    assert.deepEqual(await refreshTokens.get("b"), next);
    await refreshTokens.prune(epochMs(noon + 1000));
    assert.equal(await refreshTokens.get("a"), null);
    assert.deepEqual(await refreshTokens.get("b"), next);
  });

  test("a user takes password and managed settings with them; their sign-ins hold nobody back", async (context) => {
    const store = await open(context, await newPlace(context));
    await store.users.insert({ id: ann, name: null, organizationId: null, createdAt: noon });
    await store.passwords.put({ userId: ann, hash: "one", changedAt: noon });
    await store.passwords.put({ userId: ann, hash: "two", changedAt: epochMs(noon + 1) });
    assert.equal((await store.passwords.get(ann))?.hash, "two");
    const settings: ManagedSettings = {
      scope: { kind: "user", id: ann },
      uuid: "u",
      checksum: "c",
      settings: { a: [1, { b: null }] },
      updatedAt: noon,
    };
    assert.deepEqual(await store.managedSettings.put(settings), settings);
    const changed = await store.managedSettings.put({ ...settings, uuid: "v", checksum: "d" });
    assert.deepEqual([changed.uuid, changed.checksum], ["u", "d"]);
    const owned = { userId: ann, organizationId: null, models: null, requestsPerMinute: null };
    await store.devices.insert({
      ...owned,
      ...{ id: device, status: "active", label: null, appVersion: null, publicKey: null },
      ...{ waitingKey: null, createdAt: noon, approvedAt: null, lastBootstrapAt: null },
      tokensValidAfter: noon,
      replayedAt: noon,
    });
    assert.deepEqual(await store.users.remove(ann, noon), { kind: "removed" });
    assert.equal(await store.passwords.get(ann), null);
    assert.equal(await store.passwords.remove(ann), false);
    assert.deepEqual(await store.managedSettings.list(), []);
    assert.equal(await store.managedSettings.first([settings.scope]), null);
    assert.equal(await store.managedSettings.remove(settings.scope), false);
  });
});
