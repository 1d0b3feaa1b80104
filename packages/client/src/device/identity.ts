import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { parseObject } from "../failure.ts";
import type { SessionRandom } from "./ports.ts";

/** Who this device is: an id that says nothing about it, and a key that proves it. */
export type DeviceIdentity = Readonly<{
  deviceId: string;
  /** Ed25519, 32 raw bytes in base64url. */
  publicKey: string;
  /** How people compare the key: `ab12-cd34-ef56-7890`. */
  fingerprint: string;
  /** The body of a renewal of `token`. `now`: the relay's time, epoch milliseconds. */
  prove(token: string, now: number, random: SessionRandom): RefreshProof;
  /** For the secret store; holds the private key. */
  serialize(): string;
}>;

export type RefreshProof = Readonly<{ timestamp: number; nonce: string; signature: string }>;

/** DER of an Ed25519 PKCS #8 private key up to the seed itself (RFC 8410, §7). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

export const deviceIdPattern = /^[\x20-\x7e]{8,128}$/;

/** A new id, from nothing but chance. */
export const newDeviceId = (random: SessionRandom): string => {
  const bytes = Buffer.from(random.bytes(16));
  // A UUID of version 4 (RFC 9562, §5.4).
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
};

/** A device with a new key. */
export const newIdentity = (deviceId: string, random: SessionRandom): DeviceIdentity =>
  identityOf(deviceId, Buffer.from(random.bytes(32)));

/** What `serialize` gave; undefined for anything else. */
export const parseIdentity = (text: string): DeviceIdentity | undefined => {
  const { v, device_id: id, seed } = parseObject(text) ?? {};
  if (v !== 1 || typeof id !== "string" || !deviceIdPattern.test(id) || typeof seed !== "string") {
    return undefined;
  }
  const bytes = Buffer.from(seed, "base64url");
  return bytes.length === 32 ? identityOf(id, bytes) : undefined;
};

const identityOf = (deviceId: string, seed: Buffer): DeviceIdentity => {
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: "der",
    type: "pkcs8",
  });
  const raw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const digits = createHash("sha256").update(raw).digest("hex").slice(0, 16);
  return {
    deviceId,
    publicKey: raw.toString("base64url"),
    fingerprint: (digits.match(/.{4}/g) ?? []).join("-"),
    prove: (token, now, random) => prove(deviceId, key, token, now, random),
    serialize: () =>
      JSON.stringify({ v: 1, device_id: deviceId, seed: seed.toString("base64url") }),
  };
};

const prove = (
  deviceId: string,
  key: KeyObject,
  token: string,
  now: number,
  random: SessionRandom,
): RefreshProof => {
  const timestamp = Math.floor(now / 1000);
  const nonce = Buffer.from(random.bytes(16)).toString("base64url");
  const hash = createHash("sha256").update(token).digest("hex");
  const message = ["claude-relay-refresh-v1", deviceId, timestamp, nonce, hash].join("\n");
  const signature = sign(null, Buffer.from(message), key).toString("base64url");
  return { timestamp, nonce, signature };
};
