import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeviceId, epochMs } from "@claude-relay/contract";
import type { DeviceChanges, DeviceRecord, DeviceStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { DeviceIndex } from "./device-index.ts";
import { OffClock } from "./refresh-proof.ts";
import { demandOwnReplay } from "./replay.ts";

const id = "test-device-0001" as DeviceId;
const now = epochMs(1_790_000_000_250);
const claims = { deviceId: id, jti: "a", issuedAt: epochMs(1_789_999_000_000), expiresAt: now };

/** What comes of a replay by a device with a key, whose proof ends so. */
const judge = async (demandProof: () => Promise<void>) => {
  const updates: DeviceChanges[] = [];
  const device = { id, status: "active", publicKey: "k", replayedAt: 0 } as Partial<DeviceRecord>;
  const deviceStore = {
    loadAll: async () => [device],
    loadSuperseded: async () => [],
    pruneSuperseded: async () => 0,
    update: async (_id: DeviceId, changes: DeviceChanges) => {
      updates.push(changes);
      return { ...device, ...changes };
    },
  } as Partial<DeviceStore> as DeviceStore;
  const clock = { now: () => now, monotonicMs: () => 0 };
  const devices = await DeviceIndex.load(deviceStore, clock, () => null);
  const told: unknown[] = [];
  const outcome = await demandOwnReplay(
    { devices, deviceStore, clock },
    {
      claims,
      device: device as DeviceRecord,
      demandProof,
      onReplay: (...what) => void told.push(what),
    },
  ).then(
    () => "renewed",
    (error: unknown) => error,
  );
  return { outcome, updates, told };
};

const throws = (error: Error) => async (): Promise<void> => {
  throw error;
};

describe("a replaced token that comes back", () => {
  it("with no good proof ends the device's tokens", async () => {
    const unproved = throws(
      new Refusal("credential_invalid", "The signature is not the device's."),
    );
    const { outcome, updates, told } = await judge(unproved);
    assert.ok(outcome instanceof Refusal && outcome.code === "credential_invalid");
    assert.deepEqual(updates, [{ replayedAt: now }]);
    assert.deepEqual(told, [["revoked", false]]);
  });

  for (const [what, error] of [
    ["the store cannot be asked for its nonce", new Refusal("storage_unavailable", "Later.")],
    ["the device's clock is wrong", new OffClock(now)],
    ["something breaks", new Error("a bug")],
  ] as const) {
    it(`ends nothing when ${what}`, async () => {
      const { outcome, updates, told } = await judge(throws(error));
      assert.equal(outcome, error);
      assert.deepEqual([updates, told], [[], []]);
    });
  }

  it("by the device's key ends nothing, and is told", async () => {
    const { outcome, updates, told } = await judge(async () => undefined);
    assert.deepEqual([outcome, updates, told], ["renewed", [], [["renewed", true]]]);
  });
});
