/** Guessed, stolen and replayed at the gateway sign-in: over real HTTP, as an attacker would send it. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import {
  addAnn,
  approve,
  begin,
  openPage,
  password,
  poll,
  postForm,
  refresh,
  signIn,
} from "./harness/sign-in.ts";
import { keptBy } from "./harness/stores.ts";

const minute = 60_000;

describe("an attacker of codes, passwords and tokens", () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside({ env: { GATEWAY_SIGNIN: "on", TRUST_PROXY: "1" } });
    await addAnn(relay);
  });
  after(() => relay.remove());
  beforeEach(() => relay.advance(60 * minute));

  const from = (ip: string) => ({ "x-forwarded-for": ip });
  const audited = async (action: string) =>
    (await relay.admin(`/admin/audit?action=${action}&limit=1000`)).body.data;

  it("cannot guess codes: ten wrong ones from an address, and it waits, while others go on", async () => {
    const begun = await begin(relay);
    const guesser = await openPage(relay, "/device", from("203.0.113.7"));
    const guess = () => guesser.send({ action: "find", user_code: "BBBB-BBBB" });
    // All at once, so that none is judged before the others are counted.
    const answers = await Promise.all(Array.from({ length: 30 }, guess));
    assert.equal(answers.filter(({ status }) => status === 404).length, 10);
    assert.equal(answers.filter(({ status }) => status === 429).length, 20);
    const right = { action: "find", user_code: begun.user_code };
    const blocked = await guesser.send(right);
    assert.equal(blocked.status, 429);
    assert.match(blocked.headers.get("retry-after") ?? "", /^\d+$/);
    const elsewhere = await openPage(relay, "/device", from("203.0.113.8"));
    assert.equal((await elsewhere.send(right)).status, 200);
    assert.ok((await audited("sign_in.refuse")).length > 0);
  });

  it("cannot guess a password, nor shut its owner out from elsewhere", async () => {
    const begun = await begin(relay);
    const form = { action: "approve", user_code: begun.user_code, name: "ann" };
    const guesser = await openPage(relay, "/device", from("198.51.100.7"));
    const guesses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        guesser.send({ ...form, password: `guess ${index}` }),
      ),
    );
    assert.equal(guesses.filter(({ status }) => status === 403).length, 5);
    assert.equal(guesses.filter(({ status }) => status === 429).length, 15);
    assert.equal((await guesser.send({ ...form, password })).status, 429, "even the right one");
    const ann = await openPage(relay, "/device", from("198.51.100.8"));
    assert.equal((await ann.send({ ...form, password })).status, 200);
  });

  it("is told the same of an unknown name as of a wrong password", async () => {
    const begun = await begin(relay);
    const browser = await openPage(relay, "/device", from("198.51.100.20"));
    const attempt = async (name: string) => {
      const form = {
        action: "approve",
        user_code: begun.user_code,
        name,
        password: "not it at all",
      };
      const { status, text } = await browser.send(form);
      return { status, text: text.replace(/value="[^"]*"/g, "") };
    };
    assert.deepEqual(await attempt("nobody"), await attempt("ann"));
    const { data } = (await relay.admin("/admin/audit?action=sign_in.refuse&limit=1000")).body;
    assert.ok(!JSON.stringify(data).includes("nobody"), "what is no name is not written down");
  });

  it("ends what a device code gave when the code is used twice", async () => {
    const begun = await begin(relay);
    await approve(relay, begun);
    const granted = await poll(relay, begun);
    assert.equal((await relay.ask(granted.body.access_token)).status, 200);
    relay.advance(5_000);
    const replayed = await poll(relay, begun);
    assert.deepEqual([replayed.status, replayed.body.error], [400, "invalid_grant"]);
    assert.equal((await relay.ask(granted.body.access_token)).status, 401);
    assert.equal((await refresh(relay, granted.body.refresh_token)).status, 401);
    assert.equal((await audited("device.replay"))[0].detail.what, "device_code");
  });

  it("gets one token when many poll with an approved code at once, and that token is good", async () => {
    const begun = await begin(relay);
    await approve(relay, begun);
    const answers = await Promise.all(Array.from({ length: 8 }, () => poll(relay, begun)));
    const [granted, ...more] = answers.filter(({ status }) => status === 200);
    assert.equal(more.length, 0);
    assert.equal((await relay.ask(granted?.body.access_token)).status, 200);
    const others = answers.filter(({ status }) => status !== 200);
    assert.deepEqual(
      others.map(({ status, body }) => [status, body.error]),
      others.map(() => [400, "slow_down"]),
    );
    assert.equal((await poll(relay, begun)).body.error, "slow_down", "too early to be a theft");
    assert.equal((await relay.ask(granted?.body.access_token)).status, 200);
  });

  it("loses a stolen refresh token, and so does whoever it was stolen from", async () => {
    const stolen = (await signIn(relay)).refresh_token;
    const owner = (await refresh(relay, stolen)).body;
    relay.advance(minute);
    const thief = await refresh(relay, stolen);
    assert.deepEqual([thief.status, thief.body.error], [401, "invalid_grant"]);
    assert.equal((await relay.ask(owner.access_token)).status, 401);
    assert.equal((await refresh(relay, owner.refresh_token)).status, 401);
    const [entry] = await audited("device.replay");
    assert.deepEqual([entry.outcome, entry.detail.what], ["revoked", "refresh_token"]);
  });

  it("is found out within the grace too, once the next token was used", async () => {
    const stolen = (await signIn(relay)).refresh_token;
    const owner = (await refresh(relay, stolen)).body;
    await refresh(relay, owner.refresh_token);
    assert.equal((await refresh(relay, stolen)).status, 401);
    assert.equal((await relay.ask(owner.access_token)).status, 401);
  });

  it("cannot become, or renew, a sign-in at the devices' own doors", async () => {
    const tokens = await signIn(relay);
    const { sub } = JSON.parse(
      Buffer.from(tokens.access_token.split(".")[1] ?? "", "base64url").toString(),
    );
    const taken = await relay.call("/bootstrap", { body: { device_id: sub } });
    assert.equal(taken.status, 403);
    const made = await relay.call("/bootstrap", { body: { device_id: "signin-of-my-own" } });
    assert.equal(made.status, 403);
    const renewed = await relay.call("/refresh", { method: "POST", token: tokens.access_token });
    assert.deepEqual([renewed.status, /oauth\/token/.test(renewed.text)], [403, true]);
  });

  it("gets nothing for an approval given with a password that was changed or taken away since, or by one who went", async () => {
    const admin = (path: string, method: string, body?: object) =>
      relay.admin(path, { method, ...(body !== undefined && { body }) });
    const bob = async (): Promise<void> => {
      await relay.admin("/admin/users", { body: { id: "bob" } });
      assert.equal((await admin("/admin/users/bob/password", "PUT", { password })).status, 200);
    };
    const ends: (() => Promise<unknown>)[] = [
      () => admin("/admin/users/bob/password", "PUT", { password: "another horse battery" }),
      () => admin("/admin/users/bob/password", "DELETE"),
      () => admin("/admin/users/bob", "DELETE"),
      async () => {
        await admin("/admin/users/bob", "DELETE");
        await bob();
      },
    ];
    for (const end of ends) {
      await bob();
      const begun = await begin(relay);
      await approve(relay, begun, "bob");
      relay.advance(minute);
      await end();
      const { status, body } = await poll(relay, begun);
      assert.deepEqual([status, body.error], [400, "access_denied"]);
      await admin("/admin/users/bob", "DELETE");
    }
  });

  it("is answered in OAuth's words for what is no request", async () => {
    const cases: [Record<string, string>, string][] = [
      [{}, "invalid_request"],
      [{ grant_type: "password", username: "ann", password }, "unsupported_grant_type"],
      [{ grant_type: "refresh_token" }, "invalid_request"],
      [
        { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: "x" },
        "invalid_grant",
      ],
    ];
    for (const [fields, error] of cases) {
      const { status, body } = await postForm(relay, "/oauth/token", fields);
      assert.deepEqual([status, body.error], [400, error]);
      assert.equal(body.type, undefined);
    }
    const asJson = await relay.call("/oauth/token", { body: { grant_type: "refresh_token" } });
    assert.equal(asJson.body.error, "invalid_request");
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const twice = "grant_type=refresh_token&refresh_token=a&refresh_token=b";
    const doubled = await relay.call("/oauth/token", {
      method: "POST",
      headers: form,
      body: twice,
    });
    assert.equal(doubled.body.error, "invalid_request");
    const large = await postForm(relay, "/oauth/token", { grant_type: "x".repeat(20_000) });
    assert.equal(large.status, 413);
  });

  it("cannot ask for codes without end", async () => {
    const headers = from("192.0.2.99");
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => postForm(relay, "/oauth/device_authorization", {}, headers)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 30);
    const refused = answers.find(({ status }) => status === 429);
    assert.equal(refused?.body.error, "slow_down");
    assert.match(refused?.headers.get("retry-after") ?? "", /^\d+$/);
  });

  it("finds no code, token or password in what the relay keeps or logs", async () => {
    const begun = await begin(relay);
    await approve(relay, begun);
    const tokens = (await poll(relay, begun)).body;
    const next = (await refresh(relay, tokens.refresh_token)).body;
    const secrets = [
      ...[begun.device_code, begun.user_code, begun.user_code.replace("-", ""), password],
      ...[tokens.access_token, tokens.refresh_token, next.refresh_token],
    ];
    const kept: (readonly [string, string])[] = [...(await keptBy(relay.dataDir))];
    kept.push(["log", relay.logs.join("\n")]);
    for (const [place, text] of kept) {
      for (const secret of secrets) {
        assert.ok(!text.includes(secret), `${place} holds a secret`);
      }
    }
  });
});
