import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createProviderClient } from "./provider-client.ts";
import { providerFault } from "./provider-fault.ts";

const checks = { state: "s", nonce: "n", verifier: "v".repeat(43) };
const redirectUri = "http://localhost/device/callback";

/** Answers discovery as told; what is `null` is never answered. */
const serve = async (t: TestContext, discovery: (issuer: string) => object | number | null) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const answer = /well-known/.test(request.url ?? "")
      ? discovery(`http://${request.headers.host}`)
      : null;
    if (typeof answer === "number") {
      response.writeHead(answer).end();
    } else if (answer !== null) {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, issuer };
};

const clientAt = (issuer: string, time = { ms: 0 }) =>
  createProviderClient({
    settings: {
      ...{ issuer, clientId: "relay", clientSecret: null, clientAuth: "basic" },
      ...{ scopes: "openid", claims: [] },
    },
    monotonicMs: () => time.ms,
    patienceMs: 50,
  });

const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => assert.fail("it went well"),
    (error: unknown) => providerFault(error),
  );

const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
});

test("a provider that does not answer is not waited for, at discovery or later", async (t) => {
  const silent = await serve(t, () => null);
  const there = clientAt(silent.issuer);
  assert.equal((await faultOf(there.addressFor(checks, redirectUri))).kind, "slow");
  const half = await serve(t, metadataOf);
  const later = clientAt(half.issuer);
  const query = new URLSearchParams({ code: "c", state: "s" });
  assert.equal((await faultOf(later.accountOf(query, checks, redirectUri))).kind, "slow");
});

test("a provider that is away, down or another is told apart", async (t) => {
  const { issuer } = await serve(t, () => 503);
  assert.equal((await faultOf(clientAt(issuer).addressFor(checks, redirectUri))).kind, "away");
  const other = await serve(t, () => 404);
  const wrong = await faultOf(clientAt(other.issuer).addressFor(checks, redirectUri));
  assert.equal(wrong.kind, "not_ours");
  assert.match(wrong.reason, /OIDC_ISSUER.*404/);
  const gone = await faultOf(clientAt("http://127.0.0.1:1").addressFor(checks, redirectUri));
  assert.equal(gone.kind, "away");
});

test("discovery is asked once for many, again after an hour, and again when it failed", async (t) => {
  let answers = 0;
  const { asked, issuer } = await serve(t, (own) => (answers++ === 0 ? 503 : metadataOf(own)));
  const time = { ms: 0 };
  const client = clientAt(issuer, time);
  await faultOf(client.addressFor(checks, redirectUri));
  const ask = () => client.addressFor(checks, redirectUri);
  const addresses = await Promise.all([ask(), ask(), ask()]);
  assert.equal(asked.length, 2);
  assert.equal(new Set(addresses).size, 1);
  await ask();
  assert.equal(asked.length, 2);
  time.ms = 3_600_000;
  await ask();
  assert.equal(asked.length, 3);
});

test("an address holds the challenge and never the verifier", async (t) => {
  const { issuer } = await serve(t, metadataOf);
  const address = new URL(await clientAt(issuer).addressFor(checks, redirectUri));
  assert.equal(address.searchParams.get("code_challenge_method"), "S256");
  assert.equal(address.searchParams.get("redirect_uri"), redirectUri);
  assert.ok(!address.href.includes(checks.verifier));
});
