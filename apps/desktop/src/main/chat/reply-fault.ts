import { APIConnectionError, APIConnectionTimeoutError, APIError } from "@anthropic-ai/sdk";
import {
  RelayConnectionError,
  RelayError,
  RelayTimeoutError,
  SignedOutError,
  WaitingForApprovalError,
} from "@claude-relay/client/device";
import type { ReplyFault } from "../../bridge/conversation.ts";
import { printable } from "../printable.ts";
import { codeWords } from "../relay/enrollment-words.ts";

type Kind = ReplyFault["kind"];

type Refusal = Readonly<{
  status: number | undefined;
  type: string | null;
  headers: Headers | undefined;
  message: string | null;
}>;

const words = {
  offline: "Is this machine online, and is the relay running?",
  timeout: "The relay did not answer in time.",
  broken: "The connection broke before the answer was complete.",
  tooLarge:
    "This conversation has become too long for the model. Start a new conversation to go on.",
  capped: "The budget for this device is used up. Ask the operator of the relay.",
  breaker:
    "Claude does not answer the relay at the moment, so the relay waits before it asks again.",
  model: (model: string) =>
    `The model ${model} is not to be had at this relay. Choose another one for this conversation.`,
  page: (status: number) =>
    `The relay's address answered ${status} without saying why: something in front of the relay, or the relay is away.`,
  relaysKey: (status: number) =>
    `Anthropic turned the relay's own key away (${status}). Tell the relay's operator.`,
} as const;

/** What was asked, and when (epoch milliseconds). No secret is shown, should a server quote it. */
type Asked = Readonly<{ model: string; now: number; secrets: readonly string[] }>;

/** Why no answer came, for the person who waits for it. */
export const faultBeforeText = (error: unknown, asked: Asked): ReplyFault => {
  if (error instanceof RelayError) {
    return faultOfSession(error, asked);
  }
  if (error instanceof APIConnectionTimeoutError) {
    return { kind: "offline", message: words.timeout, retryAt: null };
  }
  if (error instanceof APIConnectionError) {
    return { kind: "offline", message: words.offline, retryAt: null };
  }
  if (error instanceof APIError) {
    return faultOfRefusal(refusalOf(error, asked.secrets), asked);
  }
  return { kind: "other", message: "The answer failed for an unknown reason.", retryAt: null };
};

/** Why an answer that had begun came no further. */
export const faultInStream = (error: unknown, secrets: readonly string[]): ReplyFault => {
  // An `error` event: Anthropic's own, or the relay's last words.
  const said = error instanceof APIError ? refusalOf(error, secrets) : null;
  const message = said?.message ?? words.broken;
  return {
    kind: said?.type === "overloaded_error" ? "overloaded" : "broken_off",
    message: printable(message),
    retryAt: null,
  };
};

/** An answer of status 400 or above, as a fault. */
const faultOfRefusal = (refusal: Refusal, { model, now }: Asked): ReplyFault => {
  const { headers, status, message } = refusal;
  const kind = kindOf(refusal);
  const retryAt = retryTime(headers, now);
  switch (kind) {
    case "too_large":
      return { kind, message: words.tooLarge, retryAt: null };
    case "model_denied":
      return { kind, message: words.model(printable(model)), retryAt: null };
    case "breaker_open":
      return { kind, message: words.breaker, retryAt };
    case "capped":
      return {
        kind,
        message: printable(cappedWords(headers) ?? message ?? words.capped),
        retryAt: retryAt ?? resetTime(headers),
      };
    default:
      return isUpstreams(headers) && (status === 401 || status === 403)
        ? { kind, message: words.relaysKey(status), retryAt: null }
        : { kind, message: printable(message ?? words.page(status ?? 0)), retryAt };
  }
};

/** When the budget is whole again, or begins to be. */
const resetTime = (headers: Headers | undefined): number | null =>
  timeOrNull(Date.parse(headers?.get("x-relay-budget-reset") ?? ""));

/** The relay's own words are for programs, with a budget's id and a `max_tokens` to lower. */
const cappedWords = (headers: Headers | undefined): string | null => {
  const left = Number(headers?.get("x-relay-budget-left") ?? Number.NaN);
  const isMoney = headers?.get("x-relay-budget-unit") === "micro_usd";
  if (!Number.isFinite(left)) {
    return null;
  }
  const rest = isMoney
    ? `$${(Math.max(0, left) / 1_000_000).toFixed(4)}`
    : `${Math.max(0, left).toLocaleString("en")} tokens`;
  return `${rest} are left of it, and this message could cost more. A new conversation costs less than a long one; the operator of the relay can raise the budget.`;
};

