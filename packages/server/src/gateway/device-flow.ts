import type { EpochMs } from "@claude-relay/contract";
import { type BegunGrant, type DeviceFlow, OAuthFault } from "../pipeline/gateway-ports.ts";
import { createOneByOne, type OneByOne } from "../pipeline/one-by-one.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { DeviceGrant, DeviceGrantStore, GrantDecision } from "../pipeline/sign-in-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import { type SignInSecrets, secretHash } from "./sign-in-secrets.ts";
import { newUserCode, readUserCode, shownUserCode } from "./user-code.ts";

type Options = Readonly<{
  grants: DeviceGrantStore;
  secrets: SignInSecrets;
  audit: AuditLog;
  clock: Clock;
  limits: Readonly<{
    /** New requests by address. */
    begins: RateLimiter;
    /** Codes that were not there, by address. */
    wrongCodes: RateLimiter;
  }>;
  /** Requests that wait at most. */
  mostWaiting?: number;
}>;

export const lifetimeSeconds = 600;
export const firstIntervalSeconds = 5;
const longestUserAgent = 200;

/** Approval of a client by a person: RFC 8628. What waits is in the store, for whichever process is asked next. */
export const createDeviceFlow = (options: Options): DeviceFlow => {
  const { grants, secrets, audit, clock } = options;
  const looking = createOneByOne();

  const decide = async (
    typed: string,
    decision: GrantDecision,
    clientIp: string,
    actor: string,
  ): Promise<void> => {
    const { grant, code } = await find(options, looking, typed, clientIp);
    if (!(await grants.decide(secrets.userCodeHash(code), decision, clock.now()))) {
      throw unknownCode();
    }
    await audit.append({
      at: clock.now(),
      actor,
      action: decision.kind === "approved" ? "sign_in.approve" : "sign_in.deny",
      subject: decision.kind === "approved" ? decision.userId : null,
      outcome: "ok",
      detail: {
        asked_from: grant.clientIp,
        user_agent: grant.userAgent,
        ...(decision.kind === "approved" &&
          (decision.linkId === null
            ? { by: "password" }
            : { by: "provider", link: decision.linkId })),
      },
      clientIp,
    });
  };

  return {
    begin: (asking) => begin(options, asking.clientIp, plain(asking.userAgent)),
    look: async (typed, clientIp) => {
      const { grant, code } = await find(options, looking, typed, clientIp);
      return {
        userCode: shownUserCode(code),
        clientIp: grant.clientIp,
        userAgent: grant.userAgent,
        askedAt: grant.createdAt,
        fromHere: grant.clientIp === clientIp,
      };
    },
    approve: (typed, { userId, linkId }, clientIp) =>
      decide(typed, { kind: "approved", userId, linkId }, clientIp, `user:${userId}`),
    deny: (typed, clientIp) => decide(typed, { kind: "denied" }, clientIp, "unknown"),
  };
};

const begin = async (
  { grants, secrets, clock, limits, mostWaiting = 10_000 }: Options,
  clientIp: string,
  userAgent: string,
): Promise<BegunGrant> => {
  const { allowed, retryAfterMs } = limits.begins.take(clientIp);
  if (!allowed) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    throw new OAuthFault("slow_down", "Too many sign-ins from this address.", 429, seconds);
  }
  const deviceCode = secrets.newDeviceCode();
  const userCode = newUserCode();
  const now = clock.now();
  const inserted = await grants.insert(
    {
      deviceCodeHash: secretHash(deviceCode),
      userCodeHash: secrets.userCodeHash(userCode),
      status: "pending",
      userId: null,
      deviceId: null,
      clientIp,
      userAgent,
      createdAt: now,
      expiresAt: (now + lifetimeSeconds * 1000) as EpochMs,
      lastPolledAt: null,
      intervalSeconds: firstIntervalSeconds,
      linkId: null,
    },
    mostWaiting,
  );
  if (!inserted) {
    throw new OAuthFault("temporarily_unavailable", "Too many sign-ins are waiting.", 503, 30);
  }
  return {
    deviceCode,
    userCode: shownUserCode(userCode),
    expiresInSeconds: lifetimeSeconds,
    intervalSeconds: firstIntervalSeconds,
  };
};

type Found = Readonly<{ grant: DeviceGrant; code: string }>;

/**
 * Only codes that are not there count: whoever types their own right is never kept waiting (RFC 8628 §5.1).
 * One after another: of many guesses at once, each is judged when those before it are counted.
 */
const find = async (
  { grants, secrets, clock, limits: { wrongCodes } }: Options,
  looking: OneByOne,
  typed: string,
  clientIp: string,
): Promise<Found> => {
  demandRoom(wrongCodes, clientIp);
  return looking(async () => {
    demandRoom(wrongCodes, clientIp);
    const code = readUserCode(typed);
    const grant =
      code === null ? null : await grants.waiting(secrets.userCodeHash(code), clock.now());
    if (grant === null || code === null) {
      wrongCodes.take(clientIp);
      throw unknownCode();
    }
    return { grant, code };
  });
};

const demandRoom = (wrongCodes: RateLimiter, clientIp: string): void => {
  const { allowed, retryAfterMs } = wrongCodes.peek(clientIp);
  if (!allowed) {
    throw new Refusal("rate_limited", "Too many wrong codes from this address. Please wait.", {
      retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
    });
  }
};

const unknownCode = (): Refusal =>
  new Refusal(
    "not_found",
    "Nobody waits with this code. It may be mistyped, used already, or older than ten minutes: start again in Claude Code.",
  );

/** As a page, a terminal and a database can hold it: no control and no direction marks. */
const plain = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD")
    .slice(0, longestUserAgent);
