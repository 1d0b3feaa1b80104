import { hash } from "node:crypto";
import type { Identify } from "../pipeline/authenticate.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Caller, Clock } from "../pipeline/types.ts";
import type { AppKeyIndex } from "./app-key-index.ts";
import { isWellFormedAppKey, looksLikeAppKey } from "./app-key-secret.ts";
import type { DeviceIndex } from "./device-index.ts";
import type { WrapperClaims, WrapperTokens } from "./wrapper-token.ts";

/** Verified tokens remembered at most. */
const maxRemembered = 20_000;

type Options = Readonly<{
  tokens: WrapperTokens;
  devices: DeviceIndex;
  appKeys: AppKeyIndex;
  /** Reads app keys anew, which another instance may have minted a moment ago; null for a relay of one process. */
  readKeys: (() => Promise<void>) | null;
  clock: Clock;
}>;

/**
 * Wrapper tokens and app keys to callers. A token's signature is checked once and remembered under the token's whole
 * SHA-256 (never a shortened one); expiry, revocation and the device's state count at every request.
 */
export const createIdentify = ({
  tokens,
  devices,
  appKeys,
  readKeys,
  clock,
}: Options): Identify => {
  const remembered = new Map<string, WrapperClaims>();

  return {
    known: (credential) => {
      if (looksLikeAppKey(credential)) {
        return orNull(() => appKeys.callerFor(credential));
      }
      const claims = remembered.get(hash("sha256", credential, "base64"));
      if (claims === undefined || claims.expiresAt <= clock.now()) {
        return null;
      }
      return orNull(() => devices.callerFor(claims));
    },
    verify: async (credential) => {
      if (looksLikeAppKey(credential)) {
        if (readKeys !== null && isWellFormedAppKey(credential) && !appKeys.knows(credential)) {
          await readKeys();
        }
        return appKeys.callerFor(credential);
      }
      const claims = await tokens.verify(credential);
      if (devices.get(claims.deviceId) === null) {
        // Its token is good: another instance may have let it in a moment ago.
        await devices.refresh(claims.deviceId);
      }
      const caller = devices.callerFor(claims);
      remember(remembered, hash("sha256", credential, "base64"), claims);
      return caller;
    },
  };
};

const orNull = (find: () => Caller): Caller | null => {
  try {
    return find();
  } catch (error) {
    if (error instanceof Refusal) {
      return null;
    }
    throw error;
  }
};

const remember = (
  remembered: Map<string, WrapperClaims>,
  digest: string,
  claims: WrapperClaims,
): void => {
  if (remembered.size >= maxRemembered) {
    const [oldest] = remembered.keys();
    if (oldest !== undefined) {
      remembered.delete(oldest);
    }
  }
  remembered.set(digest, claims);
};
