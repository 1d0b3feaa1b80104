import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AppKeyId, type DeviceId, epochMs } from "@claude-relay/contract";
import type { AppKeyRecord, AppKeyStore } from "../pipeline/app-key-ports.ts";
import type { DeviceRecord, DeviceStore, SupersededToken } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { AppKeyIndex } from "./app-key-index.ts";
import { appKeyHash, newAppKeySecret } from "./app-key-secret.ts";
import { DeviceIndex } from "./device-index.ts";
import { createIdentify } from "./identify.ts";
import type { WrapperClaims } from "./wrapper-token.ts";

const record: DeviceRecord = {
  id: "test-device-0001" as DeviceId,
  status: "active",
  label: null,
  appVersion: null,
  publicKey: null,
  waitingKey: null,
  userId: null,
  organizationId: null,
  models: null,
  requestsPerMinute: null,
  createdAt: epochMs(0),
  approvedAt: null,
  lastBootstrapAt: null,
  tokensValidAfter: epochMs(0),
  replayedAt: epochMs(0),
};

const noAppKeys = { loadAll: async () => [] } as Partial<AppKeyStore> as AppKeyStore;
const mintedElsewhere = (secret: string): AppKeyRecord => ({
  id: "elsewhere" as AppKeyId,
  secretHash: appKeyHash(secret),
  previousHash: null,
  previousValidUntil: null,
  createdAt: epochMs(0),
  rotatedAt: null,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  models: null,
  requestsPerMinute: null,
  requestsPerDay: null,
  concurrency: null,
  doors: null,
  userId: null,
  organizationId: null,
});
const defaults = { requestsPerMinute: 60, requestsPerDay: null };

const setup = async (
  kept: readonly SupersededToken[] = [],
  others: Pick<AppKeyStore, "loadAll"> = noAppKeys,
) => {
  const time = { ms: 1_000_000 };
  const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
  const replaced = new Map(kept.map((token) => [token.jti, token]));
  const store = {
    loadAll: async () => [record],
    pruneSuperseded: async () => 0,
    loadSuperseded: async () => [...replaced.values()],
    supersedeToken: async (token: SupersededToken) => {
      const known = replaced.get(token.jti);
      replaced.set(token.jti, known ?? token);
      return known ?? token;
    },
  } as Partial<DeviceStore> as DeviceStore;
  const devices = await DeviceIndex.load(store, clock, () => null);
  const claims: WrapperClaims = {
    deviceId: record.id,
    jti: "jti-1",
    issuedAt: epochMs(500_000),
    expiresAt: epochMs(2_000_000),
  };
  const verified: string[] = [];
  const appKeys = await AppKeyIndex.load(noAppKeys, clock, defaults, () => null);
  const keyReads = { count: 0 };
  const identify = createIdentify({
    appKeys,
    readKeys: async () => {
      keyReads.count += 1;
      await appKeys.reload(others);
    },
    devices,
    clock,
    tokens: {
      issue: () => Promise.reject(new Error("not asked for")),
      verify: async (token) => {
        verified.push(token);
        if (!token.startsWith("good")) {
          throw new Refusal("credential_invalid", "bad");
        }
        return { ...claims, jti: token };
      },
    },
  });
  return { time, devices, claims, identify, verified, keyReads };
};

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof Refusal && error.code === code;

describe("identify", () => {
  it("checks a signature once and remembers the whole token", async () => {
    const { identify, verified } = await setup();
    assert.equal(identify.known("good-1"), null);
    const caller = await identify.verify("good-1");
    assert.equal(caller.id, record.id);
    assert.equal(identify.known("good-1"), caller);
    assert.equal(identify.known("good-12"), null);
    assert.equal(identify.known("good-"), null);
    assert.deepEqual(verified, ["good-1"]);
  });

  it("looks for a key that it does not know among those others have minted, and not for a mistyped one", async () => {
    const secret = newAppKeySecret();
    const { identify, keyReads } = await setup([], {
      loadAll: async () => [mintedElsewhere(secret)],
    });
    await assert.rejects(identify.verify(secret.slice(1)), refusedAs("credential_invalid"));
    await assert.rejects(identify.verify(secret.slice(0, -1)), refusedAs("credential_invalid"));
    assert.equal(keyReads.count, 0);
    assert.equal((await identify.verify(secret)).id, "elsewhere");
    assert.equal((await identify.verify(secret)).id, "elsewhere");
    assert.equal(keyReads.count, 1);
  });

  it("remembers no bad token", async () => {
    const { identify } = await setup();
    await assert.rejects(identify.verify("bad"), refusedAs("credential_invalid"));
    assert.equal(identify.known("bad"), null);
  });

  it("forgets a token at its expiry", async () => {
    const { identify, time } = await setup();
    await identify.verify("good-1");
    time.ms = 1_999_999;
    assert.ok(identify.known("good-1"));
    time.ms = 2_000_000;
    assert.equal(identify.known("good-1"), null);
  });

  for (const [change, code] of [
    [{ status: "disabled" }, "forbidden"],
    [{ status: "pending" }, "forbidden"],
    [{ status: "revoked" }, "credential_invalid"],
    [{ tokensValidAfter: epochMs(500_001) }, "credential_invalid"],
  ] as const) {
    it(`a remembered token counts no more once its device is ${JSON.stringify(change)}`, async () => {
      const { identify, devices } = await setup();
      await identify.verify("good-1");
      devices.keep({ ...record, ...change });
      assert.equal(identify.known("good-1"), null);
      await assert.rejects(identify.verify("good-1"), refusedAs(code));
    });
  }

  it("gives the policy of the device as it is now", async () => {
    const { identify, devices } = await setup();
    await identify.verify("good-1");
    devices.keep({ ...record, models: ["a"], requestsPerMinute: 3 });
    assert.deepEqual(identify.known("good-1")?.policy, { models: ["a"], requestsPerMinute: 3 });
  });
});

describe("the device index", () => {
  it("lets a replaced token live for its grace, and a replay does not lengthen it", async () => {
    const { devices, claims, time } = await setup();
    assert.equal(await devices.supersede(claims, epochMs(1_060_000)), true);
    time.ms = 1_050_000;
    devices.callerFor(claims);
    assert.equal(await devices.supersede(claims, epochMs(1_110_000)), false);
    time.ms = 1_059_999;
    devices.callerFor(claims);
    time.ms = 1_060_000;
    assert.throws(() => devices.callerFor(claims), refusedAs("credential_expired"));
  });

  it("knows from the store what was replaced before a restart", async () => {
    const { devices, claims } = await setup([
      {
        jti: "jti-1",
        deviceId: record.id,
        deadAfter: epochMs(900_000),
        expiresAt: epochMs(2_000_000),
      },
    ]);
    assert.throws(() => devices.callerFor(claims), refusedAs("credential_expired"));
  });

  it("knows no stranger", async () => {
    const { devices, claims } = await setup();
    const stranger = { ...claims, deviceId: "someone-else" as DeviceId };
    assert.throws(() => devices.callerFor(stranger), refusedAs("credential_invalid"));
  });

  it("runs work on one device in turn, on others meanwhile, and survives a failure", async () => {
    const { devices } = await setup();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const done: string[] = [];
    const first = devices.alone(record.id, async () => {
      await gate;
      done.push("first");
      throw new Error("it broke");
    });
    const second = devices.alone(record.id, async () => done.push("second"));
    await devices.alone("someone-else" as DeviceId, async () => done.push("other"));
    open();
    await assert.rejects(first, /it broke/);
    await second;
    assert.deepEqual(done, ["other", "first", "second"]);
  });
});
