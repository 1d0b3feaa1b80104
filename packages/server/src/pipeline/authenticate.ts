import type { IncomingHttpHeaders } from "node:http";
import { readCredential } from "./credential.ts";
import type { RateDecision, RateLimiter } from "./rate-limiter.ts";
import { Refusal } from "./refusal.ts";
import type { Caller } from "./types.ts";

/** Turns a credential into its caller. Synchronous when the credential was verified before. */
export interface Identify {
  /** The caller of a credential verified before and still good, or null. Never throws. */
  known(credential: string): Caller | null;
  /** @throws Refusal `credential_expired`, `credential_invalid`, `forbidden` */
  verify(credential: string): Promise<Caller>;
}

export type Authenticate = (
  headers: IncomingHttpHeaders,
  clientIp: string,
) => Caller | Promise<Caller>;

type Options = Readonly<{
  identify: Identify;
  /** Failed credentials by address. */
  failures: RateLimiter;
  /** Told of every credential turned down, for the audit log. */
  onRefused: (refusal: Refusal, clientIp: string) => void;
}>;

/**
 * First stage of the line. A good credential always passes; an address that has presented too many bad
 * ones is answered 429 for the next bad one, so that one broken client never locks out its neighbours
 * behind the same address, or the operator.
 */
export const createAuthenticate =
  (options: Options): Authenticate =>
  (headers, clientIp) =>
    knownCaller(options.identify, headers) ?? examine(options, headers, clientIp);

/** Null also when something is wrong with the credential: `examine` says what. */
const knownCaller = (identify: Identify, headers: IncomingHttpHeaders): Caller | null => {
  try {
    return identify.known(readCredential(headers));
  } catch {
    return null;
  }
};

const examine = async (
  { identify, failures, onRefused }: Options,
  headers: IncomingHttpHeaders,
  clientIp: string,
): Promise<Caller> => {
  try {
    return await identify.verify(readCredential(headers));
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    // A client whose token merely ran out is told so however often it asks: it must fetch a new one.
    if (error.code === "credential_expired") {
      onRefused(error, clientIp);
      throw error;
    }
    const room = failures.take(clientIp);
    const refusal = room.allowed ? error : tooMany(room);
    onRefused(refusal, clientIp);
    throw refusal;
  }
};

const tooMany = ({ retryAfterMs }: RateDecision): Refusal =>
  new Refusal(
    "rate_limited",
    "Too many failed credentials from this address. Please wait before trying again.",
    { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) },
  );
