/** An OpenID provider that answers as an attacker, or a fault, would have it. */
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { listenHere } from "./loopback.ts";

type Answers = {
  /** Changes of the claims of a good ID token. */
  claims: JWTPayload;
  /** Changes of the discovery document. */
  metadata: Readonly<Record<string, unknown>>;
  /** The whole ID token, instead of a good one. */
  idToken: string | null;
  /** Signs with a key that is not published. */
  strangeKey: boolean;
  userInfo: Readonly<Record<string, unknown>>;
  /** Of the token endpoint, instead of tokens. */
  refusal: Readonly<{ status: number; body: string }> | null;
};

export type HostileProvider = Readonly<{
  issuer: string;
  /** Well-behaved again. */
  reset(): void;
  answers: Answers;
  /** The nonce that a good ID token holds. */
  expect(nonce: string): void;
  close(): Promise<void>;
}>;

export const startHostileProvider = async (clientId: string): Promise<HostileProvider> => {
  const [own, strange] = [await generateKeyPair("RS256"), await generateKeyPair("RS256")];
  const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid: "k", alg: "RS256" }] };
  const good = (): Answers => ({
    claims: {},
    metadata: {},
    idToken: null,
    strangeKey: false,
    userInfo: {},
    refusal: null,
  });
  const answers = good();
  let nonce = "";
  const idToken = (issuer: string): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: clientId, sub: "s", nonce, iat: now, exp: now + 60 };
    return new SignJWT({ ...claims, ...answers.claims })
      .setProtectedHeader({ alg: "RS256", kid: "k" })
      .sign((answers.strangeKey ? strange : own).privateKey);
  };
  const server = createServer(async (request, response) => {
    const issuer = `http://${request.headers.host}`;
    const send = (body: object): void => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    switch ((request.url ?? "").split("?")[0]) {
      case "/.well-known/openid-configuration":
        return send({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          userinfo_endpoint: `${issuer}/userinfo`,
          ...answers.metadata,
        });
      case "/jwks":
        return send(jwks);
      case "/userinfo":
        return send({ sub: "s", ...answers.userInfo });
      case "/token": {
        if (answers.refusal !== null) {
          const { status, body } = answers.refusal;
          response.writeHead(status, { "content-type": "application/json" }).end(body);
          return;
        }
        const token = answers.idToken ?? (await idToken(issuer));
        return send({ access_token: "access", token_type: "Bearer", id_token: token });
      }
      default:
        response.writeHead(404).end();
    }
  });
  const { url, close } = await listenHere(server);
  return {
    issuer: url,
    answers,
    reset: () => {
      Object.assign(answers, good());
    },
    expect: (value) => {
      nonce = value;
    },
    close,
  };
};
