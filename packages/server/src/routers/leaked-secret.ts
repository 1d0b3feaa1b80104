import { sameSecretly } from "./signing.ts";

/**
 * Whether a secret itself was sent where something else belongs: as it is, in other case, in quotes, after `Bearer`,
 * in hex or in base64. Whoever listened knows it now, so the handshake must not succeed even if the client is honest.
 */
export const isSecretItself = (sent: string, secrets: readonly string[]): boolean => {
  const bare = undressed(sent);
  const forms = [
    sent,
    bare,
    Buffer.from(bare, "hex").toString("utf8"),
    // Both alphabets, with padding or without.
    Buffer.from(bare, "base64").toString("utf8"),
  ].map(folded);
  let found = false;
  for (const secret of secrets.map(folded)) {
    for (const form of forms) {
      // No early end: how long it takes tells nothing.
      found = sameSecretly(form, secret) || found;
    }
  }
  return found;
};

/** Whether a text holds what our own secrets look like, whoever's it is. */
export const holdsRelaySecret = (text: string): boolean =>
  /crr_[A-Za-z0-9_-]{43}/i.test(text) ||
  /^crr_[A-Za-z0-9_-]{43}/i.test(Buffer.from(undressed(text), "base64").toString("latin1"));

const undressed = (text: string): string =>
  text
    .trim()
    .replace(/^(?:bearer|basic|token)\s+/i, "")
    .replace(/^["'\u2018-\u201f]+|["'\u2018-\u201f]+$/g, "")
    .trim();

const folded = (text: string): string => text.trim().toLowerCase();
