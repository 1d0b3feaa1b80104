import type { EpochMs } from "@claude-relay/contract";
import type { IssuedToken, RefreshProof } from "../pipeline/credential-ports.ts";
import type { DeviceRecord, DeviceStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import type { DeviceIndex } from "./device-index.ts";
import type { DeviceKeyRule } from "./device-key.ts";
import { demandRefreshProof, nonceMs, OffClock } from "./refresh-proof.ts";
import type { WrapperClaims, WrapperTokens } from "./wrapper-token.ts";

export type RenewalParts = Readonly<{
  tokens: WrapperTokens;
  devices: DeviceIndex;
  deviceStore: DeviceStore;
  deviceKeys: DeviceKeyRule;
  clock: Clock;
}>;

export type Renewal = Readonly<{
  claims: WrapperClaims;
  /** The token itself, which the device signed. */
  credential: string;
  proof: RefreshProof | null;
  /** Told when a token comes back after its grace, and whether the device's key signed that. */
  onReplay: (proved: boolean) => void;
}>;

/** A replaced token works this much longer: requests under way keep their credential. */
const graceMs = 60_000;

/**
 * A new token for a good one. To be run `alone` with the device.
 * @throws Refusal as authentication does, and for a proof that is missing or wrong
 */
export const renew = async (parts: RenewalParts, renewal: Renewal): Promise<IssuedToken> => {
  const { tokens, devices, clock } = parts;
  const { claims } = renewal;
  if (isReplay(parts, claims)) {
    return renewReplayed(parts, renewal);
  }
  const device = deviceOf(devices, claims);
  await demandProof(parts, device, renewal);
  await devices.supersede(claims, (clock.now() + graceMs) as EpochMs);
  return issue(tokens, device);
};

export const issue = (tokens: WrapperTokens, device: DeviceRecord): Promise<IssuedToken> =>
  tokens.issue(
    device.id,
    { models: device.models, requestsPerMinute: device.requestsPerMinute },
    device.tokensValidAfter,
  );

/** @throws Refusal when the token is not good, but for having been replaced */
const isReplay = ({ devices }: RenewalParts, claims: WrapperClaims): boolean => {
  try {
    devices.callerFor(claims);
    return false;
  } catch (error) {
    if (error instanceof Refusal && error.code === "credential_expired") {
      return true;
    }
    throw error;
  }
};

/**
 * Whoever brings a token that was replaced long ago holds a copy, or somebody else does. Which of the two
 * cannot be told, so all tokens of the device end. https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
 * Only a device that proves its key gets a new one: it may have lost the answer to its last renewal.
 */
const renewReplayed = async (parts: RenewalParts, renewal: Renewal): Promise<IssuedToken> => {
  const { tokens, devices, deviceStore, clock } = parts;
  const { claims, onReplay } = renewal;
  const device = deviceOf(devices, claims);
  const refusal = await demandProof(parts, device, renewal).then(
    () => null,
    (error: unknown) => error,
  );
  if (refusal instanceof OffClock) {
    // It is the device's key: it tries again with the right time, and must not be locked out for a wrong clock.
    throw refusal;
  }
  const changed = await deviceStore.update(claims.deviceId, { tokensValidAfter: clock.now() });
  const revoked = devices.keep(changed ?? device);
  const proved = refusal === null && device.publicKey !== null;
  onReplay(proved);
  if (!proved) {
    throw new Refusal(
      "credential_invalid",
      "This token was replaced at /refresh before and came back: every token of this device has been revoked. Get a new one at POST /bootstrap.",
    );
  }
  return issue(tokens, revoked);
};

const deviceOf = (devices: DeviceIndex, { deviceId }: WrapperClaims): DeviceRecord => {
  const device = devices.get(deviceId);
  if (device === null) {
    throw new Refusal("credential_invalid", "This device is unknown here.");
  }
  return device;
};

const demandProof = async (
  { deviceStore, deviceKeys, clock }: RenewalParts,
  { id, publicKey }: DeviceRecord,
  { credential, proof }: Renewal,
): Promise<void> => {
  if (publicKey === null) {
    if (deviceKeys === "required") {
      throw new Refusal(
        "credential_invalid",
        "This device has no key, and this relay demands one (DEVICE_KEYS=required): bring device_public_key to POST /bootstrap.",
      );
    }
    return;
  }
  const now = clock.now();
  const { nonce } = demandRefreshProof({ publicKey, deviceId: id, token: credential, proof, now });
  if (!(await deviceStore.takeNonce(id, nonce, now, (now + nonceMs) as EpochMs))) {
    throw new Refusal("credential_invalid", "This nonce was used already: sign with a new one.");
  }
};
