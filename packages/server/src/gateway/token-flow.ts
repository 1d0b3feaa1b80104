import type { DeviceId, EpochMs, UserId } from "@claude-relay/contract";
import { type GrantedTokens, OAuthFault, type TokenFlow } from "../pipeline/gateway-ports.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import type {
  DeviceGrant,
  DeviceGrantStore,
  RefreshTokenRecord,
  RefreshTokenStore,
  SignInDevices,
} from "../pipeline/sign-in-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import {
  looksLikeDeviceCode,
  looksLikeRefreshToken,
  type SignInSecrets,
  secretHash,
} from "./sign-in-secrets.ts";

type Options = Readonly<{
  grants: DeviceGrantStore;
  refreshTokens: RefreshTokenStore;
  devices: SignInDevices;
  /** Whether what a person proved when they approved still counts: an approval waits for its exchange. */
  stillCounts: (approval: Approval) => Promise<boolean>;
  secrets: SignInSecrets;
  /** Whose an access token is; null for anything else. */
  deviceOf: (accessToken: string) => Promise<DeviceId | null>;
  audit: AuditLog;
  clock: Clock;
  /** A refresh token that is not used for so long is over. */
  refreshLifetimeMs: number;
}>;

/** `since`: before they can have proved who they are. */
export type Approval = Readonly<{ userId: UserId; linkId: string | null; since: EpochMs }>;

/** A poll may come so much earlier than it should: networks do not keep time. */
const earlyMs = 1_000;
/** As of any device. */
const longestAppVersion = 64;
const slowerBySeconds = 5;
const longestIntervalSeconds = 60;
/** So long an exchanged refresh token gives the same next one: its answer was lost, or two processes asked. */
const graceMs = 30_000;

/** Tokens for an approval, and the next ones for a refresh token. */
export const createTokenFlow = (options: Options): TokenFlow => ({
  exchange: (deviceCode, clientIp) => exchange(options, deviceCode, clientIp),
  refresh: (token, clientIp) => refresh(options, token, clientIp),
  revoke: async (token, clientIp) => {
    const { refreshTokens, deviceOf, devices } = options;
    const id = looksLikeRefreshToken(token)
      ? (await refreshTokens.get(secretHash(token)))?.deviceId
      : await deviceOf(token);
    if (id !== undefined && id !== null && (await devices.end(id))) {
      await record(options, "sign_in.end", id, "ok", clientIp);
    }
  },
});

const exchange = async (
  options: Options,
  deviceCode: string,
  clientIp: string,
): Promise<GrantedTokens> => {
  const { grants, devices, clock } = options;
  const hash = secretHash(deviceCode);
  const grant = looksLikeDeviceCode(deviceCode) ? await grants.get(hash) : null;
  if (grant === null) {
    throw new OAuthFault("invalid_grant", "This device_code is unknown.");
  }
  await demandApproved(options, grant, clientIp);
  const { userId, linkId, userAgent, createdAt } = grant;
  if (userId === null || !(await options.stillCounts({ userId, linkId, since: createdAt }))) {
    throw endedMeanwhile();
  }
  const id = devices.newId();
  if (!(await grants.consume(hash, id))) {
    throw new OAuthFault("invalid_grant", "This device_code was used already.");
  }
  const appVersion = userAgent.slice(0, longestAppVersion) || null;
  if (!(await devices.enroll({ id, userId, appVersion }))) {
    throw endedMeanwhile();
  }
  const now = clock.now();
  await options.refreshTokens.prune(now);
  const refreshToken = options.secrets.newRefreshToken();
  await options.refreshTokens.insert(newToken(options, refreshToken, id));
  const granted = await issue(options, id, now, refreshToken);
  await record(options, "sign_in.grant", id, "ok", clientIp, { user: userId });
  return granted;
};

/** @throws OAuthFault saying what the client should do, RFC 8628 §3.5 */
const demandApproved = async (
  options: Options,
  grant: DeviceGrant,
  clientIp: string,
): Promise<void> => {
  if (grant.status === "consumed") {
    // Polls that ran beside the one that was answered are no theft: they are early.
    await demandPatience(options, grant);
    // Two have the code, and one of them should not: whatever it gave is over.
    if (grant.deviceId !== null && (await options.devices.end(grant.deviceId))) {
      await record(options, "device.replay", grant.deviceId, "revoked", clientIp, {
        what: "device_code",
      });
    }
    throw new OAuthFault("invalid_grant", "This device_code was used already.");
  }
  if (grant.expiresAt <= options.clock.now()) {
    throw new OAuthFault("expired_token", "This sign-in took too long: start again.");
  }
  if (grant.status === "denied") {
    throw new OAuthFault("access_denied", "The sign-in was denied.");
  }
  await demandPatience(options, grant);
  if (grant.status === "pending") {
    throw new OAuthFault("authorization_pending", "Nobody has approved this sign-in yet.");
  }
};

