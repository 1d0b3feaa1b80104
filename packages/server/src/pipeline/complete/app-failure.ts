import type { ErrorType } from "@claude-relay/contract";

/** What an upstream said went wrong. */
export type UpstreamError = Readonly<{
  /** Null in the middle of an answer, where only the type tells. */
  status: number | null;
  type: string;
  message: string;
}>;

/** An upstream's error as an app is to see it. */
export type AppFailure = Readonly<{
  status: number;
  type: string;
  message: string;
  /** `never` tells clients not to repeat the call by themselves. */
  retry?: "never";
  /** What upstream said and the app is not told, for the log. */
  unsaid?: string;
}>;

/**
 * What an upstream's error means for an app. Account, credential and rate limit are this relay's own: what is
 * wrong with them is no 400 or 401 here, and upstream's words, which may name the account, stay in the log. What
 * is wrong with the request itself stays a 400 in upstream's words.
 * https://docs.anthropic.com/en/api/errors
 */
export const appFailureOf = (error: UpstreamError, model: string): AppFailure => {
  const message = withoutIds(error.message);
  switch (kindOf(error)) {
    case "account":
      return ours(502, "api_error", refusedAccount, error);
    case "request":
      return { status: 400, type: "invalid_request_error", message };
    case "model":
      return { status: 400, type: "invalid_request_error", message: unknownModel(model) };
    case "too_large":
      return { status: 413, type: "request_too_large", message };
    case "rate":
      return ours(429, "rate_limit_error", "Upstream's rate limit is used up.", error);
    case "slow":
      return { status: 504, type: "timeout_error", message };
    case "overloaded":
      return ours(502, "overloaded_error", "Overloaded: upstream has too much to do now.", error);
    case "broken": {
      const words =
        error.status === null
          ? "Upstream failed mid-answer."
          : `Upstream answered ${error.status}.`;
      return ours(502, "api_error", words, error);
    }
  }
};

const refusedAccount =
  "Upstream refused this relay's own credential or account. The operator's log says more.";

const unknownModel = (model: string): string =>
  `model: ${JSON.stringify(model)} is not known upstream; use opus, sonnet, haiku or an id from GET /v1/models`;

const ours = (
  status: number,
  type: ErrorType,
  message: string,
  said: UpstreamError,
): AppFailure => ({ status, type, message, unsaid: withoutIds(said.message).slice(0, 500) });

type Kind =
  | "account"
  | "broken"
  | "model"
  | "overloaded"
  | "rate"
  | "request"
  | "slow"
  | "too_large";

/** A status that blames the account is believed whatever the type says; else the type tells more. */
const kindOf = ({ status, type, message }: UpstreamError): Kind => {
  const byStatus = kinds.get(status ?? 0) ?? "broken";
  const kind = byStatus === "account" ? byStatus : (kinds.get(type) ?? byStatus);
  const isHidden = kind === "request" && !isOfField(message) && account.test(message);
  return isHidden ? "account" : kind;
};

const kinds: ReadonlyMap<string | number, Kind> = new Map<string | number, Kind>([
  ["authentication_error", "account"],
  ["billing_error", "account"],
  ["permission_error", "account"],
  ["not_found_error", "model"],
  ["overloaded_error", "overloaded"],
  ["rate_limit_error", "rate"],
  ["request_too_large", "too_large"],
  ["timeout_error", "slow"],
  [400, "request"],
  [401, "account"],
  [402, "account"],
  [403, "account"],
  [408, "slow"],
  [413, "too_large"],
  [422, "request"],
  [429, "rate"],
  [504, "slow"],
  [529, "overloaded"],
]);

/** What the message of a 400 starts with when it is about a field of the body that we sent. */
const isOfField = (message: string): boolean =>
  /^(?:model|max_tokens|system|messages|output_config|stream)[\w.[\]]*: |^prompt is too long/.test(
    message,
  );

/** An account without credit, disabled, or past its own limit is told as a 400, too. */
const account =
  /\b(?:credits?|billing|balance|payment|organi[sz]ation|workspace|account|usage limits?|spend(?:ing)? limits?|quota|api[ -]?key|credential|subscription|plan)\b/i;

/** Keys, and what names an account. */
const withoutIds = (message: string): string =>
  message.replace(
    /sk-ant-[\w-]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?:org|wrkspc)[-_]\w+/gi,
    "…",
  );
