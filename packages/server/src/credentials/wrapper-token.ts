import { createHash, randomUUID } from "node:crypto";
import type { DeviceId, EpochMs } from "@claude-relay/contract";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { IssuedToken } from "../pipeline/credential-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock, Policy } from "../pipeline/types.ts";

const issuer = "claude-relay";
const audience = "claude-relay";
const algorithm = "HS256";

/** What a good wrapper token says. Times are epoch milliseconds, whole seconds. */
export type WrapperClaims = Readonly<{
  deviceId: DeviceId;
  jti: string;
  issuedAt: EpochMs;
  expiresAt: EpochMs;
}>;

export interface WrapperTokens {
  /** The policy rides along for clients to read; the relay itself goes by the device's row. */
  issue(deviceId: DeviceId, policy: Policy, validAfter: EpochMs): Promise<IssuedToken>;
  /**
   * @param lateMs how long ago it may have expired: for whoever looks at `expiresAt`, and 0 unless given
   * @throws Refusal `credential_expired` or `credential_invalid`
   */
  verify(token: string, lateMs?: number): Promise<WrapperClaims>;
}

type Options = Readonly<{
  secret: string;
  previousSecret: string | null;
  lifetimeHours: number;
  clock: Clock;
}>;

export const expired = (): Refusal =>
  new Refusal("credential_expired", "Token expired. Please refresh your token.");

const expiredTooLongAgo = (lateMs: number): Refusal =>
  new Refusal(
    "credential_expired",
    `Token expired more than ${lateMs / 86_400_000} days ago (DEVICE_RENEWAL_DAYS), too long for a renewal. Get a new one at POST /bootstrap.`,
  );

/** Names a secret without telling it, so that a rotation finds the right key. */
const keyId = (secret: string): string =>
  createHash("sha256").update(`claude-relay kid ${secret}`).digest("hex").slice(0, 16);

/**
 * Wrapper tokens: JWT (RFC 7519), HS256 and nothing else, with issuer, audience, expiry, subject and
 * id demanded. Left to itself the library accepts one-byte secrets, HS512 and tokens without expiry.
 */
export const createWrapperTokens = (options: Options): WrapperTokens => {
  const keys = new Map<string, Uint8Array>();
  const currentId = keyId(options.secret);
  for (const secret of [options.secret, options.previousSecret]) {
    if (secret !== null) {
      const bytes = new TextEncoder().encode(secret);
      if (bytes.length < 32) {
        throw new RangeError("a JWT secret must be at least 32 bytes long");
      }
      keys.set(keyId(secret), bytes);
    }
  }
  const currentKey = new TextEncoder().encode(options.secret);
  return {
    issue: async (deviceId, policy, validAfter) => {
      // Tokens carry whole seconds: one made in the second of a revocation must still be newer than it.
      const issuedAt = Math.max(
        Math.floor(options.clock.now() / 1000),
        Math.ceil(validAfter / 1000),
      );
      const expiresAt = issuedAt + options.lifetimeHours * 3600;
      const jti = randomUUID();
      const token = await new SignJWT({
        ...(policy.models !== null && { models: policy.models }),
        ...(policy.requestsPerMinute !== null && { requests_per_minute: policy.requestsPerMinute }),
      })
        .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: currentId })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(deviceId)
        .setJti(jti)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(currentKey);
      return { token, jti, expiresAt: toMs(expiresAt) };
    },
    verify: async (token, lateMs = 0) =>
      claimsOf(await check(token, keys, options.clock.now(), lateMs)),
  };
};

const check = async (
  token: string,
  keys: ReadonlyMap<string, Uint8Array>,
  now: EpochMs,
  lateMs: number,
): Promise<JWTPayload> => {
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keys.get(kid);
        if (key === undefined) {
          throw new errors.JWKSNoMatchingKey();
        }
        return key;
      },
      {
        algorithms: [algorithm],
        issuer,
        audience,
        requiredClaims: ["sub", "jti", "iat", "exp"],
        currentDate: new Date(now - lateMs),
      },
    );
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw lateMs === 0 ? expired() : expiredTooLongAgo(lateMs);
    }
    throw new Refusal(
      "credential_invalid",
      "The token is not one of this relay's. Get a new one at POST /bootstrap.",
    );
  }
};

const claimsOf = ({ sub, jti, iat, exp }: JWTPayload): WrapperClaims => {
  if (
    typeof sub !== "string" ||
    typeof jti !== "string" ||
    iat === undefined ||
    exp === undefined
  ) {
    throw new Refusal(
      "credential_invalid",
      "The token lacks claims. Get a new one at POST /bootstrap.",
    );
  }
  return { deviceId: sub as DeviceId, jti, issuedAt: toMs(iat), expiresAt: toMs(exp) };
};

const toMs = (seconds: number): EpochMs => (seconds * 1000) as EpochMs;
