import type { DeviceRecord, DeviceStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { type DeviceIndex, hasEnded } from "./device-index.ts";
import { OffClock } from "./refresh-proof.ts";
import type { WrapperClaims } from "./wrapper-token.ts";

/**
 * `renewed`: the device itself, which had not heard of its new token. `revoked`: every token of the device ended
 * for it. `refused`: they had ended for it, or for another copy, before.
 */
export type ReplayOutcome = "renewed" | "revoked" | "refused";

type Parts = Readonly<{ devices: DeviceIndex; deviceStore: DeviceStore; clock: Clock }>;

type Replay = Readonly<{
  claims: WrapperClaims;
  device: DeviceRecord;
  /** @throws Refusal when the device's key did not sign this, now and once */
  demandProof: () => Promise<void>;
  onReplay: (outcome: ReplayOutcome, proved: boolean) => void;
}>;

/**
 * Judges a token that was replaced before its grace ran out long ago, and is brought to `/refresh` again.
 *
 * The device's key under its last token is the device: it was killed, or its network failed, before it had stored
 * the answer. Whoever else brings one holds a copy, so every token of the device ends
 * (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2): for good where the device has no key. With a key it
 * brings the newest of them and signs; what was copied cannot do that, and ends nothing a second time.
 * @throws Refusal unless it is the device
 */
export const demandOwnReplay = async (parts: Parts, replay: Replay): Promise<void> => {
  const { claims, device, onReplay } = replay;
  const hasKey = device.publicKey !== null;
  const proved = (await isProved(replay)) && hasKey;
  if (proved && parts.devices.isLastReplaced(claims)) {
    onReplay("renewed", proved);
    return;
  }
  if (hasEnded(claims, device)) {
    onReplay("refused", proved);
  } else {
    const now = parts.clock.now();
    const change = hasKey ? { replayedAt: now } : { tokensValidAfter: now };
    parts.devices.keep((await parts.deviceStore.update(device.id, change)) ?? device);
    onReplay("revoked", proved);
  }
  throw new Refusal("credential_invalid", hasKey ? endedForKey : endedForGood);
};

const ended =
  "This token was replaced at /refresh before and came back: every token of this device has been revoked.";
const endedForGood = `${ended} Get a new one at POST /bootstrap.`;
const endedForKey = `${ended} The device brings its newest one to /refresh, and signs; anyone else gets one at POST /bootstrap.`;

/** A wrong clock is the device's own: it tries again with the right time, and must lose nothing for it. */
const isProved = async ({ demandProof }: Replay): Promise<boolean> => {
  try {
    await demandProof();
    return true;
  } catch (error) {
    const isUnproved =
      error instanceof Refusal &&
      error.code === "credential_invalid" &&
      !(error instanceof OffClock);
    if (isUnproved) {
      return false;
    }
    // Also a store that fails: nobody has been found out by that.
    throw error;
  }
};
