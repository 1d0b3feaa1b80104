/** Where a DeviceSession stands, in the window's words. */
import type { DeviceSessionState } from "@claude-relay/client/device";
import type { Connection } from "../../bridge/connection.ts";
import { printable } from "../printable.ts";
import { codeWords, isFirstStep } from "./enrollment-words.ts";

/** The relay does not answer, though the session has a token that is good. */
export type Outage = Readonly<{ message: string; retryAt: number }>;

type SignedOut = Extract<DeviceSessionState, { kind: "signed_out" }>;

/** @param outage null while the relay is well, as far as is known */
export const connectionOf = (
  relayUrl: string,
  state: DeviceSessionState,
  outage: Outage | null,
): Connection => {
  switch (state.kind) {
    case "idle":
    case "bootstrapping":
    case "stopped":
      return { kind: "connecting", relayUrl };
    case "waiting_for_approval":
      return {
        kind: "waiting_for_approval",
        relayUrl,
        deviceId: state.deviceId,
        fingerprint: state.fingerprint,
      };
    case "ready":
      return outage === null
        ? { kind: "ready", relayUrl, expiresAt: state.expiresAt }
        : { kind: "offline", relayUrl, ...outage, canChat: true };
    case "refreshing":
      return { kind: "refreshing", relayUrl };
    case "offline": {
      const retryAt = Math.ceil(state.retryAt);
      const message = printable(state.message);
      return { kind: "offline", relayUrl, message, retryAt, canChat: state.hasToken };
    }
    case "signed_out":
      return signedOut(relayUrl, state);
  }
};

const signedOut = (relayUrl: string, { reason, message }: SignedOut): Connection => {
  const words = printable(message);
  switch (reason) {
    case "update_needed":
      return { kind: "update_needed", relayUrl, message: words };
    case "enrollment_code":
      return {
        kind: "signed_out",
        relayUrl,
        message: codeWords(words),
        wantsCode: true,
        ...(!isFirstStep(words) && { hasWrongCode: true }),
      };
    case "refused":
    case "asked":
      return {
        kind: "signed_out",
        relayUrl,
        message: `${words} Once this device is let in again, try again here. To start anew as another device, choose Sign out, then sign in again.`,
        wantsCode: false,
      };
  }
};
