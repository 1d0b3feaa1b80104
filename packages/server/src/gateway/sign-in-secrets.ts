import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Marks refresh tokens for secret scanners: /\bcrf_[A-Za-z0-9_-]{43}\b/. */
const refreshPrefix = "crf_";
const refreshShape = /^crf_[A-Za-z0-9_-]{43}$/;
const deviceCodeShape = /^[A-Za-z0-9_-]{43}$/;

export interface SignInSecrets {
  /** 256 bits, base64url. */
  newDeviceCode(): string;
  newRefreshToken(): string;
  /** The same for the same token, so that a client that lost the answer, or asked twice, gets it again. */
  refreshTokenAfter(token: string): string;
  /** Under a key: a user code alone is short enough to be found by trying. */
  userCodeHash(code: string): string;
}

/** Codes and tokens of sign-ins, under keys that HKDF-SHA256 (RFC 5869) makes of JWT_SECRET. */
export const createSignInSecrets = (jwtSecret: string): SignInSecrets => {
  const codeKey = keyOf(jwtSecret, "claude-relay user codes");
  const refreshKey = keyOf(jwtSecret, "claude-relay refresh tokens");
  return {
    newDeviceCode: () => randomBytes(32).toString("base64url"),
    newRefreshToken: () => refreshPrefix + randomBytes(32).toString("base64url"),
    refreshTokenAfter: (token) =>
      refreshPrefix + createHmac("sha256", refreshKey).update(token).digest("base64url"),
    userCodeHash: (code) => createHmac("sha256", codeKey).update(code).digest("hex"),
  };
};

/** The key under which the forms of the verification page are signed. */
export const formKey = (jwtSecret: string): Buffer => keyOf(jwtSecret, "claude-relay forms");

/** The key under which browsers carry notes to the provider and back. */
export const providerKey = (jwtSecret: string): Buffer =>
  keyOf(jwtSecret, "claude-relay provider sign-in");

/** Of a device code or a refresh token, which have 256 bits: nobody finds those by trying. */
export const secretHash = (secret: string): string =>
  createHash("sha256").update(secret).digest("hex");

export const looksLikeDeviceCode = (text: string): boolean => deviceCodeShape.test(text);
export const looksLikeRefreshToken = (text: string): boolean => refreshShape.test(text);

const keyOf = (jwtSecret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", jwtSecret, "", purpose, 32));
