import { createPublicKey, type KeyObject } from "node:crypto";
import { rawDeviceKey } from "../pipeline/device-key-fingerprint.ts";
import type { DeviceRecord } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";

/** DER of an Ed25519 SubjectPublicKeyInfo up to the key itself (RFC 8410, §4). */
const ed25519Prefix = Buffer.from("302a300506032b6570032100", "hex");

/** The key that a device registered, ready to verify with; null for one that cannot be used. */
export const deviceKey = (publicKey: string): KeyObject | null => {
  const raw = rawDeviceKey(publicKey);
  if (raw === null) {
    return null;
  }
  return createPublicKey({
    key: Buffer.concat([ed25519Prefix, raw]),
    format: "der",
    type: "spki",
  });
};

/** @throws Refusal `invalid_request` for a key that nothing could ever be verified with */
export const demandDeviceKey = (publicKey: string | null): void => {
  if (publicKey !== null && (deviceKey(publicKey) === null || isOfSmallOrder(publicKey))) {
    throw new Refusal(
      "invalid_request",
      "device_public_key must be an Ed25519 public key: its 32 raw bytes in base64url, 43 characters without padding.",
    );
  }
};

/** DEVICE_KEYS: whether a device may do without a key. */
export type DeviceKeyRule = "optional" | "required";

/** @throws Refusal when the rule wants a key and the device neither brings nor has one */
export const demandKeyWhere = (
  rule: DeviceKeyRule,
  publicKey: string | null,
  known: DeviceRecord | null,
): void => {
  const had = known?.publicKey ?? null;
  if (rule === "required" && publicKey === null && (had === null || deviceKey(had) === null)) {
    throw new Refusal(
      "forbidden",
      "device_public_key is required: this relay gives tokens only to devices with a key (DEVICE_KEYS=required). Use a client that makes one, such as claude-relay connect.",
    );
  }
};

/**
 * The points of small order, the sign bit left out, in every spelling (https://eprint.iacr.org/2020/1244, table 6).
 * Under such a "key" signatures can be made without any secret.
 */
const smallOrder: ReadonlySet<string> = new Set([
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

const isOfSmallOrder = (publicKey: string): boolean => {
  const bytes = Buffer.from(publicKey, "base64url");
  bytes.writeUInt8(bytes.readUInt8(31) & 0x7f, 31);
  return smallOrder.has(bytes.toString("hex"));
};
