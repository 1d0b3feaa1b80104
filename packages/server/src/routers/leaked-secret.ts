import { sameSecretly } from "./signing.ts";

/**
 * Whether a secret itself was sent where its signature belongs, as it is, in other case, or in hex. Whoever
 * listened knows it now, so the handshake must not succeed even if the client is honest.
 */
export const isSecretItself = (signature: string, secrets: readonly string[]): boolean => {
  const sent = [signature, Buffer.from(signature, "hex").toString("utf8")].map(folded);
  let found = false;
  for (const secret of secrets.map(folded)) {
    for (const form of sent) {
      // No early end: how long it takes tells nothing.
      found = sameSecretly(form, secret) || found;
    }
  }
  return found;
};

const folded = (text: string): string => text.trim().toLowerCase();
