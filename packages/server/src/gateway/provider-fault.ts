import * as oidc from "openid-client";

/** `declined`: the provider, or the person there, said no. `bad_answer`: what came back is not to be trusted. */
type FaultKind = "away" | "slow" | "declined" | "bad_answer" | "not_ours";

/** Why a sign-in at the provider came to nothing. The reason is for the log: it holds no token and no claim. */
export type ProviderFault = Readonly<{ kind: FaultKind; reason: string }>;

/** The provider is another one, or knows this relay otherwise, than the settings say. */
export class WrongProvider extends Error {}

/** Only codes and openid-client's own words are told: causes hold whole answers. */
export const providerFault = (error: unknown): ProviderFault => {
  if (error instanceof WrongProvider) {
    return { kind: "not_ours", reason: error.message };
  }
  if (error instanceof oidc.AuthorizationResponseError) {
    return { kind: "declined", reason: codeIn(error.error) };
  }
  if (error instanceof oidc.ResponseBodyError) {
    const reason = `its token endpoint answered ${error.status} ${codeIn(error.error)}`;
    return { kind: error.status === 401 ? "not_ours" : kindOf(error.status), reason };
  }
  if (error instanceof oidc.ClientError) {
    return clientFault(error);
  }
  if (error instanceof TypeError) {
    const { cause } = error;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : cause;
    return {
      kind: "away",
      reason: `${error.message} ${typeof code === "string" ? code : ""}`.trim(),
    };
  }
  const isTimeout = error instanceof DOMException && /^(Timeout|Abort)Error$/.test(error.name);
  return {
    kind: isTimeout ? "slow" : "bad_answer",
    reason: error instanceof Error ? error.name : "",
  };
};

const clientFault = (error: oidc.ClientError): ProviderFault => {
  const reason = `${error.message} (${error.code ?? "no code"})`;
  if (error.code === "OAUTH_TIMEOUT" || error.code === "OAUTH_ABORT") {
    return { kind: "slow", reason };
  }
  const { cause } = error;
  if (cause instanceof Response) {
    return { kind: kindOf(cause.status), reason: `${reason}: ${cause.status}` };
  }
  return { kind: "bad_answer", reason };
};

const kindOf = (status: number): FaultKind => (status >= 500 ? "away" : "bad_answer");

/** The registered ones look so; anything else came from who knows whom. */
const codeIn = (error: string): string => (/^[a-z_]{1,40}$/.test(error) ? error : "an error");
