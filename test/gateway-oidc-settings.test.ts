/** What an operator may set of an OpenID provider, against a real one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startInside } from "./harness/inside.ts";
import { signInThere } from "./harness/oidc-provider.ts";
import { startOidcRelay, verified } from "./harness/oidc-relay.ts";
import { approveAt, linkIn, openBrowser, signInAt, userOf } from "./harness/oidc-sign-in.ts";
import { addAnn, begin, openPage, password, poll } from "./harness/sign-in.ts";

describe("an OpenID provider", () => {
  for (const [what, options] of [
    ["a secret in the form", { auth: "client_secret_post", env: { OIDC_CLIENT_AUTH: "post" } }],
    ["no secret, and PKCE alone", { secret: null }],
  ] as const) {
    it(`knows the relay by ${what}`, async (t) => {
      const at = await startOidcRelay({ ...options, people: { ann: verified("ann@example.com") } });
      t.after(() => at.remove());
      await at.addUser("ann@example.com");
      await signInAt(at, "ann");
    });
  }

  it("may be the only way: then no password is taken", async (t) => {
    const at = await startOidcRelay({
      env: { PASSWORD_SIGNIN: "off" },
      people: { ann: verified("ann@example.com") },
    });
    t.after(() => at.remove());
    await addAnn(at.relay);
    await at.addUser("ann@example.com");
    const begun = await begin(at.relay);
    const browser = await openPage(at.relay);
    const { text } = await browser.send({ action: "find", user_code: begun.user_code });
    assert.doesNotMatch(text, /password|Approve<|value="approve"/i);
    const form = { action: "approve", user_code: begun.user_code, name: "ann", password };
    assert.equal((await browser.send(form)).status, 403);
    assert.equal((await poll(at.relay, begun)).body.error, "authorization_pending");
    await signInAt(at, "ann");
  });

  it("is a way that stays under the relay's path, where others live at the same host", async (t) => {
    const base = "http://localhost/relay";
    const at = await startOidcRelay({
      env: { PROXY_BASE_URL: base },
      people: { ann: verified("ann@example.com") },
    });
    t.after(() => at.remove());
    at.provider.register({ redirectUri: `${base}/device/callback` });
    await at.addUser("ann@example.com");
    const begun = await begin(at.relay);
    const browser = openBrowser(at.relay);
    /** Where the page leads, as the proxy before the relay passes it on. */
    const passed = (path: string): string => {
      assert.match(path, /^\/relay\/device/);
      return path.slice("/relay".length);
    };
    const onlyThere = (): void => {
      for (const [, to = ""] of browser.page().text.matchAll(/(?:href|action)="([^"]*)"/g)) {
        passed(to);
      }
    };
    await browser.go("/device");
    onlyThere();
    await browser.send({ action: "find", user_code: begun.user_code });
    onlyThere();
    const left = await browser.go(passed(linkIn(browser.page())));
    const back = await signInThere(left.headers.get("location") ?? "", "ann");
    assert.equal((await browser.go(passed(`${back.pathname}${back.search}`))).status, 200);
    onlyThere();
    assert.equal((await browser.send({ action: "approve" })).status, 200);
    assert.equal((await poll(at.relay, begun)).status, 200);
    assert.equal((await browser.go("/device/callback?state=x")).status, 403);
    onlyThere();
  });

  it("is not asked until somebody signs in, and may come later than the relay", async (t) => {
    const at = await startOidcRelay();
    t.after(() => at.remove());
    assert.equal((await at.relay.call("/device")).status, 200);
    assert.deepEqual(at.provider.asked, []);
  });

  it("makes users of those who are none, where it may, in their organization", async (t) => {
    const at = await startOidcRelay({
      env: {
        OIDC_CREATE_USERS: "on",
        OIDC_ALLOWED_DOMAINS: "example.com, Example.org",
        OIDC_ORGANIZATION: "lab",
      },
      people: {
        new: verified("New.Person@Example.ORG"),
        elsewhere: verified("x@example.com.evil.net"),
        alike: verified("x@not-example.com"),
        twice: verified("x@evil.net@example.com"),
        unverified: { email: "y@example.com", email_verified: false },
        odd: verified("a b@example.com"),
        kelvin: verified("\u212aate@example.com"),
      },
    });
    t.after(() => at.remove());
    const early = await approveAt(at.relay, await begin(at.relay), "new");
    assert.deepEqual([early.status, /organization/.test(early.text)], [403, true]);
    await at.relay.admin("/admin/organizations", { body: { id: "lab" } });
    assert.equal(await userOf(at, await signInAt(at, "new")), "new.person@example.org");
    assert.equal(await userOf(at, await signInAt(at, "new")), "new.person@example.org");
    for (const login of ["elsewhere", "alike", "twice", "unverified", "odd", "kelvin"]) {
      assert.equal((await approveAt(at.relay, await begin(at.relay), login)).status, 403, login);
    }
    const { data } = (await at.relay.admin("/admin/users")).body;
    assert.deepEqual(
      data.map((user: { id: string; organization_id: string }) => [user.id, user.organization_id]),
      [["new.person@example.org", "lab"]],
    );
    assert.deepEqual(
      (await at.audited("user.create")).map(({ actor, subject }) => [actor, subject]),
      [["provider", "new.person@example.org"]],
    );
  });

  it("names users by another claim, where that is set", async (t) => {
    const at = await startOidcRelay({
      env: { OIDC_USER_CLAIM: "preferred_username" },
      people: { one: { preferred_username: "ann" }, two: { preferred_username: "ANN" }, three: {} },
    });
    t.after(() => at.remove());
    await addAnn(at.relay);
    for (const login of ["two", "three"]) {
      assert.equal((await approveAt(at.relay, await begin(at.relay), login)).status, 403, login);
    }
    assert.equal(await userOf(at, await signInAt(at, "one")), "ann");
  });

  it("that is not configured leaves no route", async (t) => {
    const relay = await startInside({ env: { GATEWAY_SIGNIN: "on" } });
    t.after(() => relay.remove());
    for (const path of ["/device/provider", "/device/callback"]) {
      assert.equal((await relay.call(path)).status, 404, path);
    }
  });
});
