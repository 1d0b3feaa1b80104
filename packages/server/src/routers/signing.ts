/**
 * The strings that routers and the relay sign, and how. Each begins with its own name, so that a signature
 * made for one purpose is good for no other. Told with worked examples in docs/routers.md, "The wire".
 */
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { RouterMac } from "@claude-relay/contract";

/** What a router signs to prove that it knows its secret. */
export type HandshakeClaim = Readonly<{
  routerId: string;
  identity: string;
  /** Epoch seconds in decimal, or a challenge. */
  freshness: string;
  nonce: string;
}>;

/** Both nonces, the session's id and its algorithm: what a session's key is made of. */
export type SessionClaim = Readonly<{
  nonce: string;
  serverNonce: string;
  session: string;
  mac: RouterMac;
}>;

export type RequestClaim = Readonly<{
  method: string;
  path: string;
  session: string;
  /** As sent: decimal. */
  sequence: string;
  body: Uint8Array;
}>;

const digests = { "hmac-sha256": "sha256", "hmac-sha512": "sha512" } as const;

/** The identity goes in as hex: it may hold any character, a line feed too. */
export const handshakeMessage = ({
  routerId,
  identity,
  freshness,
  nonce,
}: HandshakeClaim): string =>
  lines("claude-relay-handshake-v1", routerId, hexOf(identity), freshness, nonce);

/** The form of the project that seed scripts come from. Two routers' fields can read the same in it. */
export const legacyMessage = (identity: string, routerId: string, timestamp: string): string =>
  `${identity}:${routerId}:${timestamp}`;

/** @returns lower hex; handshakes are HMAC-SHA256 whatever the session's algorithm is */
export const signHandshake = (secret: string, message: string): string =>
  hmac("hmac-sha256", secret, message).toString("hex");

/** The relay's own proof that it knows the secret, bound to the router's nonce. Lower hex. */
export const serverProof = (secret: string, nonce: string, serverNonce: string): string =>
  hmac("hmac-sha256", secret, serverProofMessage(nonce, serverNonce)).toString("hex");

export const serverProofMessage = (nonce: string, serverNonce: string): string =>
  lines("claude-relay-server-v1", nonce, serverNonce);

/** 32 bytes, whatever the algorithm. */
export const sessionKey = (secret: string, claim: SessionClaim): Buffer =>
  hmac("hmac-sha256", secret, sessionKeyMessage(claim));

export const sessionKeyMessage = ({ nonce, serverNonce, session, mac }: SessionClaim): string =>
  lines("claude-relay-session-v1", nonce, serverNonce, session, mac);

/** @returns lower hex of 32 or 64 bytes */
export const signRequest = (mac: RouterMac, key: Buffer, claim: RequestClaim): string =>
  hmac(mac, key, requestMessage(mac, claim)).toString("hex");

export const requestMessage = (mac: RouterMac, claim: RequestClaim): string =>
  lines(
    "claude-relay-request-v1",
    claim.method,
    claim.path,
    claim.session,
    claim.sequence,
    bodyHash(mac, claim.body),
  );

/** Bound to the request it answers by session and sequence. Lower hex of 32 or 64 bytes. */
export const signResponse = (
  mac: RouterMac,
  key: Buffer,
  claim: Readonly<{ session: string; sequence: string; payload: string }>,
): string => hmac(mac, key, responseMessage(mac, claim)).toString("hex");

export const responseMessage = (
  mac: RouterMac,
  { session, sequence, payload }: Readonly<{ session: string; sequence: string; payload: string }>,
): string =>
  lines("claude-relay-response-v1", session, sequence, bodyHash(mac, Buffer.from(payload, "utf8")));

/** Lower hex; of an empty body, the hash of nothing. */
export const bodyHash = (mac: RouterMac, body: Uint8Array): string =>
  hash(digests[mac], body, "hex");

/** Compares by digest and in constant time, so that neither length nor first difference shows. */
export const sameSecretly = (a: string | Uint8Array, b: string | Uint8Array): boolean =>
  timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));

const hmac = (mac: RouterMac, key: string | Buffer, message: string): Buffer =>
  createHmac(digests[mac], key).update(message, "utf8").digest();

const lines = (...parts: readonly string[]): string => parts.join("\n");

const hexOf = (text: string): string => Buffer.from(text, "utf8").toString("hex");
