/**
 * The relay as the parts that call it see it: where it is, and a token for it. What `token` throws when
 * there is none are the typed errors of @claude-relay/client and its device part.
 */
export interface RelayAccess {
  /** No slash at the end. */
  readonly relayUrl: string;
  /**
   * A token that is good for a while, after a renewal if need be.
   * @throws RelayError, SignedOutError, WaitingForApprovalError, the signal's reason
   */
  token(signal?: AbortSignal): Promise<string>;
  /** To be told of a token that the relay answered 401 to: it is not handed out again. */
  reject(token: string): void;
}

/** Null while no relay is chosen. Ask anew for every request: the user may have changed it. */
export type CurrentRelay = () => RelayAccess | null;