/** The relay turned this token away, and not Anthropic the relay's key. */
export const isTokenRefused = (error: unknown): boolean =>
  error instanceof APIError &&
  error.status === 401 &&
  !isUpstreams(error.headers as Headers | undefined);

const faultOfSession = (error: RelayError, { now, secrets }: Asked): ReplyFault => {
  const message = withoutSecrets(error.message, secrets);
  const retryAt = timeOrNull(now + (error.retryAfterSeconds ?? Number.NaN) * 1000);
  if (error instanceof SignedOutError) {
    const kind = error.reason === "update_needed" ? "update_needed" : "signed_out";
    return { kind, message: codeWords(printable(message)), retryAt };
  }
  if (error instanceof WaitingForApprovalError) {
    return { kind: "signed_out", message: printable(message), retryAt };
  }
  if (error instanceof RelayConnectionError || error instanceof RelayTimeoutError) {
    return { kind: "offline", message: printable(message), retryAt };
  }
  return { kind: "other", message: printable(message), retryAt };
};

/** By the relay's own code; then by Anthropic's error type, and the status. */
const kindOf = (refusal: Refusal): Kind => {
  const { headers, type, status } = refusal;
  const code = headers?.get("x-relay-error") ?? "";
  return (
    kindsOfCode.get(code) ??
    (isPromptTooLong(refusal) ? "too_large" : undefined) ??
    (isUpstreams(headers) ? undefined : kindsOfRelaysType.get(type ?? "")) ??
    kindsOfType.get(type ?? "") ??
    kindsOfStatus.get(status ?? 0) ??
    "other"
  );
};

const kindsOfCode = new Map<string, Kind>([
  ["over_budget", "capped"],
  ["breaker_open", "breaker_open"],
  ["rate_limited", "rate_limited"],
  ["model_denied", "model_denied"],
  ["too_large", "too_large"],
  ["update_needed", "update_needed"],
  ["credential_expired", "signed_out"],
  ["credential_invalid", "signed_out"],
  ["forbidden", "signed_out"],
  ["draining", "offline"],
]);

/** Of a relay too old to name its codes: what these types mean when it is the relay that says them. */
const kindsOfRelaysType = new Map<string, Kind>([
  ["billing_error", "capped"],
  ["authentication_error", "signed_out"],
  ["permission_error", "signed_out"],
]);

const kindsOfType = new Map<string, Kind>([
  ["rate_limit_error", "rate_limited"],
  ["overloaded_error", "overloaded"],
  ["request_too_large", "too_large"],
  // The one thing that a message can ask for and that may not exist.
  ["not_found_error", "model_denied"],
  ["invalid_request_error", "invalid_request"],
]);

const kindsOfStatus = new Map<number, Kind>([
  [413, "too_large"],
  [429, "rate_limited"],
  [529, "overloaded"],
]);

/** Anthropic's words for a conversation that outgrew the model; it has no code of its own. */
const isPromptTooLong = ({ type, message }: Refusal): boolean =>
  type === "invalid_request_error" &&
  /prompt is too long|exceed context limit/i.test(message ?? "");

/** An answer of Anthropic's that the relay passed on. */
const isUpstreams = (headers: Headers | undefined): boolean =>
  headers?.has("x-relay-upstream") === true;

const refusalOf = (
  { status, type, headers, error }: APIError,
  secrets: readonly string[],
): Refusal => {
  const message = messageIn(error);
  return {
    status: status as number | undefined,
    type: type as string | null,
    headers: headers as Headers | undefined,
    message: message === null ? null : withoutSecrets(message, secrets),
  };
};

/** Before anything is cut off: half a token would not be found any more. */
const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((left, secret) => left.replaceAll(secret, "[token]"), text);

/** Anthropic's envelope, whatever it came in; a proxy's page has none. */
const messageIn = (body: unknown): string | null => {
  const { error } = (typeof body === "object" && body !== null ? body : {}) as { error?: unknown };
  const { message } = (typeof error === "object" && error !== null ? error : {}) as {
    message?: unknown;
  };
  return typeof message === "string" && message !== "" ? message : null;
};

/** `retry-after` in seconds or as a date (RFC 9110). */
const retryTime = (headers: Headers | undefined, now: number): number | null => {
  const text = headers?.get("retry-after") ?? null;
  if (text === null) {
    return null;
  }
  const at = /^\d{1,9}$/.test(text.trim()) ? now + Number(text) * 1000 : Date.parse(text);
  return timeOrNull(at);
};

/** Only what is a time is kept: what a conversation holds must be readable again. */
const timeOrNull = (at: number): number | null => (at >= 0 && at <= 8.64e15 ? at : null);
