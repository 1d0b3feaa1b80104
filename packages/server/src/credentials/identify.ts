import { hash } from "node:crypto";
import type { Identify } from "../pipeline/authenticate.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import type { DeviceIndex } from "./device-index.ts";
import type { WrapperClaims, WrapperTokens } from "./wrapper-token.ts";

/** Verified tokens remembered at most. */
const maxRemembered = 20_000;

type Options = Readonly<{
  tokens: WrapperTokens;
  devices: DeviceIndex;
  clock: Clock;
}>;

/**
 * Wrapper tokens to callers. A signature is checked once and remembered under the token's whole
 * SHA-256 (never a shortened one); expiry, revocation and the device's state count at every request.
 */
export const createIdentify = ({ tokens, devices, clock }: Options): Identify => {
  const remembered = new Map<string, WrapperClaims>();

  return {
    known: (credential) => {
      const claims = remembered.get(hash("sha256", credential, "base64"));
      if (claims === undefined || claims.expiresAt <= clock.now()) {
        return null;
      }
      try {
        return devices.callerFor(claims);
      } catch (error) {
        if (error instanceof Refusal) {
          return null;
        }
        throw error;
      }
    },
    verify: async (credential) => {
      const claims = await tokens.verify(credential);
      const caller = devices.callerFor(claims);
      remember(remembered, hash("sha256", credential, "base64"), claims);
      return caller;
    },
  };
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
