import type { IncomingHttpHeaders } from "node:http";
import { readCredential } from "./credential.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { Refusal } from "./refusal.ts";
import type { Caller } from "./types.ts";

/** Turns a credential into its caller. Synchronous when the credential was verified before. */
export interface Identify {
  /** The caller of a credential verified before and still good, or null. Never throws. */
  known(credential: string): Caller | null;
  /** @throws Refusal `credential_expired`, `credential_invalid`, `forbidden` */
  verify(credential: string, clientIp: string): Promise<Caller>;
}

export type Authenticate = (
  headers: IncomingHttpHeaders,
  clientIp: string,
) => Caller | Promise<Caller>;

/**
 * First stage of the line. An address that has presented too many bad credentials is turned away
 * before the next is examined; a token known to be good still passes, so that one broken client
 * does not lock out its neighbours behind the same address.
 */
export const createAuthenticate =
  (identify: Identify, failures: RateLimiter): Authenticate =>
  (headers, clientIp) => {
    const credential = readCredential(headers);
    return identify.known(credential) ?? examine(identify, failures, credential, clientIp);
  };

const examine = async (
  identify: Identify,
  failures: RateLimiter,
  credential: string,
  clientIp: string,
): Promise<Caller> => {
  const room = failures.peek(clientIp);
  if (!room.allowed) {
    throw new Refusal(
      "rate_limited",
      "Too many failed credentials from this address. Please wait before trying again.",
      { retryAfterSeconds: Math.ceil(room.retryAfterMs / 1000) },
    );
  }
  try {
    return await identify.verify(credential, clientIp);
  } catch (error) {
    failures.take(clientIp);
    throw error;
  }
};
