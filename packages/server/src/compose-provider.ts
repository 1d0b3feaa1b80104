/** Wires the OpenID provider at which people sign in. */
import type { OrganizationId } from "@claude-relay/contract";
import type { Owners } from "./compose-owners.ts";
import type { Config } from "./config.ts";
import { createLinkedPersons, type PersonRules } from "./credentials/provider-persons.ts";
import { createProviderClient } from "./gateway/provider-client.ts";
import { createProviderSignIn } from "./gateway/provider-sign-in.ts";
import { providerKey } from "./gateway/sign-in-secrets.ts";
import type { ProviderSignIn } from "./pipeline/gateway-ports.ts";
import type { Log } from "./pipeline/log.ts";
import type { RateLimiter } from "./pipeline/rate-limiter.ts";
import type { RefusalAudit } from "./pipeline/refusal-audit.ts";
import type { Clock } from "./pipeline/types.ts";
import type { Secrets } from "./secrets.ts";
import type { Store } from "./store/store.ts";

type Options = Readonly<{
  config: Config;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  store: Store;
  owners: Owners;
  refusals: Pick<RefusalAudit, "record">;
  /** Answers that were not good, by address. */
  failures: RateLimiter;
  baseUrl: () => string;
}>;

/** Null without OIDC_ISSUER. It is not asked for anything yet. */
export const openProvider = (options: Options): ProviderSignIn | null => {
  const { config, secrets, clock, log, store, owners, refusals, failures, baseUrl } = options;
  const { oidcIssuer: issuer, oidcClientId: clientId } = config;
  if (issuer === null || clientId === null) {
    return null;
  }
  const rules = rulesOf(config);
  const organization = rules.create?.organizationId ?? null;
  if (organization !== null && owners.index.organizations.get(organization) === null) {
    log.warn({ organization }, "OIDC_ORGANIZATION is not there yet: new people cannot sign in");
  }
  const settings = {
    ...{ issuer, clientId, clientSecret: config.oidcClientSecret, scopes: config.oidcScopes },
    ...{ clientAuth: config.oidcClientAuth, claims: claimsFor(rules) },
  };
  const { signInLinks: links, users, audit } = store;
  return createProviderSignIn({
    client: createProviderClient({ settings, monotonicMs: clock.monotonicMs }),
    persons: createLinkedPersons({
      ...{ rules, links, users, owners: owners.index, audit, refusals, clock },
    }),
    label: new URL(issuer).host,
    key: providerKey(secrets.jwtSecret),
    redirectUri: () => `${baseUrl()}/device/callback`,
    ...{ failures, refusals, log, clock },
  });
};

const rulesOf = (config: Config): PersonRules => {
  const domains = config.oidcAllowedDomains.filter((domain) => domain !== "*");
  const organizationId = config.oidcOrganization as OrganizationId | null;
  return {
    claim: config.oidcUserClaim,
    domains: domains.length > 0 ? domains : null,
    create: config.oidcCreateUsers === "on" ? { organizationId } : null,
  };
};

const claimsFor = ({ claim, domains }: PersonRules): readonly string[] =>
  claim === "email" || domains !== null ? [claim, "email", "email_verified"] : [claim];
