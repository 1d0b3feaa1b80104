import { type RelayError, RelayTimeoutError } from "../errors.ts";
import type { SignedOutReason } from "./device-events.ts";
import type { DeviceIdentity } from "./identity.ts";
import type { SessionLock, SessionRandom, SessionTimers } from "./ports.ts";
import type { RelayCalls, TokenAnswer } from "./relay-calls.ts";
import type { RelayTime } from "./relay-time.ts";
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
      return outcomeOf(parts, identity, answer, "refresh");
    }
    await parts.vault.dropToken();
  }
  signal.throwIfAborted();
  parts.onBegin("bootstrapping");
  const { appVersion, deviceName, enrollmentCode } = parts;
  const ask = { identity, appVersion, deviceName, enrollmentCode: enrollmentCode() };
  return outcomeOf(parts, identity, await parts.calls.bootstrap(ask, cut), "bootstrap");
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
  { vault, time }: RenewalParts,
  { deviceId, ...rest }: DeviceIdentity,
  answer: TokenAnswer,
  asked: "refresh" | "bootstrap",
): Promise<RenewalOutcome> => {
  switch (answer.kind) {
    case "issued": {
      const { token, expiresAt, proxyBaseUrl, serverTime } = answer;
      time.learn(serverTime);
      const issuedAt = Math.min(time.now(), expiresAt - 1);
      const clockOffset = time.offset;
      const held = { token, deviceId, issuedAt, expiresAt, proxyBaseUrl, clockOffset };
      await vault.keepToken(held);
      return { kind: "token", held, how: asked === "refresh" ? "refreshed" : "bootstrapped" };
    }
    case "pending":
      return { kind: "pending", identity: { deviceId, ...rest } };
    case "unauthorized":
    case "refused":
      return { kind: "signed_out", reason: reasonOf(answer), message: answer.message };
    case "away":
      return { kind: "away", error: answer.error, while: asked };
  }
};

const reasonOf = (
  answer: Extract<TokenAnswer, { kind: "unauthorized" | "refused" }>,
): SignedOutReason => {
  if (answer.kind === "refused" && answer.code === "update_needed") {
    return "update_needed";
  }
  return /^enrollment_code /.test(answer.message) ? "enrollment_code" : "refused";
};
