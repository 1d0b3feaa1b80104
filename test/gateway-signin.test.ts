/** Claude Code's gateway sign-in, the whole wire over real HTTP, by a clock that the test moves. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import {
  addAnn,
  approve,
  begin,
  deviceGrant,
  openPage,
  password,
  poll,
  postForm,
  refresh,
  signIn,
} from "./harness/sign-in.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const env = { GATEWAY_SIGNIN: "on" };
const minute = 60_000;

describe("gateway sign-in", () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside({ env });
    await addAnn(relay);
  });
  after(() => relay.remove());
  // Limits by address are whole again.
  beforeEach(() => relay.advance(60 * minute));

  const auditOf = async (action: string) =>
    (await relay.admin(`/admin/audit?action=${action}&limit=100`)).body.data;

  it("is discovered at the well-known place, all under one origin", async () => {
    const { status, body } = await relay.call("/.well-known/oauth-authorization-server");
    assert.equal(status, 200);
    assert.equal(body.issuer, `http://localhost:${relay.port}`);
    for (const name of ["device_authorization_endpoint", "token_endpoint", "revocation_endpoint"]) {
      assert.equal(new URL(body[name]).origin, body.issuer);
    }
    assert.deepEqual(body.grant_types_supported, [deviceGrant, "refresh_token"]);
    assert.equal(body.gateway_protocol_version, 1);
    assert.deepEqual(body.token_endpoint_auth_methods_supported, ["none"]);
  });

  it("gives codes of the right shape, each another", async () => {
    const [one, two] = [await begin(relay), await begin(relay)];
    assert.match(one.device_code, /^[A-Za-z0-9_-]{43}$/);
    assert.match(one.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    assert.notEqual(one.device_code, two.device_code);
    assert.notEqual(one.user_code, two.user_code);
    assert.equal(
      one.verification_uri_complete,
      `${one.verification_uri}?user_code=${one.user_code}`,
    );
    assert.deepEqual([one.expires_in, one.interval], [600, 5]);
  });

  it("gives a token once a person has approved, with which they are a caller like any device", async () => {
    const begun = await begin(relay);
    const waiting = await poll(relay, begun);
    assert.deepEqual([waiting.status, waiting.body.error], [400, "authorization_pending"]);
    const browser = await openPage(relay, `/device?user_code=${begun.user_code}`);
    assert.match(browser.page.text, new RegExp(`value="${begun.user_code}"`));
    const shown = await browser.send({ action: "find", user_code: begun.user_code });
    assert.equal(shown.status, 200);
    assert.match(shown.text, /claude-cli\/2\.1\.329 \(external, cli\)/);
    assert.match(shown.text, /127\.0\.0\.1/);
    relay.advance(5_000);
    assert.equal(
      (await poll(relay, begun)).body.error,
      "authorization_pending",
      "looking is not approving",
    );
    const sent = { action: "approve", user_code: begun.user_code.toLowerCase().replace("-", " ") };
    const approved = await browser.send({ ...sent, name: "ann", password });
    assert.equal(approved.status, 200);
    relay.advance(5_000);
    const granted = await poll(relay, begun);
    assert.equal(granted.status, 200);
    assert.equal(granted.headers.get("cache-control"), "no-store");
    assert.equal(granted.body.token_type, "Bearer");
    // The clock stands at a quarter second: never longer than the token lives.
    assert.equal(granted.body.expires_in, 24 * 3600 - 1);

    const answer = await relay.ask(granted.body.access_token);
    assert.equal(answer.status, 200);
    const { body: usage } = await relay.admin("/admin/usage?group_by=user,org,device");
    const mine = usage.groups.find(
      ({ group }: { group: { user: string } }) => group.user === "ann",
    );
    assert.equal(mine.group.org, "lab");
    assert.match(mine.group.device, /^signin-[0-9a-f]{24}$/);
    const [entry] = await auditOf("sign_in.approve");
    assert.deepEqual([entry.actor, entry.outcome], ["user:ann", "ok"]);
  });

  it("holds the person's policies and model lists against the token", async () => {
    const { access_token: token } = await signIn(relay);
    const policy = await relay.admin("/admin/policies", {
      body: { scope: "user", scope_id: "ann", models: ["claude-sonnet-*"] },
    });
    const denied = await relay.ask(token);
    assert.deepEqual([denied.status, denied.body.error.type], [400, "invalid_request_error"]);
    assert.match(denied.body.request_id, /^req_/);
    await relay.admin(`/admin/policies/${policy.body.id}`, { method: "DELETE" });
    assert.equal((await relay.ask(token)).status, 200);
    const headers = { "anthropic-version": "2023-06-01" };
    assert.equal((await relay.call("/v1/models?limit=1000", { token, headers })).status, 200);
  });

  it("asks a client that polls too fast to slow down, and then keeps it to the longer interval", async () => {
    const begun = await begin(relay);
    assert.equal((await poll(relay, begun)).body.error, "authorization_pending");
    relay.advance(1_000);
    assert.equal((await poll(relay, begun)).body.error, "slow_down");
    relay.advance(6_000);
    assert.equal((await poll(relay, begun)).body.error, "slow_down", "ten seconds by now");
    await approve(relay, begun);
    relay.advance(15_000);
    assert.equal((await poll(relay, begun)).status, 200);
  });

  it("says when it was denied, and when it took too long", async () => {
    const [denied, late] = [await begin(relay), await begin(relay)];
    const browser = await openPage(relay);
    assert.equal((await browser.send({ action: "deny", user_code: denied.user_code })).status, 200);
    assert.equal((await poll(relay, denied)).body.error, "access_denied");
    relay.advance(600_000);
    assert.deepEqual(
      [(await poll(relay, late)).status, (await poll(relay, late)).body.error],
      [400, "expired_token"],
    );
    const too = { action: "approve", user_code: late.user_code, name: "ann", password };
    assert.equal((await browser.send(too)).status, 404);
  });

  it("renews with a refresh token, which then is another", async () => {
    const first = await signIn(relay);
    relay.advance(20 * 3_600_000);
    const second = await refresh(relay, first.refresh_token);
    assert.equal(second.status, 200);
    assert.notEqual(second.body.refresh_token, first.refresh_token);
    relay.advance(20 * 3_600_000);
    assert.equal((await relay.ask(first.access_token)).status, 401);
    assert.equal((await relay.ask(second.body.access_token)).status, 200);
  });

  it("gives the same next token to a client whose answer was lost, and to one that asks twice at once", async () => {
    const { refresh_token: token } = await signIn(relay);
    const answers = await Promise.all([refresh(relay, token), refresh(relay, token)]);
    relay.advance(5_000);
    answers.push(await refresh(relay, token));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1);
    assert.equal((await refresh(relay, answers[0]?.body.refresh_token)).status, 200);
  });

  it("is over after thirty days without use", async () => {
    const { refresh_token: token } = await signIn(relay);
    relay.advance(31 * 24 * 3_600_000);
    assert.deepEqual((await refresh(relay, token)).body.error, "invalid_grant");
  });

  it("outlives the process: tokens and what waits for approval", async (t) => {
    const dataDir = tempFolder(t);
    const first = await startInside({ env, dataDir });
    await addAnn(first);
    const tokens = await signIn(first);
    const begun = await begin(first);
    await first.close();
    const again = await startInside({ env, dataDir });
    t.after(() => again.close());
    assert.equal((await again.ask(tokens.access_token)).status, 200);
    assert.equal((await refresh(again, tokens.refresh_token)).status, 200);
    await approve(again, begun);
    assert.equal((await poll(again, begun)).status, 200);
  });

  it("ends at sign-out: the access token too, at once", async () => {
    const tokens = await signIn(relay);
    const out = await postForm(relay, "/oauth/revoke", { token: tokens.refresh_token });
    assert.equal(out.status, 200);
    assert.equal((await relay.ask(tokens.access_token)).status, 401);
    assert.equal((await refresh(relay, tokens.refresh_token)).status, 401);
    const byAccess = await signIn(relay);
    await postForm(relay, "/oauth/revoke", { token: byAccess.access_token });
    assert.equal((await relay.ask(byAccess.access_token)).status, 401);
    assert.equal((await postForm(relay, "/oauth/revoke", { token: "nothing" })).status, 200);
  });

  it("is not there unless it is turned on", async (t) => {
    const off = await startInside();
    t.after(() => off.remove());
    for (const path of [
      "/.well-known/oauth-authorization-server",
      "/device",
      "/managed/settings",
    ]) {
      assert.equal((await off.call(path)).status, 404, path);
    }
    assert.equal((await postForm(off, "/oauth/device_authorization", {})).status, 404);
  });
});
