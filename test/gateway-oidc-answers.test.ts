/** Answers of an OpenID provider that must not be believed, and a provider that gives none. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { UnsecuredJWT } from "jose";
import { type HostileProvider, startHostileProvider } from "./harness/hostile-provider.ts";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { clientId } from "./harness/oidc-provider.ts";
import { leaveFor, openProviderPage } from "./harness/oidc-sign-in.ts";
import { begin } from "./harness/sign-in.ts";

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow;

describe("an answer of the provider", () => {
  let provider: HostileProvider;
  let relay: InsideRelay;
  before(async () => {
    provider = await startHostileProvider(clientId);
    relay = await startInside({
      env: {
        GATEWAY_SIGNIN: "on",
        OIDC_ISSUER: provider.issuer,
        OIDC_CLIENT_ID: clientId,
        OIDC_CLIENT_SECRET: "a secret of the relay",
      },
    });
    await relay.admin("/admin/users", { body: { id: "ann@example.com" } });
  });
  after(async () => {
    await relay.remove();
    await provider.close();
  });
  beforeEach(() => {
    provider.reset();
    provider.answers.claims = { email: "ann@example.com", email_verified: true };
    // What is known of the provider is asked for again, and limits are whole again.
    relay.advance(3_600_000);
  });

  /** The whole way back, with whatever the provider answers by now. */
  const arrive = async (more: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const browser = await openProviderPage(relay, await begin(relay));
    const location = new URL(await leaveFor(browser));
    provider.expect(location.searchParams.get("nonce") ?? "");
    const state = location.searchParams.get("state") ?? "";
    const query = new URLSearchParams({ code: "code", state, ...more });
    return browser.go(`/device/callback?${query}`);
  };

  const isRefused = async (answer: Answer, status = 403): Promise<void> => {
    assert.equal(answer.status, status, answer.text);
    assert.doesNotMatch(answer.text, /value="approve"/);
  };

  it("that is good counts, a clock a little off too", async () => {
    assert.equal((await arrive()).status, 200);
    const iss = provider.issuer;
    assert.equal((await arrive({ iss })).status, 200);
    Object.assign(provider.answers.claims, { iat: seconds(-90), exp: seconds(-30) });
    assert.equal((await arrive()).status, 200);
    Object.assign(provider.answers.claims, { iat: seconds(30), exp: seconds(90) });
    assert.equal((await arrive()).status, 200);
  });

  for (const [what, claims] of [
    ["for another nonce", { nonce: "another" }],
    ["without a nonce", { nonce: undefined }],
    ["of another issuer", { iss: "https://evil.example" }],
    ["for another client", { aud: "another" }],
    ["for several, of which it is not the one", { aud: [clientId, "b"], azp: "b" }],
    ["of long ago", { iat: seconds(-900), exp: seconds(-600) }],
    ["of the future", { nbf: seconds(600) }],
    ["without an end", { exp: undefined }],
    ["about nobody", { sub: undefined }],
    ["about a name that is too long", { sub: "s".repeat(300) }],
    ["about a name of other letters", { sub: "\u202egnp" }],
  ] as const) {
    it(`${what} is not believed`, async () => {
      Object.assign(provider.answers.claims, claims);
      await isRefused(await arrive());
    });
  }

  it("signed by somebody else, or by nobody, is not believed", async () => {
    provider.answers.strangeKey = true;
    await isRefused(await arrive());
    provider.answers.strangeKey = false;
    const claims = { nonce: "any", email: "ann@example.com", email_verified: true };
    provider.answers.idToken = new UnsecuredJWT(claims)
      .setIssuer(provider.issuer)
      .setAudience(clientId)
      .setSubject("s")
      .setIssuedAt()
      .setExpirationTime("1m")
      .encode();
    await isRefused(await arrive());
    provider.answers.idToken = "not a token";
    await isRefused(await arrive());
  });

  it("that names another issuer in the address is not believed (RFC 9207)", async () => {
    await isRefused(await arrive({ iss: "https://evil.example" }));
    provider.answers.metadata = { authorization_response_iss_parameter_supported: true };
    relay.advance(3_600_000);
    await isRefused(await arrive());
  });

  it("whose UserInfo is about somebody else is not believed", async () => {
    provider.answers.claims = {};
    provider.answers.userInfo = { sub: "t", email: "ann@example.com", email_verified: true };
    await isRefused(await arrive());
    provider.answers.userInfo = { email: "ann@example.com", email_verified: true };
    assert.equal((await arrive()).status, 200);
  });

  it("has address and verification from one place", async () => {
    await relay.admin("/admin/users", { body: { id: "bob@example.com" } });
    provider.answers.claims = { sub: "u", email: "bob@example.com" };
    provider.answers.userInfo = { sub: "u", email: "mine@evil.example", email_verified: true };
    await isRefused(await arrive());
  });

  it("counts once, even where the provider would take its code again", async () => {
    const browser = await openProviderPage(relay, await begin(relay));
    const location = new URL(await leaveFor(browser));
    const travel = browser.jar.get("relay-travel") ?? "";
    provider.expect(location.searchParams.get("nonce") ?? "");
    const state = location.searchParams.get("state") ?? "";
    const path = `/device/callback?${new URLSearchParams({ code: "code", state })}`;
    assert.equal((await browser.go(path)).status, 200);
    browser.jar.set("relay-travel", travel);
    await isRefused(await browser.go(path));
  });

  it("that is none is told of: the relay's fault is the operator's to mend, the provider's is waited for", async () => {
    provider.answers.refusal = { status: 400, body: '{"error":"invalid_grant"}' };
    await isRefused(await arrive());
    provider.answers.refusal = { status: 401, body: '{"error":"invalid_client"}' };
    const unknown = await arrive();
    await isRefused(unknown, 502);
    assert.match(unknown.text, /operator/);
    assert.match(relay.logs.join("\n"), /token endpoint answered 401 invalid_client/);
    provider.answers.refusal = { status: 503, body: "away" };
    const away = await arrive();
    await isRefused(away, 502);
    assert.match(away.text, /cannot be reached/);
    assert.match(away.headers.get("retry-after") ?? "", /^\d+$/);
  });

  it("is not waited for from a provider that calls itself otherwise", async () => {
    const browser = await openProviderPage(relay, await begin(relay));
    const link = /href="(\/device\/provider[^"]*)"/.exec(browser.page().text)?.[1] ?? "";
    for (const issuer of ["https://evil.example", `${provider.issuer}/other`]) {
      provider.answers.metadata = { issuer };
      const { status, headers, text } = await browser.go(link.replaceAll("&amp;", "&"));
      assert.deepEqual([status, headers.get("location")], [502, null]);
      assert.match(text, /do not fit together|cannot be trusted/);
    }
    provider.reset();
    assert.equal((await browser.go(link.replaceAll("&amp;", "&"))).status, 303);
  });
});
