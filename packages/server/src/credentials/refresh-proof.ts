import { createHash, verify } from "node:crypto";
import type { DeviceId, EpochMs } from "@claude-relay/contract";
import type { RefreshProof } from "../pipeline/credential-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { deviceKey } from "./device-key.ts";

/** How far a device's clock may be from ours, in milliseconds. */
const clockSkewMs = 300_000;

/** A nonce is remembered this long: longer than any timestamp beside it can be good. */
export const nonceMs = 600_000;

type Signed = Readonly<{
  publicKey: string;
  deviceId: DeviceId;
  /** As presented, without a prefix. */
  token: string;
  proof: RefreshProof | null;
  now: EpochMs;
}>;

/** What a device signs to renew a token. https://www.rfc-editor.org/rfc/rfc8032 (Ed25519, over these bytes). */
export const refreshMessage = (
  deviceId: string,
  { timestamp, nonce }: Pick<RefreshProof, "timestamp" | "nonce">,
  token: string,
): string =>
  [
    "claude-relay-refresh-v1",
    deviceId,
    timestamp,
    nonce,
    createHash("sha256").update(token).digest("hex"),
  ].join("\n");

/** The device's own signature, at a time that is not now: its clock is wrong, or somebody kept what it sent. */
export class OffClock extends Refusal {
  constructor(now: EpochMs) {
    super(
      "credential_invalid",
      `The timestamp is too far off: it is ${new Date(now).toISOString()} here (${Math.floor(now / 1000)}). Set the device's clock, or sign with this time.`,
    );
  }
}

/**
 * Demands that the device's own key signed this renewal, just now. The nonce is the caller's to check.
 * @throws Refusal `credential_invalid`, with the remedy; OffClock
 */
export const demandRefreshProof = ({
  publicKey,
  deviceId,
  token,
  proof,
  now,
}: Signed): RefreshProof => {
  const key = deviceKey(publicKey);
  if (key === null) {
    throw new Refusal(
      "credential_invalid",
      "The key that this device registered cannot be used: register an Ed25519 key at POST /bootstrap.",
    );
  }
  if (proof === null) {
    throw new Refusal(
      "credential_invalid",
      "This device registered a key: POST /refresh must bring timestamp, nonce and signature.",
    );
  }
  const message = Buffer.from(refreshMessage(deviceId, proof, token));
  const signature = Buffer.from(proof.signature, "base64url");
  if (
    signature.toString("base64url") !== proof.signature ||
    !verify(null, message, key, signature)
  ) {
    throw new Refusal(
      "credential_invalid",
      "The signature is not the device's: sign with the key that was registered, or get a new token at POST /bootstrap.",
    );
  }
  // After the signature: a stranger is not told how to become one.
  if (Math.abs(proof.timestamp * 1000 - now) > clockSkewMs) {
    throw new OffClock(now);
  }
  return proof;
};
