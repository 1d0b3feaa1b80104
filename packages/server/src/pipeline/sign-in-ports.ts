/**
 * People who sign in from Claude Code (RFC 8628): records and stores as gateway/, credentials/ and store/ share
 * them, and what credentials/ does for gateway/. A person who signed in calls as a device of theirs.
 */
import type { DeviceId, EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import type { IssuedToken } from "./credential-ports.ts";

/** Every device made by a sign-in has an id that begins so, and no other device may. */
export const signInPrefix = "signin-";

export const isSignIn = (id: DeviceId): boolean => id.startsWith(signInPrefix);

/** What a person says of who they are, to us. */
export type PasswordAttempt = Readonly<{ name: string; password: string; clientIp: string }>;

/** Proves by a password of ours who a person is. */
export type PersonSignIn = Readonly<{
  /**
   * Costs the same for a name nobody has.
   * @throws Refusal `forbidden` when name and password do not fit, `rate_limited` after too many that did not
   */
  prove(attempt: PasswordAttempt): Promise<UserId>;
}>;

/** A password as it is kept: scrypt, never the words themselves. */
export type PasswordRecord = Readonly<{ userId: UserId; hash: string; changedAt: EpochMs }>;

export interface PasswordStore {
  get(userId: UserId): Promise<PasswordRecord | null>;
  put(record: PasswordRecord): Promise<void>;
  /** Gives false when there was none. */
  remove(userId: UserId): Promise<boolean>;
}

/** What an admin does with people's passwords. Each change ends every sign-in of that person and is audited. */
export interface PasswordAdmin {
  /** @throws Refusal `not_found`, `invalid_request` for a password that is too short or too long */
  set(userId: UserId, password: string, clientIp: string): Promise<PasswordRecord>;
  /** @throws Refusal `not_found` */
  remove(userId: UserId, clientIp: string): Promise<void>;
}

/** An account at an OpenID provider, and the user whom it is. */
export type SignInLink = Readonly<{
  /** Another one each time it is made. */
  id: string;
  /** As the provider calls itself. */
  issuer: string;
  /** What the provider never gives to anybody else. */
  subject: string;
  userId: UserId;
  linkedAt: EpochMs;
}>;

export interface SignInLinkStore {
  get(id: string): Promise<SignInLink | null>;
  ofAccount(issuer: string, subject: string): Promise<SignInLink | null>;
  /** Oldest first; one for each issuer. */
  ofUser(userId: UserId): Promise<readonly SignInLink[]>;
  /** Gives false when that account is some user already, or that user has an account of that issuer. */
  insert(link: SignInLink): Promise<boolean>;
  /** Gives how many there were. */
  removeOf(userId: UserId): Promise<number>;
}

/** What an admin sees and does of people's accounts at a provider. */
export interface SignInLinkAdmin {
  /** @throws Refusal `not_found` */
  list(userId: UserId): Promise<readonly SignInLink[]>;
  /** Ends every sign-in of that person, and is audited. @throws Refusal `not_found` */
  remove(userId: UserId, clientIp: string): Promise<void>;
}

/** Who signed in at the provider, as it told. */
export type ProviderAccount = Readonly<{
  issuer: string;
  subject: string;
  /** Of the ID token, and of UserInfo where the ID token says nothing. */
  claims: Readonly<Record<string, unknown>>;
}>;

/** A person who is known by their account at the provider. */
export type LinkedPerson = Readonly<{ userId: UserId; linkId: string }>;

/** Says which user an account at the provider is. */
export interface LinkedPersons {
  /**
   * The user it is linked with; the first time it is linked with the user that its claims name.
   * @throws Refusal `forbidden` for an account that is no user, which is audited
   */
  personOf(account: ProviderAccount, clientIp: string): Promise<LinkedPerson>;
  /** Whether it is still so. */
  isStill(person: LinkedPerson): Promise<boolean>;
}

/** Devices of people who signed in. */
export interface SignInDevices {
  newId(): DeviceId;
  /** Gives false, and enrolls nothing, when the person is gone. */
  enroll(
    device: Readonly<{ id: DeviceId; userId: UserId; appVersion: string | null }>,
  ): Promise<boolean>;
  /**
   * A token for a device that is still welcome.
   * @param since when its right to a token was given: one older than a revocation is worth nothing
   * @returns null when the device or its person is gone, disabled or revoked
   */
  issue(id: DeviceId, since: EpochMs): Promise<IssuedToken | null>;
  /** Ends a device and all its tokens. Gives false when it had ended before. */
  end(id: DeviceId): Promise<boolean>;
}

export type DeviceGrantStatus = "pending" | "approved" | "denied" | "consumed";

/** A request for approval by a person (RFC 8628 §3.2). The codes themselves are never stored. */
export type DeviceGrant = Readonly<{
  deviceCodeHash: string;
  userCodeHash: string;
  status: DeviceGrantStatus;
  /** Who approved it. */
  userId: UserId | null;
  /** Made of it. */
  deviceId: DeviceId | null;
  clientIp: string;
  userAgent: string;
  createdAt: EpochMs;
  expiresAt: EpochMs;
  lastPolledAt: EpochMs | null;
  intervalSeconds: number;
  /** The account at a provider that its approver was known by; null for a password. */
  linkId: string | null;
}>;

export type GrantDecision =
  | { readonly kind: "approved"; readonly userId: UserId; readonly linkId: string | null }
  | { readonly kind: "denied" };

export interface DeviceGrantStore {
  /** Gives false when `most` are waiting already, or a code is taken. Forgets expired ones first. */
  insert(grant: DeviceGrant, most: number): Promise<boolean>;
  get(deviceCodeHash: string): Promise<DeviceGrant | null>;
  /** One that waits and has not expired. */
  waiting(userCodeHash: string, now: EpochMs): Promise<DeviceGrant | null>;
  /** Gives false when it does not wait any more. */
  decide(userCodeHash: string, decision: GrantDecision, now: EpochMs): Promise<boolean>;
  /** Notes that it was asked about. Of several who do so with the same knowledge, one is given true. */
  poll(known: Pick<DeviceGrant, "deviceCodeHash" | "lastPolledAt">, at: EpochMs): Promise<boolean>;
  slowDown(deviceCodeHash: string, at: EpochMs, intervalSeconds: number): Promise<void>;
  /** Of several who try at once, one is given true. */
  consume(deviceCodeHash: string, deviceId: DeviceId): Promise<boolean>;
}

/** A refresh token as it is kept. All of one device are one family. */
export type RefreshTokenRecord = Readonly<{
  hash: string;
  deviceId: DeviceId;
  createdAt: EpochMs;
  expiresAt: EpochMs;
  /** When it was exchanged for `successorHash`. */
  usedAt: EpochMs | null;
  successorHash: string | null;
}>;

export interface RefreshTokenStore {
  insert(token: RefreshTokenRecord): Promise<void>;
  get(hash: string): Promise<RefreshTokenRecord | null>;
  /** Marks one as used and keeps the next, both or neither. Gives false when it was used already. */
  rotate(hash: string, successor: RefreshTokenRecord): Promise<boolean>;
  /** Forgets those that have expired. */
  prune(now: EpochMs): Promise<void>;
}

export type ManagedScope = Readonly<{ kind: "relay" | "organization" | "user"; id: string }>;

/** Claude Code's managed settings, as set on one level. */
export type ManagedSettings = Readonly<{
  scope: ManagedScope;
  uuid: string;
  /** `sha256:` and the digest of the settings as they are stored. */
  checksum: string;
  settings: Readonly<Record<string, unknown>>;
  updatedAt: EpochMs;
}>;

export interface ManagedSettingsStore {
  list(): Promise<readonly ManagedSettings[]>;
  /** The first of these scopes that has any. */
  first(scopes: readonly ManagedScope[]): Promise<ManagedSettings | null>;
  put(settings: ManagedSettings): Promise<ManagedSettings>;
  remove(scope: ManagedScope): Promise<boolean>;
}

/** What an admin does with managed settings. */
export interface ManagedSettingsAdmin {
  list(): Promise<readonly ManagedSettings[]>;
  /** @throws Refusal `invalid_request` naming the field */
  put(
    scope: Readonly<{ kind: ManagedScope["kind"]; id: string | null }>,
    settings: Readonly<Record<string, unknown>>,
    clientIp: string,
  ): Promise<ManagedSettings>;
  /** @throws Refusal `not_found` */
  remove(
    scope: Readonly<{ kind: ManagedScope["kind"]; id: string | null }>,
    clientIp: string,
  ): Promise<void>;
}

/** The levels from which a caller's managed settings may come, the most specific first. */
export const managedScopesOf = (
  caller: Readonly<{ userId: UserId | null; organizationId: OrganizationId | null }>,
): ManagedScope[] => [
  ...(caller.userId === null ? [] : [{ kind: "user" as const, id: caller.userId }]),
  ...(caller.organizationId === null
    ? []
    : [{ kind: "organization" as const, id: caller.organizationId }]),
  { kind: "relay", id: "" },
];
