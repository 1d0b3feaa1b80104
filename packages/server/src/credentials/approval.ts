import type { EpochMs } from "@claude-relay/contract";
import type { BootstrapRequest } from "../pipeline/credential-ports.ts";
import type { DeviceRecord } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";

/** `row`: the device as it is from now on; the one given when nothing changes. */
type Step = Readonly<{ row: DeviceRecord; waiting: "new" | "still" | null }>;

/**
 * What a known device that asks where an admin approves comes to.
 * An approval is spent by the first token: afterwards the name alone buys nothing. A device that asks
 * again waits for an admin again, while the tokens it has keep working: a stranger who knows its name
 * must not be able to lock it out. And it is good for the key it was given to, and no other.
 * @throws Refusal `forbidden` when the device has a key and does not bring one
 */
export const approvalStep = (
  { publicKey }: Pick<BootstrapRequest, "publicKey">,
  known: DeviceRecord,
  now: EpochMs,
): Step => {
  if (publicKey === null && approvedKey(known) !== null) {
    throw new Refusal(
      "forbidden",
      "This device registered a key: bring its device_public_key along, or use another device_id.",
    );
  }
  const keys = keysWhileWaiting(publicKey, known);
  const sameKey = approvedKey({ ...known, ...keys }) === approvedKey(known);
  if (known.approvedAt === null) {
    return { row: sameKey ? known : { ...known, ...keys }, waiting: "still" };
  }
  if (isSpent(known) || !sameKey) {
    return { row: { ...known, ...keys, approvedAt: null }, waiting: "new" };
  }
  return {
    row: {
      ...known,
      publicKey: approvedKey(known),
      waitingKey: null,
      // After the approval even by the same clock reading: it is spent now.
      lastBootstrapAt: Math.max(now, known.approvedAt + 1) as EpochMs,
    },
    waiting: null,
  };
};

/** The key that an approval, now, would be given to. */
export const approvedKey = ({
  publicKey,
  waitingKey,
}: Pick<DeviceRecord, "publicKey" | "waitingKey">): string | null => waitingKey ?? publicKey;

/**
 * The keys of a device that waits. One that never was in may change its key at any time; one that was in keeps
 * the key its tokens are renewed with until the other is approved.
 */
export const keysWhileWaiting = (
  presented: string | null,
  known: DeviceRecord | null,
): Pick<DeviceRecord, "publicKey" | "waitingKey"> => {
  if (known === null || known.status === "pending") {
    return { publicKey: presented ?? known?.publicKey ?? null, waitingKey: null };
  }
  const { publicKey, waitingKey } = known;
  const waits = presented ?? waitingKey;
  return { publicKey, waitingKey: waits === publicKey ? null : waits };
};

const isSpent = (device: DeviceRecord): boolean =>
  device.lastBootstrapAt !== null &&
  device.approvedAt !== null &&
  device.lastBootstrapAt > device.approvedAt;
