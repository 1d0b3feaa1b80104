import { isLoopbackHost } from "../../pipeline/loopback.ts";
import { define, Fault, list, oneOf, secret, text } from "../setting.ts";

/** A provider calls itself exactly so: the slash at its end counts, and so does every letter. */
const issuer = (value: string): string => {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Fault("must be an https:// address");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Fault("must hold no user name, password, query or fragment");
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw new Fault("must be https://: http is for a provider on this machine");
  }
  if (value.includes("/.well-known/")) {
    throw new Fault("must be the issuer itself, without /.well-known/… at its end");
  }
  return value;
};

const words = (value: string): string => {
  const scopes = value.split(/[\s,]+/).filter((scope) => scope !== "");
  if (!scopes.every((scope) => /^[!#-[\]-~]+$/.test(scope))) {
    throw new Fault("must be scopes with spaces between them");
  }
  if (!scopes.includes("openid")) {
    throw new Fault("must hold openid: without it a provider tells nobody who signed in");
  }
  return scopes.join(" ");
};

const claimName = (value: string): string => {
  if (!/^[\x21-\x7e]{1,128}$/.test(value)) {
    throw new Fault("must be the name of one claim, such as email or preferred_username");
  }
  return value;
};

const domains = (value: string): readonly string[] => {
  const found = list(value).map((domain) => domain.toLowerCase());
  const wrong = found.find((domain) => !/^([a-z0-9-]+\.)+[a-z0-9-]+$|^\*$/.test(domain));
  if (wrong !== undefined) {
    throw new Fault(`must be domains such as example.com, or *, not "${wrong}"`);
  }
  return found;
};

/** Where people sign in that have an account elsewhere: the `oidc` keys of the file. */
export const oidcSettings = {
  oidcIssuer: define<string | null>({
    name: "OIDC_ISSUER",
    fileKey: "oidc.issuer",
    parse: issuer,
    fallback: null,
    shown: "none",
    about:
      "The OpenID provider where people sign in, exactly as it calls itself; https, or http on this machine. Needs `GATEWAY_SIGNIN=on`: see [sign-in](sign-in.md#openid-connect).",
    example: "https://login.example.com/realms/acme",
  }),
  oidcClientId: define<string | null>({
    name: "OIDC_CLIENT_ID",
    fileKey: "oidc.client_id",
    parse: text,
    fallback: null,
    shown: "none",
    about: "What the provider calls this relay.",
  }),
  oidcClientSecret: define<string | null>({
    name: "OIDC_CLIENT_SECRET",
    fileKey: "oidc.client_secret",
    environmentOnly: true,
    parse: secret(8),
    fallback: null,
    shown: "none: a public client, with PKCE alone",
    about: "The relay's secret at the provider. From the environment only, never the JSON file.",
  }),
  oidcClientAuth: define<"basic" | "post">({
    name: "OIDC_CLIENT_AUTH",
    fileKey: "oidc.client_auth",
    parse: oneOf("basic", "post"),
    fallback: "basic",
    shown: "basic",
    about:
      "How the secret is sent: `client_secret_basic` or `client_secret_post`, as the provider has it for this client.",
  }),
  oidcScopes: define({
    name: "OIDC_SCOPES",
    fileKey: "oidc.scopes",
    parse: words,
    fallback: "openid email profile",
    shown: "openid email profile",
    about: "What the provider is asked to tell of people.",
    example: "openid email profile",
  }),
  oidcUserClaim: define({
    name: "OIDC_USER_CLAIM",
    fileKey: "oidc.user_claim",
    parse: claimName,
    fallback: "email",
    shown: "email",
    about:
      "The claim that is a person's user id on this relay, asked the first time they sign in; later the account itself is known. `email` must be verified. Choose none that people can set themselves.",
  }),
  oidcAllowedDomains: define<readonly string[]>({
    name: "OIDC_ALLOWED_DOMAINS",
    fileKey: "oidc.allowed_domains",
    parse: domains,
    fallback: [],
    shown: "any",
    about:
      "Only people with a verified e-mail address of these domains sign in, each time. `*` says that the provider has no accounts but of your own people.",
    example: "example.com",
  }),
  oidcCreateUsers: define<"on" | "off">({
    name: "OIDC_CREATE_USERS",
    fileKey: "oidc.create_users",
    parse: oneOf("on", "off"),
    fallback: "off",
    shown: "off",
    about: "`on` makes a user of whoever signs in there and is none. Needs `OIDC_ALLOWED_DOMAINS`.",
  }),
  oidcOrganization: define<string | null>({
    name: "OIDC_ORGANIZATION",
    fileKey: "oidc.organization",
    parse: text,
    fallback: null,
    shown: "none",
    about: "The organization of users made so. It must be there before.",
  }),
} as const;
