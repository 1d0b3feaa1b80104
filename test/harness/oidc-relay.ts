/** A relay inside the test's process and the OpenID provider it sends people to. */
import { type InsideRelay, startInside } from "./inside.ts";
import {
  clientId,
  clientSecret,
  type OidcProvider,
  type People,
  startOidcProvider,
} from "./oidc-provider.ts";

export type OidcRelay = Readonly<{
  relay: InsideRelay;
  provider: OidcProvider;
  addUser(id: string, organizationId?: string): Promise<void>;
  audited(action: string): Promise<AuditRow[]>;
  remove(): Promise<void>;
}>;

export type AuditRow = Readonly<{
  actor: string;
  subject: string | null;
  outcome: string;
  detail: Readonly<Record<string, unknown>>;
}>;

type Options = Readonly<{
  people?: People;
  env?: Readonly<Record<string, string>>;
  /** Null: a public client. */
  secret?: string | null;
  auth?: "client_secret_basic" | "client_secret_post";
}>;

export const startOidcRelay = async (options: Options = {}): Promise<OidcRelay> => {
  const { people = {}, env = {}, secret = clientSecret, auth } = options;
  const provider = await startOidcProvider(people);
  const relay = await startInside({
    env: {
      GATEWAY_SIGNIN: "on",
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: clientId,
      ...(secret !== null && { OIDC_CLIENT_SECRET: secret }),
      ...env,
    },
  });
  const redirectUri = `http://localhost:${relay.port}/device/callback`;
  provider.register({ redirectUri, secret, ...(auth !== undefined && { auth }) });
  return {
    relay,
    provider,
    addUser: async (id, organizationId) => {
      const body = { id, ...(organizationId !== undefined && { organization_id: organizationId }) };
      const added = await relay.admin("/admin/users", { body });
      if (added.status !== 201) {
        throw new Error(`no user ${id}: ${added.text}`);
      }
    },
    audited: async (action) =>
      (await relay.admin(`/admin/audit?action=${action}&limit=1000`)).body.data,
    remove: async () => {
      await relay.remove();
      await provider.close();
    },
  };
};

/** As providers tell it. */
export const verified = (email: string): Readonly<Record<string, unknown>> => ({
  email,
  email_verified: true,
});
