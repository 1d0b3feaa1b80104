import { createHash } from "node:crypto";

/**
 * How people compare a device's key on two screens: the first 16 hexadecimal digits of the SHA-256 over the
 * raw key, in groups of 4. Null for a key that is not base64url of 32 bytes: such a key cannot be used.
 */
export const deviceKeyFingerprint = (publicKey: string | null): string | null => {
  const raw = publicKey === null ? null : rawDeviceKey(publicKey);
  if (raw === null) {
    return null;
  }
  const digits = createHash("sha256").update(raw).digest("hex").slice(0, 16);
  return digits.match(/.{4}/g)?.join("-") ?? null;
};

/** The 32 raw bytes of a device's public key; null for anything but their one spelling in base64url. */
export const rawDeviceKey = (publicKey: string): Buffer | null => {
  const raw = Buffer.from(publicKey, "base64url");
  // Decoding skips what it does not know, so only what reads back the same was the key.
  return raw.length === 32 && raw.toString("base64url") === publicKey ? raw : null;
};
