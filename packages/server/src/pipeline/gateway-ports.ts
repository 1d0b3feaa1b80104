/** Claude Code's gateway sign-in, as http/ asks and gateway/ answers. RFC 8628, RFC 6749 §6, RFC 7009. */
import type { EpochMs, UserId } from "@claude-relay/contract";

/** RFC 6749 §5.2, RFC 8628 §3.5. */
export type OAuthError =
  | "invalid_request"
  | "invalid_grant"
  | "unsupported_grant_type"
  | "authorization_pending"
  | "slow_down"
  | "access_denied"
  | "expired_token"
  | "temporarily_unavailable";

/** What an OAuth route answers instead of tokens. */
export class OAuthFault extends Error {
  readonly error: OAuthError;
  readonly status: number;
  readonly retryAfterSeconds: number | null;

  constructor(
    error: OAuthError,
    message: string,
    status = 400,
    retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "OAuthFault";
    this.error = error;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export type Asking = Readonly<{ clientIp: string; userAgent: string }>;

export type BegunGrant = Readonly<{
  deviceCode: string;
  userCode: string;
  expiresInSeconds: number;
  intervalSeconds: number;
}>;

/** What a person is shown of whoever asks for their approval. */
export type AskedApproval = Readonly<{
  userCode: string;
  clientIp: string;
  userAgent: string;
  askedAt: EpochMs;
  /** Whether it was asked from the address that the person is at. */
  fromHere: boolean;
}>;

export interface DeviceFlow {
  /** @throws OAuthFault when an address asks too often, or too many wait */
  begin(asking: Asking): Promise<BegunGrant>;
  /**
   * @param typed as a person typed it
   * @throws Refusal `not_found` for a code that nobody waits with, `rate_limited` after too many of those
   */
  look(typed: string, clientIp: string): Promise<AskedApproval>;
  /** @throws Refusal as `look` */
  approve(typed: string, userId: UserId, clientIp: string): Promise<void>;
  /** @throws Refusal as `look` */
  deny(typed: string, clientIp: string): Promise<void>;
}

export type GrantedTokens = Readonly<{
  accessToken: string;
  expiresInSeconds: number;
  refreshToken: string;
}>;

export interface TokenFlow {
  /** @throws OAuthFault */
  exchange(deviceCode: string, clientIp: string): Promise<GrantedTokens>;
  /** @throws OAuthFault `invalid_grant` (401) when the person must sign in again */
  refresh(refreshToken: string, clientIp: string): Promise<GrantedTokens>;
  /** Signs out whatever the token is of; a token of nothing is no fault (RFC 7009 §2.2). */
  revoke(token: string, clientIp: string): Promise<void>;
}

export type TelemetrySignal = "metrics" | "logs" | "traces";

/** OTLP/HTTP from signed-in clients: passed on where that is configured, or dropped. Never read, never logged. */
export interface TelemetryRelay {
  take(
    signal: TelemetrySignal,
    headers: Readonly<{ contentType: string; contentEncoding: string | null }>,
    body: Buffer,
  ): void;
  close(): void;
}
