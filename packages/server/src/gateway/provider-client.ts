/** The protocol with an OpenID provider, through openid-client: OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9207. */
import * as oidc from "openid-client";
import type { ProviderAccount } from "../pipeline/sign-in-ports.ts";
import { providerFault, WrongProvider } from "./provider-fault.ts";

export type ProviderSettings = Readonly<{
  /** Exactly as the provider calls itself. */
  issuer: string;
  clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  clientSecret: string | null;
  clientAuth: "basic" | "post";
  /** With spaces between. */
  scopes: string;
  /** Claims that are needed: UserInfo is asked when the ID token has not all of them. */
  claims: readonly string[];
}>;

/** What ties an answer of the provider to one departure. */
export type Checks = Readonly<{ state: string; nonce: string; verifier: string }>;

export interface ProviderClient {
  /** Where a browser is sent. @throws Error when the provider is away, or is not what the settings say */
  addressFor(checks: Checks, redirectUri: string): Promise<string>;
  /**
   * Who the answer is about. Everything in it is checked: state, issuer, signature, audience, nonce, times.
   * @throws Error when the provider is away, and for an answer that is not good
   */
  accountOf(query: URLSearchParams, checks: Checks, redirectUri: string): Promise<ProviderAccount>;
}

type Options = Readonly<{
  settings: ProviderSettings;
  monotonicMs: () => number;
  /** For all requests of one step together. */
  patienceMs?: number;
}>;

const metadataLifetimeMs = 3_600_000;
/** Clocks of two machines may be so far apart. */
const toleranceSeconds = 60;
/** OpenID Connect Core 1.0 §2: at most 255 ASCII characters. */
const longestSubject = 255;

/** Asks the provider only when somebody signs in: a relay starts without it. */
export const createProviderClient = (options: Options): ProviderClient => {
  const { settings, monotonicMs, patienceMs = 10_000 } = options;
  let known: { metadata: oidc.ServerMetadata; atMs: number } | null = null;
  let asking: Promise<oidc.ServerMetadata> | null = null;

  const discover = async (): Promise<oidc.ServerMetadata> => {
    const metadata = await discovered(settings, patienceMs);
    known = { metadata, atMs: monotonicMs() };
    return metadata;
  };

  const metadataNow = (): Promise<oidc.ServerMetadata> => {
    if (known !== null && monotonicMs() - known.atMs < metadataLifetimeMs) {
      return Promise.resolve(known.metadata);
    }
    asking ??= discover().finally(() => {
      asking = null;
    });
    return asking;
  };

  return {
    addressFor: async ({ state, nonce, verifier }, redirectUri) => {
      const configuration = configurationOf(settings, await metadataNow(), patienceMs);
      const address = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        response_type: "code",
        scope: settings.scopes,
        ...{ state, nonce },
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      return address.href;
    },
    accountOf: async (query, checks, redirectUri) => {
      // Made anew each time, so the provider's keys are always those of today.
      const configuration = configurationOf(settings, await metadataNow(), patienceMs);
      try {
        return await accountFrom(configuration, settings, query, checks, redirectUri);
      } catch (error) {
        // What was known of the provider may be what is wrong.
        known = null;
        throw error;
      }
    },
  };
};

const accountFrom = async (
  configuration: oidc.Configuration,
  { claims }: ProviderSettings,
  query: URLSearchParams,
  { state, nonce, verifier }: Checks,
  redirectUri: string,
): Promise<ProviderAccount> => {
  const tokens = await oidc.authorizationCodeGrant(
    configuration,
    new URL(`${redirectUri}?${query}`),
    {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    },
  );
  const told = tokens.claims();
  if (told === undefined || !/^[\x20-\x7e]+$/.test(told.sub) || told.sub.length > longestSubject) {
    throw new Error("The ID token has no sub that can be kept");
  }
  const isShort = claims.some((name) => told[name] === undefined);
  const more =
    isShort && configuration.serverMetadata().userinfo_endpoint !== undefined
      ? await oidc.fetchUserInfo(configuration, tokens.access_token, told.sub)
      : told;
  // An address and whether it was verified come from one place.
  const { email, email_verified } = told["email_verified"] === undefined ? more : told;
  const all = { ...more, ...told, email, email_verified };
  return { issuer: told.iss, subject: told.sub, claims: all };
};

/** @throws Error when the provider calls itself otherwise: one that speaks for several is several providers */
const discovered = async (
  settings: ProviderSettings,
  patienceMs: number,
): Promise<oidc.ServerMetadata> => {
  const issuer = new URL(settings.issuer);
  const options = {
    timeout: patienceMs / 1000,
    ...(isPlain(issuer) && { execute: [oidc.allowInsecureRequests] }),
  };
  const found = await oidc
    .discovery(issuer, settings.clientId, undefined, oidc.None(), options)
    .catch(wrongProvider);
  const metadata = found.serverMetadata();
  if (new URL(metadata.issuer).href !== issuer.href) {
    throw new WrongProvider(`it calls itself ${metadata.issuer}, and not OIDC_ISSUER`);
  }
  return metadata;
};

/** An answer, but not that of this provider: the setting names something else. */
const wrongProvider = (error: unknown): never => {
  const { kind, reason } = providerFault(error);
  throw kind === "bad_answer" ? new WrongProvider(`discovery at OIDC_ISSUER: ${reason}`) : error;
};

const configurationOf = (
  { clientId, clientSecret, clientAuth }: ProviderSettings,
  metadata: oidc.ServerMetadata,
  patienceMs: number,
): oidc.Configuration => {
  const authentication =
    clientSecret === null
      ? oidc.None()
      : clientAuth === "post"
        ? oidc.ClientSecretPost(clientSecret)
        : oidc.ClientSecretBasic(clientSecret);
  const client = { [oidc.clockTolerance]: toleranceSeconds };
  const configuration = new oidc.Configuration(metadata, clientId, client, authentication);
  const over = AbortSignal.timeout(patienceMs);
  configuration[oidc.customFetch] = (url, { signal, ...request }) =>
    fetch(url, {
      ...request,
      signal: signal === undefined ? over : AbortSignal.any([signal, over]),
    } as RequestInit);
  oidc.enableNonRepudiationChecks(configuration);
  if (isPlain(new URL(metadata.issuer))) {
    oidc.allowInsecureRequests(configuration);
  }
  return configuration;
};

/** The settings allow that on loopback alone. */
const isPlain = ({ protocol }: URL): boolean => protocol === "http:";
