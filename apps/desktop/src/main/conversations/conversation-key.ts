import type { SecretStore, SessionRandom } from "@claude-relay/client/device";
import { type ConversationKey, keyOf } from "./sealed-conversation.ts";

/** Why there is no key that outlives the app. */
export type NoKey = "no_keychain" | "keychain_failed";

const entry = "conversations key";
const keyBytes = 32;

/**
 * The key that seals conversations: from the keychain, made there at first use. It is written nowhere else;
 * without a keychain there is none.
 */
export const conversationKey = async (
  store: SecretStore,
  random: SessionRandom,
): Promise<ConversationKey | NoKey> => {
  if (store.kind !== "keychain" && store.kind !== "passphrase") {
    return "no_keychain";
  }
  try {
    const kept = keyFrom(await store.get(entry));
    if (kept !== null) {
      return kept;
    }
    await store.set(entry, Buffer.from(random.bytes(keyBytes)).toString("base64url"));
    // Some keychains take a secret and do not keep it; and another process may have been quicker.
    return keyFrom(await store.get(entry)) ?? "keychain_failed";
  } catch {
    return "keychain_failed";
  }
};

const keyFrom = (text: string | null): ConversationKey | null => {
  const bytes = Buffer.from(text ?? "", "base64url");
  return bytes.length === keyBytes ? keyOf(bytes) : null;
};
