import type { ErrorType } from "@claude-relay/contract";
import { appFailureOf } from "../../pipeline/complete/app-failure.ts";
import type { UpstreamReceiver } from "../../pipeline/types.ts";
import type { CliResult } from "./cli-line.ts";

/** An error as the Messages API would have answered it. */
export type CliError = Readonly<{
  status: number;
  type: string;
  message: string;
  retryAfterSeconds: number | null;
  /** For the log: what the operator should do. */
  remedy: string | null;
  /** For the log: what the API said, where the app is told something else. */
  unsaid: string | null;
}>;

/** An error of the relay's own making. */
export const cliError = (
  status: number,
  type: ErrorType,
  message: string,
  retryAfterSeconds: number | null = null,
): CliError => ({ status, type, message, retryAfterSeconds, remedy: null, unsaid: null });

/** Anthropic's error envelope. */
const errorJson = ({ type, message }: CliError): string =>
  JSON.stringify({ type: "error", error: { type, message } });

/** Answers an error in the API's shape: as JSON, or as the last event of a stream that has begun. */
export const answerError = (receiver: UpstreamReceiver, error: CliError, begun: boolean): void => {
  const json = errorJson(error);
  if (begun) {
    receiver.onData(Buffer.from(`event: error\ndata: ${json}\n\n`));
  } else {
    const { retryAfterSeconds } = error;
    receiver.onStart(error.status, {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(json)),
      ...(retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) }),
    });
    receiver.onData(Buffer.from(json));
  }
  receiver.onEnd();
};

/**
 * What a result line says went wrong, as an app is to see it (in our words where it concerns this relay's account); null when it was no answer of the API's
 * (a lost connection, a crash) but the way to it.
 */
export const errorOfResult = (
  result: CliResult,
  model: string,
  retryAfterSeconds: number | null,
): CliError | null => {
  const { apiErrorStatus: status, text } = result;
  if (status === 401 || status === 403 || isNotLoggedIn(text)) {
    return credentialFault(status);
  }
  if (status !== null && status >= 400 && status <= 599) {
    const type = result.apiErrorType ?? (status === 404 ? "not_found_error" : "api_error");
    const { unsaid = null, ...shown } = appFailureOf(
      { status, type, message: plainMessage(text, status) },
      model,
    );
    const wait = shown.status === 429 ? retryAfterSeconds : null;
    const isAccount = (status === 400 || status === 402) && shown.status === 502;
    return { ...shown, retryAfterSeconds: wait, remedy: isAccount ? accountRemedy : null, unsaid };
  }
  if (result.terminalReason === "blocking_limit" || /^Prompt is too long/i.test(text)) {
    return cliError(400, "invalid_request_error", "prompt is too long");
  }
  return null;
};

const isNotLoggedIn = (text: string): boolean =>
  /^(Not logged in|Invalid API key|OAuth token|Failed to authenticate)|Please run \/login/i.test(
    text,
  );

/** Our credential, not the caller's: a 401 would send the caller looking at its own. */
const credentialFault = (status: number | null): CliError => ({
  ...cliError(502, "api_error", "The relay's own Claude login was refused; its operator must act."),
  remedy:
    `Claude Code's credential was refused (${status ?? "not logged in"}): ` +
    "run `claude auth login` (or renew CLAUDE_CODE_OAUTH_TOKEN, ANTHROPIC_API_KEY) on this host",
});

const accountRemedy =
  "The account behind Claude Code's credential was refused (credit, billing or a limit of its own): see what the " +
  "API said, and put it right at Anthropic";

/** The API's own words, without what Claude Code wraps around them. */
const plainMessage = (text: string, status: number): string => {
  const message = text
    .replace(/^API Error: (Request rejected \(\d+\) · )?/, "")
    .replace(new RegExp(`^${status} `), "")
    .replace(/\.? This is a server-side issue[\s\S]*$/, "");
  return message.trim() || `Upstream answered ${status}.`;
};
