import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

/** 32 bytes that the keychain keeps, and a name for them that tells nothing of them. */
export type ConversationKey = Readonly<{ bytes: Uint8Array; id: Uint8Array }>;

/**
 * What became of opening a file. `other_key`: sealed by this app, with a key that is not this one. `damaged`:
 * cut, changed, moved from another conversation, or never ours.
 */
export type Opened =
  | { readonly kind: "open"; readonly plain: Buffer }
  | { readonly kind: "other_key" }
  | { readonly kind: "damaged" };

const version = 1;
const keyIdBytes = 8;
export const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + keyIdBytes + nonceBytes;
const algorithm = "aes-256-gcm";

export const keyOf = (bytes: Uint8Array): ConversationKey => ({
  bytes,
  id: createHmac("sha256", bytes)
    .update("claude-relay conversations")
    .digest()
    .subarray(0, keyIdBytes),
});

/**
 * Locks what belongs to one conversation: AES-256-GCM (NIST SP 800-38D), bound to the format's version, the
 * key and the conversation's id. Laid out as version (1 byte), key id (8), nonce (12), ciphertext, tag (16).
 * @param nonce 12 random bytes, never used before
 */
export const seal = (
  plain: Uint8Array,
  conversationId: string,
  key: ConversationKey,
  nonce: Uint8Array,
): Buffer => {
  const cipher = createCipheriv(algorithm, key.bytes, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(conversationId, key.id));
  const body = [cipher.update(plain), cipher.final()];
  return Buffer.concat([Buffer.of(version), key.id, nonce, ...body, cipher.getAuthTag()]);
};

/** Opens what `seal` gave for the same conversation and key; never throws. */
export const open = (sealed: Buffer, conversationId: string, key: ConversationKey): Opened => {
  if (sealed.length < headBytes + tagBytes || sealed[0] !== version) {
    return { kind: "damaged" };
  }
  const keyId = sealed.subarray(1, 1 + keyIdBytes);
  if (!keyId.equals(key.id)) {
    return { kind: "other_key" };
  }
  const nonce = sealed.subarray(1 + keyIdBytes, headBytes);
  const decipher = createDecipheriv(algorithm, key.bytes, nonce, { authTagLength: tagBytes });
  decipher.setAAD(boundTo(conversationId, key.id));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  try {
    const start = decipher.update(sealed.subarray(headBytes, sealed.length - tagBytes));
    return { kind: "open", plain: Buffer.concat([start, decipher.final()]) };
  } catch {
    return { kind: "damaged" };
  }
};

const boundTo = (conversationId: string, keyId: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`claude-relay conversation ${version} ${conversationId} `), keyId]);
