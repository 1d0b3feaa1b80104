import type { Values } from "./settings.ts";

/** What is wrong with the settings of people who sign in; each fault names its setting and the remedy. */
export const gatewayFaults = (values: Values, isReachableOnlyHere: boolean): string[] => [
  ...httpsFaults(values, isReachableOnlyHere),
  ...(values.oidcIssuer === null ? withoutProvider(values) : providerFaults(values)),
];

/** What may be meant, and is worth a word at the start. */
export const gatewayWarnings = ({ gatewaySignIn, oidcIssuer }: Values): string[] =>
  gatewaySignIn === "off" && oidcIssuer !== null
    ? ["OIDC_ISSUER without GATEWAY_SIGNIN=on: nobody signs in"]
    : [];

/** People type their passwords there, and Claude Code signs in over plain http on loopback only. */
const httpsFaults = (
  { gatewaySignIn, proxyBaseUrl }: Values,
  isReachableOnlyHere: boolean,
): string[] =>
  gatewaySignIn === "on" && !isReachableOnlyHere && !proxyBaseUrl?.startsWith("https:")
    ? [
        "GATEWAY_SIGNIN=on takes people's passwords, so PROXY_BASE_URL must be https:// (a TLS proxy in front), or HOST and PROXY_BASE_URL loopback.",
      ]
    : [];

const withoutProvider = (values: Values): string[] => {
  const idle = [
    values.oidcClientId !== null && "OIDC_CLIENT_ID",
    values.oidcClientSecret !== null && "OIDC_CLIENT_SECRET",
    values.oidcCreateUsers === "on" && "OIDC_CREATE_USERS",
    values.oidcOrganization !== null && "OIDC_ORGANIZATION",
    values.oidcAllowedDomains.length > 0 && "OIDC_ALLOWED_DOMAINS",
  ].filter((name) => name !== false);
  return [
    idle.length > 0 &&
      `${idle.join(", ")}: needs OIDC_ISSUER, the provider's address. Set it, or take ${idle.length > 1 ? "these" : "this"} out.`,
    values.passwordSignIn === "off" &&
      values.gatewaySignIn === "on" &&
      "PASSWORD_SIGNIN=off leaves people no way to sign in: set OIDC_ISSUER, or PASSWORD_SIGNIN=on.",
  ].filter((fault) => fault !== false);
};

const providerFaults = (values: Values): string[] => {
  const { oidcAllowedDomains, oidcUserClaim, oidcScopes } = values;
  const asksEmail =
    oidcUserClaim === "email" || oidcAllowedDomains.some((domain) => domain !== "*");
  return [
    values.oidcClientId === null &&
      "OIDC_CLIENT_ID is required with OIDC_ISSUER: register the relay there as a web application.",
    values.oidcCreateUsers === "on" &&
      oidcAllowedDomains.length === 0 &&
      "OIDC_CREATE_USERS=on makes a user of anybody with an account there, so OIDC_ALLOWED_DOMAINS is required: your e-mail domains, or * when nobody but your own people has an account there.",
    oidcAllowedDomains.includes("*") &&
      oidcAllowedDomains.length > 1 &&
      "OIDC_ALLOWED_DOMAINS must be domains, or * alone.",
    asksEmail &&
      !oidcScopes.split(" ").includes("email") &&
      "OIDC_SCOPES must hold email: OIDC_USER_CLAIM or OIDC_ALLOWED_DOMAINS asks for it.",
    values.oidcOrganization !== null &&
      values.oidcCreateUsers === "off" &&
      "OIDC_ORGANIZATION is of users that OIDC_CREATE_USERS=on makes: set that too, or take it out.",
  ].filter((fault) => fault !== false);
};