/** Of several polls at once one goes on. */
const demandPatience = async ({ grants, clock }: Options, grant: DeviceGrant): Promise<void> => {
  const { deviceCodeHash, lastPolledAt, intervalSeconds } = grant;
  const now = clock.now();
  if (lastPolledAt !== null && now - lastPolledAt < intervalSeconds * 1000 - earlyMs) {
    const slower = Math.min(longestIntervalSeconds, intervalSeconds + slowerBySeconds);
    await grants.slowDown(deviceCodeHash, now, slower);
    throw slowDown(slower);
  }
  if (!(await grants.poll(grant, now))) {
    throw slowDown(intervalSeconds);
  }
};

const slowDown = (seconds: number): OAuthFault =>
  new OAuthFault("slow_down", `Ask every ${seconds} seconds.`);

const endedMeanwhile = (): OAuthFault =>
  new OAuthFault("access_denied", "This person's sign-ins were ended meanwhile: start again.");

const refresh = async (
  options: Options,
  token: string,
  clientIp: string,
): Promise<GrantedTokens> => {
  const { refreshTokens, secrets, clock } = options;
  const hash = secretHash(token);
  const known = looksLikeRefreshToken(token) ? await refreshTokens.get(hash) : null;
  if (known === null || known.expiresAt <= clock.now()) {
    throw signInAgain();
  }
  if (known.usedAt !== null) {
    return again(options, token, known, clientIp);
  }
  const next = secrets.refreshTokenAfter(token);
  const granted = await issue(options, known.deviceId, known.createdAt, next);
  if (!(await refreshTokens.rotate(hash, newToken(options, next, known.deviceId)))) {
    // Somebody was faster with the same token: it is used now.
    const used = await refreshTokens.get(hash);
    return used === null ? Promise.reject(signInAgain()) : again(options, token, used, clientIp);
  }
  return granted;
};

/** An exchanged token once more: the same next one if nobody has used that yet; otherwise it was stolen. */
const again = async (
  options: Options,
  token: string,
  used: RefreshTokenRecord,
  clientIp: string,
): Promise<GrantedTokens> => {
  const { refreshTokens, devices, secrets, clock } = options;
  const next = secrets.refreshTokenAfter(token);
  const nextHash = secretHash(next);
  const isLate = used.usedAt === null || clock.now() - used.usedAt > graceMs;
  const successor =
    isLate || used.successorHash !== nextHash ? null : await refreshTokens.get(nextHash);
  if (successor !== null && successor.usedAt === null) {
    return issue(options, used.deviceId, successor.createdAt, next);
  }
  if (await devices.end(used.deviceId)) {
    const what = { what: "refresh_token" };
    await record(options, "device.replay", used.deviceId, "revoked", clientIp, what);
  }
  throw signInAgain();
};

const issue = async (
  { devices, clock }: Options,
  id: DeviceId,
  since: EpochMs,
  refreshToken: string,
): Promise<GrantedTokens> => {
  const issued = await devices.issue(id, since);
  if (issued === null) {
    throw signInAgain();
  }
  const expiresInSeconds = Math.floor((issued.expiresAt - clock.now()) / 1000);
  return { accessToken: issued.token, expiresInSeconds, refreshToken };
};

const newToken = (
  { clock, refreshLifetimeMs }: Options,
  token: string,
  deviceId: DeviceId,
): RefreshTokenRecord => ({
  hash: secretHash(token),
  deviceId,
  createdAt: clock.now(),
  expiresAt: (clock.now() + refreshLifetimeMs) as EpochMs,
  usedAt: null,
  successorHash: null,
});

const signInAgain = (): OAuthFault =>
  new OAuthFault("invalid_grant", "This sign-in is over: sign in again.", 401);

const record = (
  { audit, clock }: Options,
  action: string,
  id: DeviceId,
  outcome: string,
  clientIp: string,
  detail: Readonly<Record<string, unknown>> | null = null,
): Promise<void> =>
  audit.append({
    at: clock.now(),
    actor: `device:${id}`,
    action,
    subject: id,
    outcome,
    detail,
    clientIp,
  });
