import { createHmac } from "node:crypto";

/**
 * The headers that prove a call: HMAC-SHA256 with the shared secret over `timestamp.body`, in hex after the
 * scheme's version. docs/webhooks.md shows how a receiver checks it.
 * @param seconds Unix time of this try: a receiver turns old ones down, so that nobody can send one again
 */
export const signedHeaders = (
  secret: string,
  seconds: number,
  body: string,
): Readonly<Record<string, string>> => ({
  "x-relay-timestamp": String(seconds),
  "x-relay-signature": `v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`,
});
