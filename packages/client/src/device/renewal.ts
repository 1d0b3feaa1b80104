import { type RelayError, RelayTimeoutError, UnexpectedAnswerError } from "../errors.ts";
import type { SignedOutReason } from "./device-events.ts";
import type { DeviceIdentity } from "./identity.ts";
import type { SessionLock, SessionRandom, SessionTimers } from "./ports.ts";
import type { RelayCalls, TokenAnswer } from "./relay-calls.ts";
import type { RelayTime } from "./relay-time.ts";
import { isGood } from "./renewal-rules.ts";
import type { HeldToken } from "./stored-token.ts";
import type { Vault } from "./vault.ts";

/** What came of trying to get another token. */
export type RenewalOutcome =
  | {
      readonly kind: "token";
      readonly held: HeldToken;
      /** `found`: another process had got it. */
      readonly how: "bootstrapped" | "refreshed" | "found";
    }
  | { readonly kind: "pending"; readonly identity: DeviceIdentity }
  | { readonly kind: "signed_out"; readonly reason: SignedOutReason; readonly message: string }
  | { readonly kind: "away"; readonly error: RelayError; readonly while: "refresh" | "bootstrap" };

type IssuedAnswer = Extract<TokenAnswer, { kind: "issued" }>;

export type RenewalParts = Readonly<{
  calls: RelayCalls;
  vault: Vault;
  lock: SessionLock;
  time: RelayTime;
  timers: SessionTimers;
  random: SessionRandom;
  appVersion: string | undefined;
  deviceName: string | undefined;
  enrollmentCode: () => string | undefined;
  /** The longest wait for another process, in milliseconds. */
  lockTimeoutMs: number;
  onBegin: (what: "refreshing" | "bootstrapping") => void;
}>;

export type Wanted = Readonly<{
  /** What this process holds. */
  held: HeldToken | undefined;
  /** Whether a token found in the store will do. */
  isEnough: (found: HeldToken) => boolean;
  /** Nothing more is begun. */
  signal: AbortSignal;
  /** What is under way is broken off: a token that is on its way is lost. */
  cut: AbortSignal;
}>;

/**
 * Another token: one that another process got meanwhile, else a renewal of the one held, else, when the relay
 * does not know that one any more, a new one for this device. One process at a time.
 */
export const renewToken = async (parts: RenewalParts, wanted: Wanted): Promise<RenewalOutcome> => {
  const waiting = new AbortController();
  const leave = (): void => waiting.abort(wanted.signal.reason);
  wanted.signal.addEventListener("abort", leave, { once: true });
  const error = new RelayTimeoutError(
    "Another process of this user has been asking the relay for too long.",
    { type: "timeout_error" },
  );
  const cancel = parts.timers.after(parts.lockTimeoutMs, () => waiting.abort(error));
  try {
    return await parts.lock.hold(() => {
      cancel();
      return renewAlone(parts, wanted);
    }, waiting.signal);
  } catch (thrown) {
    if (waiting.signal.reason === error) {
      return { kind: "away", error, while: "refresh" };
    }
    throw thrown;
  } finally {
    cancel();
    wanted.signal.removeEventListener("abort", leave);
  }
};

const renewAlone = async (parts: RenewalParts, wanted: Wanted): Promise<RenewalOutcome> => {
  const { signal, cut } = wanted;
  const held = newer(await parts.vault.token(), wanted.held);
  if (held !== undefined && held.token !== wanted.held?.token && wanted.isEnough(held)) {
    return { kind: "token", held, how: "found" };
  }
  const identity = (await parts.vault.identity()) ?? (await parts.vault.makeIdentity());
  if (held !== undefined) {
    signal.throwIfAborted();
    parts.onBegin("refreshing");
    const answer = await refresh(parts, identity, held, cut);
    // Only a relay that does not know the token is asked for a new one; one that is away may know it still.
    if (answer.kind !== "unauthorized") {
      return outcomeOf(parts, identity, answer, "refresh", cut);
    }
    await parts.vault.dropToken();
  }
  signal.throwIfAborted();
  parts.onBegin("bootstrapping");
  const { appVersion, deviceName, enrollmentCode } = parts;
  const ask = { identity, appVersion, deviceName, enrollmentCode: enrollmentCode() };
  const answer = await parts.calls.bootstrap(ask, cut);
  return outcomeOf(parts, identity, answer, "bootstrap", cut);
};

