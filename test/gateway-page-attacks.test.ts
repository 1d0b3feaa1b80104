/** What must not work at the verification page of the gateway sign-in: over real HTTP, as an attacker would send it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { addAnn, begin, openPage, password, poll } from "./harness/sign-in.ts";

describe("an attacker of the verification page", () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside({ env: { GATEWAY_SIGNIN: "on" } });
    await addAnn(relay);
  });
  after(() => relay.remove());
  // Limits by address are whole again.
  beforeEach(() => relay.advance(3_600_000));

  it("cannot have a form sent from another site", async () => {
    const begun = await begin(relay);
    const mine = await openPage(relay);
    const hers = await openPage(relay);
    const form = { action: "approve", user_code: begun.user_code, name: "ann", password };
    const attempts = [
      await hers.send({ ...form, csrf: "" }),
      await hers.send({ ...form, csrf: mine.csrf }),
      await hers.send(form, { cookie: "" }),
      await hers.send(form, { cookie: mine.cookie }),
      await hers.send(form, { origin: "https://evil.example" }),
      await hers.send(form, { origin: "null" }),
      await hers.send(form, { "sec-fetch-site": "cross-site" }),
      await hers.send(form, { "sec-fetch-site": "same-site" }),
    ];
    assert.deepEqual(
      attempts.map(({ status }) => status),
      attempts.map(() => 403),
    );
    assert.equal((await poll(relay, begun)).body.error, "authorization_pending");
    const own = { origin: relay.url, "sec-fetch-site": "same-origin" };
    assert.equal((await hers.send(form, own)).status, 200);
  });

  it("cannot approve by a link: a code in the address is only filled in", async () => {
    const begun = await begin(relay);
    const { page } = await openPage(relay, `/device?user_code=${begun.user_code}&action=approve`);
    assert.doesNotMatch(page.text, /<script|autofocus|onload|http-equiv|Approve</i);
    assert.equal((await poll(relay, begun)).body.error, "authorization_pending");
  });

  it("cannot frame, script or leak the page", async () => {
    const begun = await begin(relay);
    const browser = await openPage(relay);
    for (const { headers } of [
      browser.page,
      await browser.send({ action: "find", user_code: begun.user_code }),
      await browser.send({ action: "find", user_code: "BBBB-BBBB" }),
      await browser.send({ csrf: "x" }),
    ]) {
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.match(policy, /form-action 'self'/);
      assert.doesNotMatch(policy, /unsafe|script-src|\*/);
      assert.equal(headers.get("x-frame-options"), "DENY");
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("cache-control"), "no-store");
    }
    const [, style = ""] = /<style>([\s\S]*)<\/style>/.exec(browser.page.text) ?? [];
    const digest = createHash("sha256").update(style).digest("base64");
    const policy = browser.page.headers.get("content-security-policy") ?? "";
    assert.ok(policy.includes(`style-src 'sha256-${digest}'`), "its own style alone");
    const cookie = browser.page.headers.get("set-cookie") ?? "";
    assert.match(cookie, /HttpOnly; SameSite=Strict/);
  });

  it("cannot put markup into any field that is shown", async () => {
    const evil = `"><script>alert(1)</script><img src=x onerror='a'>`;
    const begun = await begin(relay, { "user-agent": `${evil}&amp;` });
    const browser = await openPage(relay, `/device?user_code=${encodeURIComponent(evil)}`);
    const pages = [
      browser.page,
      await browser.send({ action: "find", user_code: begun.user_code }),
      await browser.send({ action: "find", user_code: evil }),
      await browser.send({
        action: "approve",
        user_code: begun.user_code,
        name: evil,
        password: evil,
      }),
      await browser.send({ action: evil, user_code: begun.user_code }),
      await browser.send({ csrf: evil }),
      await browser.send({ [evil]: "1", user_code: evil }),
    ];
    for (const { text, headers } of pages) {
      assert.doesNotMatch(text, /<script|<img/);
      assert.match(headers.get("content-type") ?? "", /^text\/html/);
    }
    assert.match(pages[1]?.text ?? "", /&quot;&gt;&lt;script&gt;alert\(1\)/);
    assert.match(pages[1]?.text ?? "", /&amp;amp;/);
  });

  it("cannot turn the text of the page around with direction marks", async () => {
    const begun = await begin(relay, {
      "user-agent": Buffer.from("safe\u202Eelif", "utf8").toString("latin1"),
    });
    const browser = await openPage(relay);
    const { text } = await browser.send({ action: "find", user_code: begun.user_code });
    assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u0080-\u009f]/);
  });

  it("cannot be sent elsewhere afterwards: nothing redirects", async () => {
    const begun = await begin(relay);
    const evil = "https://evil.example/";
    const path = `/device?user_code=${begun.user_code}&next=${evil}&redirect_uri=${evil}`;
    const browser = await openPage(relay, path);
    const form = { action: "approve", user_code: begun.user_code, name: "ann", password };
    const done = await browser.send({ ...form, next: evil, redirect_uri: evil });
    for (const { status, headers, text } of [browser.page, done]) {
      assert.equal(status, 200);
      assert.equal(headers.get("location"), null);
      assert.doesNotMatch(text, /evil\.example/);
    }
  });
});
