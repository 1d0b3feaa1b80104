/**
 * The renewal of a token that has expired: a device with a key was off for some days. The token alone is worth
 * nothing any more; beside the device's signature it says how the device was let in.
 */
import type { RefreshProof } from "../pipeline/credential-ports.ts";
import type { DeviceRecord } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { type BootstrapPolicies, policyFor } from "./bootstrap-policy.ts";
import type { DeviceIndex } from "./device-index.ts";
import { expired, type WrapperClaims } from "./wrapper-token.ts";

type Renewal = Readonly<{ claims: WrapperClaims; proof: RefreshProof | null }>;

/** @throws Refusal `credential_expired`, as for any expired token, when nothing is signed or no key could have done it */
export const demandSigned = (devices: DeviceIndex, { claims, proof }: Renewal): void => {
  if (proof === null || (devices.get(claims.deviceId)?.publicKey ?? null) === null) {
    throw expired();
  }
};

type Parts = BootstrapPolicies & Readonly<{ devices: DeviceIndex }>;

/**
 * Demands of a device whose key has signed that it may come back without being let in anew. With a live token
 * nobody asks: to be off for a while must not be a way around an approval that is wanted by now.
 * @throws Refusal `credential_expired`, upon which devices go to `/bootstrap`
 */
export const demandReturn = (parts: Parts, device: DeviceRecord, claims: WrapperClaims): void => {
  if (device.approvedAt === null && policyFor(parts, device) === "approve") {
    throw new Refusal(
      "credential_expired",
      "Token expired, and this device must be approved before it gets another. Ask for that at POST /bootstrap.",
    );
  }
  if (parts.devices.isOvertaken(claims)) {
    throw new Refusal(
      "credential_expired",
      "Token expired, and this device has renewed another since: bring its newest one, or get one at POST /bootstrap.",
    );
  }
};
