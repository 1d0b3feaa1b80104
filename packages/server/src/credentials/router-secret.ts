import { createHmac, hkdfSync } from "node:crypto";
import type { RouterId } from "@claude-relay/contract";

/** Marks routers' secrets for secret scanners: /\bcrr_[A-Za-z0-9_-]{43}\b/. */
const prefix = "crr_";

/** Whose secret, and which: each rotation makes the next generation. */
type Which = Readonly<{ id: RouterId; generation: number }>;

export interface RouterSecrets {
  /** The secret to hand out: `crr_` and 43 base64url characters, 256 bits. */
  newest(which: Which): string;
  /** Every secret that is good for it: `newest`, and with JWT_SECRET_PREVIOUS what that one made. */
  all(which: Which): readonly string[];
}

/**
 * Routers' secrets, derived rather than kept: HMAC-SHA256 over id and generation, under a key that HKDF-SHA256
 * (RFC 5869) makes of JWT_SECRET. Whoever reads the database learns none.
 */
export const createRouterSecrets = (
  jwtSecret: string,
  previousJwtSecret: string | null,
): RouterSecrets => {
  const newest = rootOf(jwtSecret);
  const roots = previousJwtSecret === null ? [newest] : [newest, rootOf(previousJwtSecret)];
  return {
    newest: (which) => secretOf(newest, which),
    all: (which) => roots.map((root) => secretOf(root, which)),
  };
};

const rootOf = (jwtSecret: string): Buffer =>
  Buffer.from(hkdfSync("sha256", jwtSecret, "", "claude-relay router secrets", 32));

const secretOf = (root: Buffer, { id, generation }: Which): string => {
  const words = `claude-relay-router-secret-v1\n${id}\n${generation}`;
  return prefix + createHmac("sha256", root).update(words).digest("base64url");
};
