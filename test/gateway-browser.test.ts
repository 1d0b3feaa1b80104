/** The verification page in a real Chromium, with a real OpenID provider on another origin. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import type { Browser } from "playwright-core";
import { chromiumMissing, launchChromium } from "./harness/chromium.ts";
import { startInside } from "./harness/inside.ts";
import { clientId, startOidcProvider } from "./harness/oidc-provider.ts";
import { type OidcRelay, startOidcRelay, verified } from "./harness/oidc-relay.ts";
import { openPageIn, picture, press, shows, signInAtProvider } from "./harness/page-visit.ts";
import { addAnn, type Begun, begin, password, poll } from "./harness/sign-in.ts";
import { tempFolder } from "./harness/temp-folder.ts";
import { startTlsFront } from "./harness/tls-front.ts";

describe("the verification page in a browser", { skip: chromiumMissing }, () => {
  let at: OidcRelay;
  let browser: Browser;
  before(async () => {
    at = await startOidcRelay({ people: { "sub-of-ann": verified("ann@example.com") } });
    await addAnn(at.relay);
    await at.addUser("ann@example.com");
    browser = await launchChromium();
  });
  after(async () => {
    await browser.close();
    await at.remove();
  });
  // Limits by address are whole again.
  beforeEach(() => at.relay.advance(3_600_000));

  const visit = (t: TestContext, begun: Begun, colorScheme?: "light" | "dark") =>
    openPageIn(browser, t, begun.verification_uri_complete, colorScheme);

  const tokenOf = async (begun: Begun): Promise<string> => {
    const { status, text, body } = await poll(at.relay, begun);
    assert.equal(status, 200, text);
    return body.access_token;
  };

  for (const scheme of ["light", "dark"] as const) {
    it(`approves with a password, ${scheme}`, async (t) => {
      const begun = await begin(at.relay);
      const { page, faults } = await visit(t, begun, scheme);
      assert.equal(await page.getByLabel(/The code/).inputValue(), begun.user_code);
      await picture(page, `code-${scheme}`);
      await press(page, "Continue");
      await shows(page, "Approve this sign-in?");
      await picture(page, `ask-${scheme}`);
      await page.getByLabel("Your name").fill("ann");
      await page.getByLabel("Password").fill(password);
      await press(page, "Approve");
      await shows(page, "Signed in");
      await picture(page, `done-${scheme}`);
      assert.equal((await at.relay.ask(await tokenOf(begun))).status, 200);
      assert.deepEqual(faults, []);
    });

    it(`approves after a sign-in at the provider, ${scheme}`, async (t) => {
      const begun = await begin(at.relay);
      const { page, context, faults } = await visit(t, begun, scheme);
      await press(page, "Continue");
      await signInAtProvider(page, "sub-of-ann");
      await shows(page, "Approve this sign-in?");
      assert.match(
        await page.locator("form").innerText(),
        /You are ann@example\.com, signed in at 127\.0\.0\.1/,
      );
      assert.equal((await poll(at.relay, begun)).body.error, "authorization_pending");
      await picture(page, `known-${scheme}`);
      await press(page, "Approve");
      await shows(page, "Signed in");
      at.relay.advance(5_000);
      assert.equal((await at.relay.ask(await tokenOf(begun))).status, 200);
      assert.deepEqual(faults, []);
      const ours = (await context.cookies()).filter(({ name }) => name.startsWith("relay"));
      assert.deepEqual(
        ours.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]),
        [["relay-form", true, "Strict"]],
        "nothing of the person stays in the browser",
      );
    });
  }

  it("gives nothing when the person denies, signed in at the provider or not", async (t) => {
    for (const signedIn of [true, false]) {
      const begun = await begin(at.relay);
      const { page, faults } = await visit(t, begun);
      await press(page, "Continue");
      if (signedIn) {
        await signInAtProvider(page, "sub-of-ann");
      }
      await press(page, "Deny");
      await shows(page, "Denied");
      assert.equal((await poll(at.relay, begun)).body.error, "access_denied");
      assert.deepEqual(faults, []);
    }
  });

  it("says so of a wrong code, and takes the right one then", async (t) => {
    const begun = await begin(at.relay);
    const { page } = await visit(t, begun);
    await page.getByLabel(/The code/).fill("BBBB-BBBB");
    await press(page, "Continue");
    assert.match(await page.getByRole("alert").innerText(), /Nobody waits with this code/);
    await picture(page, "wrong-code");
    await page.getByLabel(/The code/).fill(begun.user_code.toLowerCase());
    await press(page, "Continue");
    await shows(page, "Approve this sign-in?");
  });

  it("says so when the provider is away, and leaves the other ways open", async (t) => {
    const away = await startOidcProvider();
    const other = await startInside({
      env: { GATEWAY_SIGNIN: "on", OIDC_ISSUER: away.issuer, OIDC_CLIENT_ID: clientId },
    });
    t.after(() => other.remove());
    await away.close();
    await addAnn(other);
    const begun = await begin(other);
    const { page } = await visit(t, begun);
    await press(page, "Continue");
    await page.getByRole("link", { name: /^Sign in at/ }).click();
    assert.match(await page.getByRole("alert").first().innerText(), /cannot be reached/);
    await picture(page, "away");
    await page.getByLabel("Your name").fill("ann");
    await page.getByLabel("Password").fill(password);
    await press(page, "Approve");
    await shows(page, "Signed in");
  });

  it("shows who may not sign in that they may not, and lets them start again", async (t) => {
    const begun = await begin(at.relay);
    const { page } = await visit(t, begun);
    await press(page, "Continue");
    await signInAtProvider(page, "a-stranger");
    assert.match(await page.getByRole("alert").innerText(), /not verified|no user/);
    await picture(page, "stranger");
    await page.getByRole("link", { name: "Start again" }).click();
    assert.equal(await page.getByLabel(/The code/).inputValue(), begun.user_code);
  });

  it("goes on in another tab that was open before, and after the page is loaded anew", async (t) => {
    const [one, two] = [await begin(at.relay), await begin(at.relay)];
    const { page, context } = await visit(t, one);
    await press(page, "Continue");
    const tab = await context.newPage();
    await tab.goto(two.verification_uri_complete);
    await press(tab, "Continue");
    await signInAtProvider(tab, "sub-of-ann");
    await press(tab, "Approve");
    await shows(tab, "Signed in");
    await press(page, "Deny");
    await shows(page, "Denied");
    await tab.goto(one.verification_uri_complete);
    await tab.reload();
    assert.equal(await tab.getByLabel(/The code/).inputValue(), one.user_code);
  });

  it("keeps its cookies to itself over https, and finds the way back all the same", async (t) => {
    const front = await startTlsFront(tempFolder(t));
    t.after(() => front.close());
    const there = await startOidcProvider({ ann: verified("ann@example.com") });
    t.after(() => there.close());
    const behind = await startInside({
      env: {
        GATEWAY_SIGNIN: "on",
        PASSWORD_SIGNIN: "off",
        PROXY_BASE_URL: front.url,
        OIDC_ISSUER: there.issuer,
        OIDC_CLIENT_ID: clientId,
      },
    });
    t.after(() => behind.remove());
    front.pointAt(behind.port);
    there.register({ redirectUri: `${front.url}/device/callback`, secret: null });
    await behind.admin("/admin/users", { body: { id: "ann@example.com" } });
    const begun = await begin(behind);
    const { page, context, faults } = await visit(t, begun);
    await press(page, "Continue");
    await picture(page, "provider-only");
    const left = page.waitForRequest((request) => request.url().startsWith(there.issuer));
    await page.getByRole("link", { name: /^Sign in at/ }).click();
    assert.equal((await (await left).allHeaders())["referer"], undefined);
    const travelling = (await context.cookies()).filter(({ name }) => name.startsWith("__Host-"));
    assert.deepEqual(
      travelling.map(({ name, secure, sameSite }) => [name, secure, sameSite]).sort(),
      [
        ["__Host-relay-form", true, "Strict"],
        ["__Host-relay-travel", true, "Lax"],
      ],
    );
    await page.getByLabel("Login").fill("ann");
    await page.getByLabel("Password").fill("any");
    await press(page, "Sign in");
    await press(page, "Approve");
    await shows(page, "Signed in");
    assert.equal((await poll(behind, begun)).status, 200);
    assert.deepEqual(faults, []);
  });

  it("spends the provider's answer once: loading the page anew does not use it again", async (t) => {
    const begun = await begin(at.relay);
    const { page } = await visit(t, begun);
    await press(page, "Continue");
    await signInAtProvider(page, "sub-of-ann");
    await page.reload();
    assert.match(await page.getByRole("alert").innerText(), /used already/);
    assert.equal((await poll(at.relay, begun)).body.error, "authorization_pending");
  });
});