/** The one that was issued later; a token that came from elsewhere wins a tie. */
export const newer = (
  found: HeldToken | undefined,
  held: HeldToken | undefined,
): HeldToken | undefined =>
  found === undefined || (held !== undefined && held.issuedAt > found.issuedAt) ? held : found;

const refresh = async (
  { calls, time, random, appVersion }: RenewalParts,
  identity: DeviceIdentity,
  { token }: HeldToken,
  signal: AbortSignal,
): Promise<TokenAnswer> => {
  const ask = (): Promise<TokenAnswer> => {
    const proof = identity.prove(token, time.now(), random);
    return calls.refresh({ token, proof, appVersion }, signal);
  };
  const answer = await ask();
  // A signature is good for minutes only: with a wrong clock it is made again, by the relay's.
  return answer.kind === "unauthorized" && time.learn(answer.serverTime) ? ask() : answer;
};

const outcomeOf = async (
  parts: RenewalParts,
  { deviceId, ...rest }: DeviceIdentity,
  answer: TokenAnswer,
  asked: "refresh" | "bootstrap",
  signal: AbortSignal,
): Promise<RenewalOutcome> => {
  switch (answer.kind) {
    case "issued":
      await learnTime(parts, answer, signal);
      return outcomeOfIssue(parts, deviceId, answer, asked);
    case "pending":
      return { kind: "pending", identity: { deviceId, ...rest } };
    case "unauthorized":
    case "refused":
      return { kind: "signed_out", reason: reasonOf(answer), message: answer.message };
    case "away":
      return { kind: "away", error: answer.error, while: asked };
  }
};

/** Where the answer does not tell the relay's time, this machine's clock alone has no token expire. */
const learnTime = async (
  { calls, time }: RenewalParts,
  { expiresAt, serverTime }: IssuedAnswer,
  signal: AbortSignal,
): Promise<void> => {
  time.learn(serverTime);
  if (serverTime === undefined && !isGood({ expiresAt }, time.now())) {
    const health = await calls.health(signal);
    time.learn(health.kind === "healthy" ? health.serverTime : undefined);
  }
};

const outcomeOfIssue = async (
  { vault, time }: RenewalParts,
  deviceId: string,
  { token, expiresAt, proxyBaseUrl }: IssuedAnswer,
  asked: "refresh" | "bootstrap",
): Promise<RenewalOutcome> => {
  const isUsable = isGood({ expiresAt }, time.now());
  const issuedAt = Math.min(time.now(), expiresAt - 1);
  const held = { token, deviceId, issuedAt, expiresAt, proxyBaseUrl, clockOffset: time.offset };
  // A first one is kept even so: the code for it is used up, and it can be renewed. A later one may be lost.
  if (isUsable || asked === "bootstrap") {
    await vault.keepToken(held);
  }
  return isUsable
    ? { kind: "token", held, how: asked === "refresh" ? "refreshed" : "bootstrapped" }
    : { kind: "away", error: expiredAlready(time.isKnown), while: asked };
};

const expiredAlready = (isTimeKnown: boolean): RelayError => {
  const clock = isTimeKnown ? "its clock" : "its clock or this machine's";
  return new UnexpectedAnswerError(
    `The relay gives tokens that have expired already: ${clock} may be wrong.`,
  );
};

const reasonOf = (
  answer: Extract<TokenAnswer, { kind: "unauthorized" | "refused" }>,
): SignedOutReason => {
  if (answer.kind === "refused" && answer.code === "update_needed") {
    return "update_needed";
  }
  return /^enrollment_code /.test(answer.message) ? "enrollment_code" : "refused";
};
