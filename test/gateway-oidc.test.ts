/** People who sign in at an OpenID provider, against a real one: the whole wire over real HTTP. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { signInThere } from "./harness/oidc-provider.ts";
import { type OidcRelay, startOidcRelay, verified } from "./harness/oidc-relay.ts";
import {
  approveAt,
  backFrom,
  leaveFor,
  openProviderPage,
  signInAt,
  userOf,
} from "./harness/oidc-sign-in.ts";
import { addAnn, begin, password, poll, refresh, type Tokens } from "./harness/sign-in.ts";

const minute = 60_000;

describe("signing in at an OpenID provider", () => {
  let at: OidcRelay;
  before(async () => {
    at = await startOidcRelay({
      people: {
        "sub-of-ann": verified("Ann@Example.com"),
        "sub-of-bob": verified("bob@example.com"),
      },
    });
    await addAnn(at.relay);
    await at.addUser("ann@example.com", "lab");
    await at.addUser("bob@example.com");
  });
  after(() => at.remove());
  // Limits by address are whole again.
  beforeEach(() => at.relay.advance(60 * minute));

  const isOver = async ({ access_token, refresh_token }: Tokens): Promise<void> => {
    assert.equal((await at.relay.ask(access_token)).status, 401);
    assert.equal((await refresh(at.relay, refresh_token)).status, 401);
  };

  it("gives a token once the person is back and has approved; they are a user like any", async () => {
    const { relay } = at;
    const begun = await begin(relay);
    const browser = await openProviderPage(relay, begun);
    const back = await backFrom(browser, "sub-of-ann");
    assert.equal(back.status, 200, back.text);
    assert.match(back.text, /<strong>ann@example\.com<\/strong>/);
    assert.match(back.text, /claude-cli\/2\.1\.329/);
    assert.equal((await poll(relay, begun)).body.error, "authorization_pending");
    const done = await browser.send({ action: "approve", user_code: begun.user_code });
    assert.equal(done.status, 200, done.text);
    relay.advance(5_000);
    const granted = await poll(relay, begun);
    assert.equal(granted.status, 200, granted.text);
    assert.equal((await relay.ask(granted.body.access_token)).status, 200);
    assert.equal(await userOf(at, granted.body), "ann@example.com");
    const { body: usage } = await relay.admin("/admin/usage?group_by=user,org");
    const { group } = usage.groups.find(
      (one: { group: { user: string } }) => one.group.user === "ann@example.com",
    );
    assert.equal(group.org, "lab");
  });

  it("tells the audit log who and by which account, and nothing else of what the provider said", async () => {
    await signInAt(at, "sub-of-ann");
    const [approved] = await at.audited("sign_in.approve");
    assert.equal(approved?.actor, "user:ann@example.com");
    assert.equal(approved?.detail["by"], "provider");
    const linked = await at.audited("user.link");
    assert.equal(linked.length, 1, "an account is linked once");
    assert.equal(linked[0]?.detail["link"], approved?.detail["link"]);
    assert.match(String(linked[0]?.detail["account"]), /^[0-9a-f]{32}$/);
    assert.doesNotMatch(JSON.stringify(linked), /sub-of-ann|Ann@Example/);
  });

  it("asks the provider for nothing but its answer, keys and what its answer left out", async () => {
    await signInAt(at, "sub-of-ann");
    const before = at.provider.asked.length;
    await signInAt(at, "sub-of-ann");
    const asked = at.provider.asked.slice(before).filter((path) => !/auth|interaction/.test(path));
    assert.deepEqual(asked, ["/token", "/jwks", "/me"]);
  });

  it("stays good when the provider has new keys, at once", async () => {
    at.provider.rotateKeys();
    assert.equal((await at.relay.ask((await signInAt(at, "sub-of-ann")).access_token)).status, 200);
  });

  it("may fail half-way for a provider that goes away, and works once it is back", async () => {
    const begun = await begin(at.relay);
    const browser = await openProviderPage(at.relay, begun);
    const back = await signInThere(await leaveFor(browser), "sub-of-ann");
    at.provider.behave("away");
    const { status, text, headers } = await browser.go(`${back.pathname}${back.search}`);
    at.provider.behave("well");
    assert.equal(status, 502);
    assert.match(text, /cannot be reached. Try again/);
    assert.match(headers.get("retry-after") ?? "", /^\d+$/);
    const again = await approveAt(at.relay, begun, "sub-of-ann");
    assert.equal(again.status, 200, again.text);
  });

  it("knows the account and not its e-mail address: that may change, and go to somebody else", async () => {
    await signInAt(at, "sub-of-ann");
    at.provider.people["sub-of-ann"] = verified("bob@example.com");
    assert.equal(await userOf(at, await signInAt(at, "sub-of-ann")), "ann@example.com");
    at.provider.people["sub-of-ann"] = { email: "ann.smith@example.com", email_verified: false };
    assert.equal(await userOf(at, await signInAt(at, "sub-of-ann")), "ann@example.com");
    at.provider.people["sub-of-eve"] = verified("ann@example.com");
    const stolen = await approveAt(at.relay, await begin(at.relay), "sub-of-eve");
    assert.equal(stolen.status, 403);
    assert.match(stolen.text, /belongs to another account/);
  });

  it("works beside passwords, which end such sign-ins too", async () => {
    await at.relay.admin("/admin/users/bob@example.com/password", {
      method: "PUT",
      body: { password },
    });
    const tokens = await signInAt(at, "sub-of-bob");
    const begun = await begin(at.relay);
    assert.equal((await approveAt(at.relay, begun, "sub-of-bob")).status, 200);
    at.relay.advance(minute);
    await at.relay.admin("/admin/users/bob@example.com/password", {
      method: "PUT",
      body: { password: `${password}!` },
    });
    await isOver(tokens);
    assert.equal((await poll(at.relay, begun)).body.error, "access_denied");
  });

  it("ends when the account is unlinked, even between approval and token", async () => {
    const tokens = await signInAt(at, "sub-of-bob");
    const [approved, open] = [await begin(at.relay), await begin(at.relay)];
    assert.equal((await approveAt(at.relay, approved, "sub-of-bob")).status, 200);
    const browser = await openProviderPage(at.relay, open);
    assert.equal((await backFrom(browser, "sub-of-bob")).status, 200);
    const path = "/admin/users/bob@example.com/sign-in-links";
    const { data } = (await at.relay.admin(path)).body;
    assert.deepEqual([data[0].issuer, data[0].subject], [at.provider.issuer, "sub-of-bob"]);
    assert.equal((await at.relay.admin(path, { method: "DELETE" })).status, 200);
    assert.equal((await at.relay.admin(path, { method: "DELETE" })).status, 404);
    assert.equal((await at.relay.call(path)).status, 401);
    await isOver(tokens);
    assert.equal((await poll(at.relay, approved)).body.error, "access_denied");
    const late = await browser.send({ action: "approve", user_code: open.user_code });
    assert.equal(late.status, 403, "the page that was open is worth nothing");
    assert.equal((await at.audited("user.unlink")).length, 1);
    assert.equal(await userOf(at, await signInAt(at, "sub-of-bob")), "bob@example.com");
  });

  it("ends with the user, and another of the same name is somebody else", async () => {
    const tokens = await signInAt(at, "sub-of-bob");
    const begun = await begin(at.relay);
    assert.equal((await approveAt(at.relay, begun, "sub-of-bob")).status, 200);
    await at.relay.admin("/admin/users/bob@example.com", { method: "DELETE" });
    await at.addUser("bob@example.com");
    await isOver(tokens);
    assert.equal((await poll(at.relay, begun)).body.error, "access_denied");
    const { data } = (await at.relay.admin("/admin/users/bob@example.com/sign-in-links")).body;
    assert.deepEqual(data, []);
    const devices = (await at.relay.admin("/admin/devices?limit=1000")).body.data;
    const left = devices.filter(
      ({ status, user_id }: { status: string; user_id: string | null }) =>
        status === "active" && user_id === "bob@example.com",
    );
    assert.deepEqual(left, []);
  });
});
