/** Why a device has no token and cannot get one by itself. */
export type SignedOutReason =
  /** The relay wants an enrollment code, or the one given is wrong, used up or expired. */
  | "enrollment_code"
  /** The relay turned the device away: disabled, revoked, or not let in from here. */
  | "refused"
  /** The relay wants a newer version of this app; the sign-in is kept for it. */
  | "update_needed"
  /** `signOut()` was called. */
  | "asked";

/** What a listener of a DeviceSession hears. No event holds a token. Times are epoch milliseconds. */
export type DeviceSessionEvent =
  | { readonly type: "bootstrapping" }
  | { readonly type: "bootstrapped"; readonly expiresAt: number }
  | { readonly type: "healthy" }
  | { readonly type: "unhealthy"; readonly message: string }
  /** An admin must approve the device and compare the fingerprint; the session keeps asking. */
  | {
      readonly type: "waiting_for_approval";
      readonly deviceId: string;
      readonly fingerprint: string;
    }
  | { readonly type: "refreshing" }
  | { readonly type: "refreshed"; readonly expiresAt: number }
  | { readonly type: "refresh_failed"; readonly message: string }
  /** The relay cannot be reached or does not answer; asked again at `retryAt`. */
  | { readonly type: "offline"; readonly message: string; readonly retryAt: number }
  | { readonly type: "signed_out"; readonly reason: SignedOutReason; readonly message: string }
  /** From now on `token()` gives another token: whoever holds the old one must drop it. */
  | { readonly type: "token_changed"; readonly expiresAt: number }
  /** The store could not be read or written; the session goes on in memory. */
  | { readonly type: "store_failed"; readonly message: string };

export type DeviceSessionListener = (event: DeviceSessionEvent) => void;

/** Where a session is. */
export type DeviceSessionState =
  | { readonly kind: "idle" }
  | { readonly kind: "bootstrapping" }
  | {
      readonly kind: "waiting_for_approval";
      readonly deviceId: string;
      readonly fingerprint: string;
    }
  | { readonly kind: "ready"; readonly expiresAt: number; readonly proxyBaseUrl: string }
  | { readonly kind: "refreshing"; readonly expiresAt: number; readonly proxyBaseUrl: string }
  /** `hasToken`: there is a token that is still good, so `token()` still answers. */
  | {
      readonly kind: "offline";
      readonly message: string;
      readonly retryAt: number;
      readonly hasToken: boolean;
    }
  | { readonly kind: "signed_out"; readonly reason: SignedOutReason; readonly message: string }
  | { readonly kind: "stopped" };

/** The wrapper token of a device, and where to send requests with it. */
export type DeviceToken = Readonly<{
  token: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** As the relay says it; a session sends its own requests to `relayUrl`. */
  proxyBaseUrl: string;
}>;
