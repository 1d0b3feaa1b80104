/** Claude Code's gateway sign-in, as http/ asks and gateway/ answers. RFC 8628, RFC 6749 §6, RFC 7009. */
import type { EpochMs, UserId } from "@claude-relay/contract";
import type { LinkedPerson } from "./sign-in-ports.ts";

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
  approve(typed: string, person: ProvenPerson, clientIp: string): Promise<void>;
  /** @throws Refusal as `look` */
  deny(typed: string, clientIp: string): Promise<void>;
}

/** Who approves, and by which account at a provider they are known; null: by their password. */
export type ProvenPerson = Readonly<{ userId: UserId; linkId: string | null }>;

/** What a sign-in at the provider is for: one code, in one browser. */
export type ProviderErrand = Readonly<{
  userCode: string;
  /** The browser's own secret. */
  browser: string;
}>;

/** Where to send the browser, and what it must bring back with the answer. */
export type ProviderDeparture = Readonly<{ location: string; kept: string; keptSeconds: number }>;

/** A browser that is back with the right state. */
export type ProviderReturn = ProviderErrand & Readonly<{ state: string; query: URLSearchParams }>;

/** People who sign in elsewhere: OpenID Connect Core 1.0 §3.1, with PKCE (RFC 7636). */
export interface ProviderSignIn {
  /** The provider, as people may know it: its host. */
  readonly label: string;
  /** @throws Refusal `upstream_unreachable`, `upstream_timeout` when the provider is away */
  depart(errand: ProviderErrand): Promise<ProviderDeparture>;
  /**
   * @param kept as the browser sent it; it may have several
   * @throws Refusal `forbidden` when it was not begun in this browser, or too long ago
   */
  recognize(kept: readonly string[], query: URLSearchParams): ProviderReturn;
  /**
   * Who signed in.
   * @throws Refusal `forbidden`, `rate_limited`, `upstream_unreachable`, `upstream_timeout`; it is audited
   */
  prove(back: ProviderReturn, clientIp: string): Promise<LinkedPerson>;
  /** What an approval must hold from a person who was proven. It is good for this errand alone, for minutes. */
  ticket(person: LinkedPerson, errand: ProviderErrand): string;
  /** @throws Refusal `forbidden` for a ticket that is not good any more */
  readTicket(ticket: string, errand: ProviderErrand): Promise<LinkedPerson>;
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
