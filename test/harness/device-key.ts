/** A device's key, and its signature under a renewal, made as a client in any language would. */
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export type DeviceKey = Readonly<{
  /** base64url, as `/bootstrap` wants it. */
  publicKey: string;
  /** As people compare it. */
  fingerprint: string;
  /** The body of `/refresh`. `changes` go in before signing. */
  proof(deviceId: string, token: string, nowMs: number, changes?: Partial<Proof>): Proof;
}>;

export type Proof = Readonly<{ timestamp: number; nonce: string; signature: string }>;

export const makeDeviceKey = (): DeviceKey => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x } = publicKey.export({ format: "jwk" });
  const raw = Buffer.from(x ?? "", "base64url");
  const digits = createHash("sha256").update(raw).digest("hex");
  return {
    publicKey: raw.toString("base64url"),
    fingerprint: [0, 4, 8, 12].map((at) => digits.slice(at, at + 4)).join("-"),
    proof: (deviceId, token, nowMs, changes = {}) => {
      const timestamp = changes.timestamp ?? Math.floor(nowMs / 1000);
      const nonce = changes.nonce ?? randomBytes(16).toString("base64url");
      const hash = createHash("sha256").update(token).digest("hex");
      const message = `claude-relay-refresh-v1\n${deviceId}\n${timestamp}\n${nonce}\n${hash}`;
      const signature = sign(null, Buffer.from(message), privateKey).toString("base64url");
      return { timestamp, nonce, signature: changes.signature ?? signature };
    },
  };
};
