import type { EpochMs } from "@claude-relay/contract";
import type { IssuedToken, RefreshProof } from "../pipeline/credential-ports.ts";
import type { DeviceRecord, DeviceStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import type { DemandAppVersion } from "./app-version.ts";
import type { BootstrapPolicies } from "./bootstrap-policy.ts";
import type { DeviceIndex } from "./device-index.ts";
import type { DeviceKeyRule } from "./device-key.ts";
import { demandReturn, demandSigned } from "./expired-renewal.ts";
import { demandRefreshProof, nonceMs } from "./refresh-proof.ts";
import { demandOwnReplay, type ReplayOutcome } from "./replay.ts";
import type { WrapperClaims, WrapperTokens } from "./wrapper-token.ts";

export type RenewalParts = BootstrapPolicies &
  Readonly<{
    tokens: WrapperTokens;
    devices: DeviceIndex;
    deviceStore: DeviceStore;
    deviceKeys: DeviceKeyRule;
    demandAppVersion: DemandAppVersion;
    clock: Clock;
  }>;

export type Renewal = Readonly<{
  claims: WrapperClaims;
  /** The token itself, which the device signed. */
  credential: string;
  proof: RefreshProof | null;
  /** As it stands on the device from now on, when the token is renewed; null when it said none. */
  appVersion: string | null;
  /** Told when a token comes back after its grace, what came of that, and whether the device's key signed it. */
  onReplay: (outcome: ReplayOutcome, proved: boolean) => void;
}>;

/** A replaced token works this much longer: requests under way keep their credential. */
const graceMs = 60_000;

/**
 * A new token for a good one, or for one that has expired when the device's key signs. To be run `alone` with
 * the device.
 * @throws Refusal as authentication does, for a proof that is missing or wrong, and for an old app
 */
export const renew = async (parts: RenewalParts, renewal: Renewal): Promise<IssuedToken> => {
  const { tokens, devices, clock } = parts;
  const { claims, onReplay } = renewal;
  const isExpired = claims.expiresAt <= clock.now();
  let prove = (): Promise<void> => demandProof(parts, deviceOf(devices, claims), renewal);
  if (isExpired) {
    demandSigned(devices, renewal);
    // Before all else: whoever has an expired token and no key learns nothing by it, and ends nothing.
    await prove();
    prove = async () => undefined;
  }
  const isReplay = wasReplaced(devices, claims);
  parts.demandAppVersion(renewal.appVersion);
  const device = deviceOf(devices, claims);
  if (isExpired) {
    demandReturn(parts, device, claims);
  }
  if (isReplay) {
    await demandOwnReplay(parts, { claims, device, demandProof: prove, onReplay });
  } else {
    await prove();
  }
  const current = await keepVersion(parts, device, renewal.appVersion);
  await devices.supersede(claims, (clock.now() + graceMs) as EpochMs);
  return issue(tokens, current);
};

export const issue = (tokens: WrapperTokens, device: DeviceRecord): Promise<IssuedToken> =>
  tokens.issue(
    device.id,
    { models: device.models, requestsPerMinute: device.requestsPerMinute },
    Math.max(device.tokensValidAfter, device.replayedAt) as EpochMs,
  );

/** @throws Refusal when the token is not good, but for having been replaced */
const wasReplaced = (devices: DeviceIndex, claims: WrapperClaims): boolean => {
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

const keepVersion = async (
  { devices, deviceStore }: RenewalParts,
  device: DeviceRecord,
  appVersion: string | null,
): Promise<DeviceRecord> => {
  if (appVersion === null || appVersion === device.appVersion) {
    return device;
  }
  return devices.keep((await deviceStore.update(device.id, { appVersion })) ?? device);
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
