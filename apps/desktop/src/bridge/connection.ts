/** How the app stands with its relay, as the window shows it. Times are epoch milliseconds. */
export type Connection =
  /** First launch, or signed out by the user: the window asks for an address. */
  | { readonly kind: "unconfigured" }
  | { readonly kind: "connecting"; readonly relayUrl: string }
  /** An operator must approve this device and compare the fingerprint. */
  | {
      readonly kind: "waiting_for_approval";
      readonly relayUrl: string;
      readonly deviceId: string;
      readonly fingerprint: string;
    }
  | {
      readonly kind: "ready";
      readonly relayUrl: string;
      readonly expiresAt: number;
      /** Answers come from the relay's simulator, and cost nothing. */
      readonly isSimulated?: boolean;
    }
  | { readonly kind: "refreshing"; readonly relayUrl: string }
  /** `canChat`: the token is still good, so a message may get through once the relay is back. */
  | {
      readonly kind: "offline";
      readonly relayUrl: string;
      readonly message: string;
      readonly retryAt: number;
      readonly canChat: boolean;
    }
  /** The relay turned the device away; `wantsCode`: an enrollment code is the way in. */
  | {
      readonly kind: "signed_out";
      readonly relayUrl: string;
      readonly message: string;
      readonly wantsCode: boolean;
      /** A code was tried, and is not good. */
      readonly hasWrongCode?: boolean;
    }
  /** The relay lets only newer versions of this app in. */
  | { readonly kind: "update_needed"; readonly relayUrl: string; readonly message: string };
