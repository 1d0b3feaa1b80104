/**
 * A real OpenID provider, certified as such, on loopback: `oidc-provider` with a login page of two fields. It is
 * there before the relay that it serves, and can be away, or have new keys.
 */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import Provider from "oidc-provider";
import { listenHere } from "./loopback.ts";

/** What the provider tells of one person, by what they type as their login; `sub` is that unless told. */
export type People = Record<string, Readonly<Record<string, unknown>>>;

type Client = Readonly<{
  redirectUri: string;
  /** Null: a public client. */
  secret?: string | null;
  auth?: "client_secret_basic" | "client_secret_post";
}>;

export type OidcProvider = Readonly<{
  issuer: string;
  people: People;
  /** Paths asked so far. */
  asked: string[];
  register(client: Client): void;
  /** The same provider with other signing keys. */
  rotateKeys(): void;
  behave(as: "well" | "away"): void;
  close(): Promise<void>;
}>;

export const clientId = "claude-relay";
export const clientSecret = "secret-of-the-relay-at-the-provider";

export const startOidcProvider = async (people: People = {}): Promise<OidcProvider> => {
  let provider: Provider | null = null;
  let client: Client | null = null;
  let behaviour: "well" | "away" = "well";
  const asked: string[] = [];
  const rows = new Map<string, object>();
  const server = createServer((request, response) => {
    asked.push((request.url ?? "").split("?")[0] ?? "");
    if (behaviour === "away" || provider === null) {
      response.writeHead(503).end("away");
      return;
    }
    void answer(provider, request, response);
  });
  const { url: issuer, close } = await listenHere(server);
  const renew = (): void => {
    if (client !== null) {
      provider = providerFor(issuer, client, people, rows);
    }
  };
  return {
    issuer,
    people,
    asked,
    register: (told) => {
      client = told;
      renew();
    },
    rotateKeys: renew,
    behave: (as) => {
      behaviour = as;
    },
    close,
  };
};

/** What the provider remembers, in this process; it keeps it when its keys change. */
const adapterOver = (rows: Map<string, object>) =>
  class {
    readonly #kind: string;
    constructor(kind: string) {
      this.#kind = kind;
    }
    #key(id: string): string {
      return `${this.#kind} ${id}`;
    }
    async upsert(id: string, row: Readonly<{ uid?: string }>): Promise<void> {
      rows.set(this.#key(id), row);
      if (row.uid !== undefined) {
        rows.set(this.#key(`uid ${row.uid}`), row);
      }
    }
    async find(id: string): Promise<object | undefined> {
      return rows.get(this.#key(id));
    }
    async findByUid(uid: string): Promise<object | undefined> {
      return rows.get(this.#key(`uid ${uid}`));
    }
    async consume(id: string): Promise<void> {
      rows.set(this.#key(id), { ...rows.get(this.#key(id)), consumed: 1 });
    }
    async destroy(id: string): Promise<void> {
      rows.delete(this.#key(id));
    }
    async revokeByGrantId(): Promise<void> {}
  };

const providerFor = (
  issuer: string,
  client: Client,
  people: People,
  rows: Map<string, object>,
): Provider => {
  const { redirectUri, secret = clientSecret, auth = "client_secret_basic" } = client;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" };
  const provider = new Provider(issuer, {
    adapter: adapterOver(rows),
    clients: [
      {
        client_id: clientId,
        redirect_uris: [redirectUri],
        ...(secret === null
          ? { token_endpoint_auth_method: "none" }
          : { client_secret: secret, token_endpoint_auth_method: auth }),
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ["keys of the provider's own cookies"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["preferred_username"],
    },
    ttl: {
      AccessToken: 60,
      AuthorizationCode: 60,
      IdToken: 60,
      Interaction: 600,
      Session: 600,
      Grant: 600,
    },
    findAccount: (_: unknown, login: string) => ({
      accountId: login,
      claims: () => ({ sub: login, ...people[login] }),
    }),
    // Whoever signed in has agreed.
    loadExistingGrant: async (context: {
      oidc: { session: { accountId: string }; client: { clientId: string } };
    }) => {
      const { session, client: asking } = context.oidc;
      const grant = new provider.Grant({ accountId: session.accountId, clientId: asking.clientId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  return provider;
};

const answer = async (
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  if (!request.url?.startsWith("/interaction/")) {
    await provider.callback()(request, response);
    return;
  }
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/html" }).end(loginPage);
    return;
  }
  let body = "";
  for await (const chunk of request) {
    body += chunk;
  }
  const login = new URLSearchParams(body).get("login") ?? "";
  const result =
    login === ""
      ? { error: "access_denied", error_description: "the person would not" }
      : { login: { accountId: login } };
  await provider.interactionFinished(request, response, result);
};

const loginPage = `<!doctype html><title>The provider</title><h1>The provider</h1>
<form method="post"><label>Login <input name="login"></label>
<label>Password <input name="password" type="password"></label><button>Sign in</button></form>`;

/** A person's browser at the provider: signs in there, and gives the address it is then sent back to. */
export const signInThere = async (location: string, login: string): Promise<URL> => {
  const jar = new Map<string, string>();
  let url = new URL(location);
  const { origin } = url;
  let form: string | null = null;
  for (let step = 0; step < 10; step += 1) {
    const response: Response = await fetch(url, {
      method: form === null ? "GET" : "POST",
      redirect: "manual",
      headers: {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(form !== null && { "content-type": "application/x-www-form-urlencoded" }),
      },
      ...(form !== null && { body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(name, value);
    }
    const next = response.headers.get("location");
    if (next !== null) {
      url = new URL(next, url);
      form = null;
      if (url.origin !== origin) {
        return url;
      }
    } else if (response.status === 200 && url.pathname.startsWith("/interaction/")) {
      form = new URLSearchParams({ login, password: "any" }).toString();
    } else {
      throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
    }
  }
  throw new Error("the provider sends people around in circles");
};
