/** What must not work on the way over an OpenID provider: over real HTTP, as an attacker would send it. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { clientSecret, signInThere } from "./harness/oidc-provider.ts";
import { type OidcRelay, startOidcRelay, verified } from "./harness/oidc-relay.ts";
import {
  approveAt,
  backFrom,
  leaveFor,
  linkIn,
  openBrowser,
  openProviderPage,
} from "./harness/oidc-sign-in.ts";
import { type Begun, begin, poll } from "./harness/sign-in.ts";
import { keptBy } from "./harness/stores.ts";

describe("an attacker of the way over an OpenID provider", () => {
  let at: OidcRelay;
  before(async () => {
    at = await startOidcRelay({
      env: { TRUST_PROXY: "1" },
      people: {
        ann: verified("ann@example.com"),
        eve: verified("eve@example.com"),
        unverified: { email: "ann@example.com", email_verified: false },
        silent: { email: "ann@example.com" },
        truthy: { email: "ann@example.com", email_verified: 1 },
      },
    });
    await at.addUser("ann@example.com");
    await at.addUser("eve@example.com");
  });
  after(() => at.remove());
  beforeEach(() => at.relay.advance(3_600_000));

  const waits = async (begun: Begun): Promise<void> => {
    assert.equal((await poll(at.relay, begun)).body.error, "authorization_pending");
  };
  const pathOf = (back: URL): string => `${back.pathname}${back.search}`;

  it("is nobody by an e-mail address that nobody vouches for", async () => {
    for (const login of ["unverified", "silent", "truthy", "nobody"]) {
      const begun = await begin(at.relay);
      const { status, text } = await approveAt(at.relay, begun, login);
      assert.deepEqual([status, /not verified/.test(text)], [403, true], login);
      await waits(begun);
    }
    const rows = await at.audited("sign_in.refuse");
    assert.ok(rows.every(({ detail }) => detail["by"] === "provider" && detail["account"]));
    assert.doesNotMatch(JSON.stringify(rows), /ann@example|unverified"/);
  });

  it("cannot approve by links alone: whoever comes back still has to press the button", async () => {
    const begun = await begin(at.relay);
    const browser = await openProviderPage(at.relay, begun);
    const back = await backFrom(browser, "ann");
    assert.equal(back.status, 200);
    assert.doesNotMatch(back.text, /<script|autofocus|onload|http-equiv/i);
    assert.match(back.text, new RegExp(begun.user_code));
    await waits(begun);
  });

  it("cannot send anybody to the provider: the link is of one browser and one code", async () => {
    const [hers, mine] = [await begin(at.relay), await begin(at.relay)];
    const victim = await openProviderPage(at.relay, hers);
    const attacker = await openProviderPage(at.relay, mine);
    const link = linkIn(victim.page());
    const swapped = link.replace(hers.user_code, mine.user_code);
    for (const path of [
      linkIn(attacker.page()),
      swapped,
      `/device/provider?user_code=${mine.user_code}`,
      `/device/provider?user_code=${mine.user_code}&link=x`,
    ]) {
      const { status, headers } = await victim.go(path);
      assert.deepEqual([status, headers.get("location")], [403, null], path);
    }
    assert.equal((await openBrowser(at.relay).go(link)).status, 403);
    assert.equal((await victim.go(link)).status, 303);
  });

  it("cannot put their own answer, or their own sign-in, into somebody's browser", async () => {
    const [hers, mine] = [await begin(at.relay), await begin(at.relay)];
    const victim = await openProviderPage(at.relay, hers);
    const attacker = await openProviderPage(at.relay, mine);
    const sent = new URL(await leaveFor(victim));
    const back = await signInThere(await leaveFor(attacker), "eve");
    // Signs the victim in as the attacker: the state is of no browser but the attacker's.
    assert.equal((await victim.go(pathOf(back))).status, 403);
    assert.equal((await openBrowser(at.relay).go(pathOf(back))).status, 403);
    // The attacker's code under the victim's state: PKCE and nonce are of the attacker's.
    const injected = new URL(back);
    injected.searchParams.set("state", sent.searchParams.get("state") ?? "");
    const { status, text } = await victim.go(pathOf(injected));
    assert.deepEqual([status, /cannot be trusted/.test(text)], [403, true]);
    await waits(hers);
  });

  it("cannot use an answer again, nor a cookie that was changed, nor either too late", async () => {
    const begun = await begin(at.relay);
    const browser = await openProviderPage(at.relay, begun);
    const location = await leaveFor(browser);
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const back = await signInThere(location, "ann");
    const travel = browser.jar.get("relay-travel") ?? "";
    const [payload = "", signature = ""] = travel.split(".");
    const other = { note: { userCode: begun.user_code, browser: "b", state: "s" }, until: 9e15 };
    const forged = Buffer.from(JSON.stringify(other)).toString("base64url");
    for (const wrong of [
      "",
      payload,
      `${payload}.`,
      `${payload}x.${signature}`,
      `${forged}.${signature}`,
      `${travel}.x`,
    ]) {
      const headers = { cookie: `relay-travel=${wrong}` };
      assert.equal((await openBrowser(at.relay).go(pathOf(back), headers)).status, 403, wrong);
    }
    const first = await openBrowser(at.relay).go(pathOf(back), { cookie });
    assert.equal(first.status, 200, first.text);
    const again = await openBrowser(at.relay).go(pathOf(back), { cookie });
    assert.equal(again.status, 403);
    const late = await openProviderPage(at.relay, await begin(at.relay));
    const lateBack = await signInThere(await leaveFor(late), "ann");
    at.relay.advance(600_000);
    assert.equal((await late.go(pathOf(lateBack))).status, 403);
  });

  it("cannot carry a person's proof to another code, another browser or a later day", async () => {
    const [mine, hers] = [await begin(at.relay), await begin(at.relay)];
    const browser = await openProviderPage(at.relay, hers);
    const back = await backFrom(browser, "ann");
    const [, ticket = ""] = /name="ticket" value="([^"]*)"/.exec(back.text) ?? [];
    const approve = { action: "approve", user_code: mine.user_code, ticket };
    assert.equal((await browser.send(approve)).status, 403);
    await waits(mine);
    const attacker = await openProviderPage(at.relay, hers);
    const stolen = { action: "approve", user_code: hers.user_code, ticket };
    assert.equal((await attacker.send(stolen)).status, 403);
    assert.equal((await attacker.send({ ...stolen, ticket: "" })).status, 403);
    const travel = { ...stolen, ticket: browser.jar.get("relay-travel") ?? "x.y" };
    assert.equal((await attacker.send(travel)).status, 403);
    await waits(hers);
    at.relay.advance(300_000);
    await browser.go("/device");
    assert.equal((await browser.send(stolen)).status, 403);
  });

  it("cannot have people sent anywhere but to the provider and back to this relay", async () => {
    const begun = await begin(at.relay);
    const evil = "https://evil.example/";
    const browser = await openProviderPage(at.relay, begun, {
      host: "evil.example",
      "x-forwarded-host": "evil.example",
    });
    const link = `${linkIn(browser.page())}&redirect_uri=${evil}&next=${evil}&issuer=${evil}`;
    const { headers } = await browser.go(link);
    const location = new URL(headers.get("location") ?? "");
    assert.equal(location.origin, at.provider.issuer);
    assert.equal(
      location.searchParams.get("redirect_uri"),
      `http://localhost:${at.relay.port}/device/callback`,
    );
    assert.doesNotMatch(location.href, /evil/);
    assert.equal(location.searchParams.get("code_challenge_method"), "S256");
    assert.match(headers.get("referrer-policy") ?? "", /same-origin/);
    assert.equal(headers.get("cache-control"), "no-store");
    const cookie = headers.getSetCookie().find((one) => one.startsWith("relay-travel")) ?? "";
    assert.match(cookie, /Path=\/; Max-Age=600; HttpOnly; SameSite=Lax/);
  });

  it("cannot make the page say what they like through the provider's answer", async () => {
    const begun = await begin(at.relay);
    const browser = await openProviderPage(at.relay, begun);
    const state = new URL(await leaveFor(browser)).searchParams.get("state") ?? "";
    const evil = "<script>alert(1)</script> call 0800-EVIL now";
    const query = new URLSearchParams({ state, error: evil, error_description: evil });
    const { status, text } = await browser.go(`/device/callback?${query}`);
    assert.equal(status, 403);
    assert.doesNotMatch(text, /<script|0800-EVIL/);
    assert.doesNotMatch(at.relay.logs.join("\n"), /0800-EVIL/);
  });

  it("cannot have answers tried without end", async () => {
    const headers = { "x-forwarded-for": "203.0.113.77" };
    const attempt = async (): Promise<number> => {
      const browser = await openProviderPage(at.relay, begun, headers);
      const state = new URL(await leaveFor(browser)).searchParams.get("state") ?? "";
      return (await browser.go(`/device/callback?${new URLSearchParams({ state, code: "x" })}`))
        .status;
    };
    const begun = await begin(at.relay, headers);
    const answers: number[] = [];
    for (let count = 0; count < 25; count += 1) {
      answers.push(await attempt());
    }
    assert.deepEqual(answers, [...Array(20).fill(403), ...Array(5).fill(429)]);
  });

  it("is told that a person would not, and gets nothing", async () => {
    const begun = await begin(at.relay);
    const browser = await openProviderPage(at.relay, begun);
    const back = await signInThere(await leaveFor(browser), "");
    assert.equal(back.searchParams.get("error"), "access_denied");
    const { status, text } = await browser.go(pathOf(back));
    assert.deepEqual([status, /did not sign you in/.test(text)], [403, true]);
    assert.match(text, new RegExp(`/device\\?user_code=${begun.user_code}`));
    await waits(begun);
  });

  it("finds nothing of the provider's in what the relay keeps or logs", async () => {
    const begun = await begin(at.relay);
    const browser = await openProviderPage(at.relay, begun);
    const location = new URL(await leaveFor(browser));
    const back = await signInThere(location.href, "ann");
    const page = await browser.go(pathOf(back));
    const [, ticket = ""] = /name="ticket" value="([^"]*)"/.exec(page.text) ?? [];
    assert.equal((await browser.send({ action: "approve" })).status, 200);
    const of = ({ searchParams }: URL, name: string): string => searchParams.get(name) ?? "";
    const secrets = [
      ...[clientSecret, ticket, of(back, "code"), of(location, "state"), of(location, "nonce")],
      browser.jar.get("relay-form") ?? "",
    ];
    const kept: (readonly [string, string])[] = [...(await keptBy(at.relay.dataDir))];
    kept.push(["log", at.relay.logs.join("\n")]);
    for (const [place, text] of kept) {
      for (const secret of secrets) {
        assert.ok(secret.length > 8 && !text.includes(secret), `${place} holds a secret`);
      }
    }
  });
});
