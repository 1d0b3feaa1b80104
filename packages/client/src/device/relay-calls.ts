import { textOfBody } from "../answer-body.ts";
import { type RelayError, RelayTimeoutError, UnexpectedAnswerError } from "../errors.ts";
import { failureOfAnswer, failureOfConnection, notAnAnswer, parseObject } from "../failure.ts";
import type { DeviceIdentity, RefreshProof } from "./identity.ts";
import type { SessionTimers } from "./ports.ts";
import type { RelayAddress } from "./relay-address.ts";
import { isTokenText } from "./stored-token.ts";

/** What came of asking for a token. `serverTime`: epoch milliseconds, when the answer named it. */
export type TokenAnswer =
  | {
      readonly kind: "issued";
      readonly token: string;
      readonly expiresAt: number;
      readonly proxyBaseUrl: string;
      readonly serverTime: number | undefined;
    }
  | { readonly kind: "pending" }
  /** 401: what was brought is not good (any more). */
  | {
      readonly kind: "unauthorized";
      readonly message: string;
      readonly serverTime: number | undefined;
    }
  /** Any other answer that asking again does not change. `code`: the relay's own name for it. */
  | { readonly kind: "refused"; readonly message: string; readonly code: string | undefined }
  /** No answer, or none of a relay that is well. */
  | { readonly kind: "away"; readonly error: RelayError };

export type Health =
  | { readonly kind: "healthy"; readonly serverTime: number | undefined }
  | { readonly kind: "unhealthy"; readonly message: string };

export type BootstrapAsk = Readonly<{
  identity: DeviceIdentity;
  appVersion: string | undefined;
  deviceName: string | undefined;
  enrollmentCode: string | undefined;
}>;

export type RefreshAsk = Readonly<{
  token: string;
  proof: RefreshProof;
  appVersion: string | undefined;
}>;

/** The three things a device asks its relay. None throws, but for the signal's reason. */
export interface RelayCalls {
  bootstrap(ask: BootstrapAsk, signal: AbortSignal): Promise<TokenAnswer>;
  refresh(ask: RefreshAsk, signal: AbortSignal): Promise<TokenAnswer>;
  health(signal: AbortSignal): Promise<Health>;
}

type Options = Readonly<{
  address: RelayAddress;
  fetch: typeof globalThis.fetch;
  timers: SessionTimers;
  /** Milliseconds a whole answer may take. */
  timeoutMs: number;
}>;

/** Our own answers are small; a proxy's page need not be read to its end. In bytes. */
const largestAnswer = 256 * 1024;

export const createRelayCalls = (options: Options): RelayCalls => {
  const { relayUrl, healthUrl } = options.address;
  return {
    bootstrap: ({ identity, appVersion, deviceName, enrollmentCode }, signal) => {
      const body = {
        device_id: identity.deviceId,
        device_public_key: identity.publicKey,
        ...(appVersion !== undefined && { app_version: appVersion }),
        ...(deviceName !== undefined && { device_name: deviceName }),
        ...(enrollmentCode !== undefined && { enrollment_code: enrollmentCode }),
      };
      const ask = { url: `${relayUrl}/bootstrap`, body, secret: enrollmentCode ?? "" };
      return answered(options, ask, signal);
    },
    refresh: ({ token, proof, appVersion }, signal) => {
      const body = { ...proof, ...(appVersion !== undefined && { app_version: appVersion }) };
      return answered(options, { url: `${relayUrl}/refresh`, body, secret: token, token }, signal);
    },
    health: (signal) => healthOf(options, healthUrl, signal),
  };
};

type TokenAsk = Readonly<{
  url: string;
  body: object;
  token?: string;
  /** To be blotted out of what a server says. */
  secret: string;
}>;

const answered = async (
  options: Options,
  { url, body, token, secret }: TokenAsk,
  signal: AbortSignal,
): Promise<TokenAnswer> => {
  const request = {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  };
  try {
    return await inTime(options, signal, async (limited) => {
      const response = await send(options, url, { ...request, signal: limited });
      return readTokenAnswer(response, secret);
    });
  } catch (thrown) {
    signal.throwIfAborted();
    return { kind: "away", error: failureOfConnection(thrown, url).error };
  }
};

const healthOf = async (options: Options, url: string, signal: AbortSignal): Promise<Health> => {
  try {
    return await inTime(options, signal, async (limited) => {
      const response = await send(options, url, { method: "GET", signal: limited });
      const body = parseObject(await textOfBody(response, largestAnswer));
      if (response.status !== 200 || body?.["status"] === undefined) {
        const message = `The relay's health address answered ${response.status}.`;
        return { kind: "unhealthy", message };
      }
      return { kind: "healthy", serverTime: timeOf(body["timestamp"]) };
    });
  } catch (thrown) {
    signal.throwIfAborted();
    return { kind: "unhealthy", message: failureOfConnection(thrown, url).error.message };
  }
};

/** A redirect is not followed: it would carry the token or the code to another server. */
const send = (options: Options, url: string, request: RequestInit): Promise<Response> =>
  options.fetch(url, { ...request, redirect: "manual" });

const readTokenAnswer = async (response: Response, secret: string): Promise<TokenAnswer> => {
  if (response.status === 200 || response.status === 202) {
    return readGoodAnswer(response);
  }
  const { error } = await failureOfAnswer(response, secret || "\0");
  const { message, status = 0 } = error;
  if (status === 401) {
    return { kind: "unauthorized", message, serverTime: timeOf(response.headers.get("date")) };
  }
  // What is no relay's error is a proxy's or a stranger's, whatever its status.
  const isRelays = error.requestId !== undefined;
  return isRelays && [400, 403, 409, 413, 415].includes(status)
    ? { kind: "refused", message, code: response.headers.get("x-relay-error") ?? undefined }
    : { kind: "away", error };
};

const readGoodAnswer = async (response: Response): Promise<TokenAnswer> => {
  const body = parseObject(await textOfBody(response, largestAnswer)) ?? {};
  const { wrapper_token: token, proxy_base_url: proxyBaseUrl } = body;
  const expiresAt = timeOf(body["expires_at"]);
  if (response.status === 202 && body["status"] === "pending") {
    return { kind: "pending" };
  }
  if (!isTokenText(token) || typeof proxyBaseUrl !== "string" || expiresAt === undefined) {
    throw new UnexpectedAnswerError(notAnAnswer(response), { status: response.status });
  }
  const serverTime = timeOf(response.headers.get("date"));
  return { kind: "issued", token, expiresAt, proxyBaseUrl, serverTime };
};

const timeOf = (value: unknown): number | undefined => {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};

/** Runs `work` with a signal that also aborts when the time is over. */
const inTime = async <Result>(
  { timers, timeoutMs }: Options,
  signal: AbortSignal,
  work: (limited: AbortSignal) => Promise<Result>,
): Promise<Result> => {
  signal.throwIfAborted();
  const controller = new AbortController();
  const leave = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  const words = `The relay did not answer within ${timeoutMs} ms.`;
  const cancel = timers.after(timeoutMs, () =>
    controller.abort(new RelayTimeoutError(words, { type: "timeout_error" })),
  );
  try {
    return await work(controller.signal);
  } catch (thrown) {
    throw controller.signal.aborted ? controller.signal.reason : thrown;
  } finally {
    cancel();
    signal.removeEventListener("abort", leave);
  }
};
