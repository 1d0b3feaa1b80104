import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import { createFormGuard } from "./csrf.ts";

const guardAt = (baseUrl: string) =>
  createFormGuard({ key: Buffer.alloc(32, 7), baseUrl: () => baseUrl });
const https = guardAt("https://relay.example");

const fault = (headers: IncomingHttpHeaders, token: string, guard = https): string | null => {
  const checked = guard.check(headers, token);
  return checked.ok ? null : checked.fault;
};

const opened = (guard = https) => {
  const { token, cookie } = guard.open({});
  return { token, attributes: cookie, cookie: cookie.split(";")[0] ?? "" };
};

test("a form comes back with the cookie it was given, and only with that", () => {
  const [mine, hers] = [opened(), opened()];
  assert.equal(fault({ cookie: mine.cookie }, mine.token), null);
  assert.notEqual(fault({ cookie: mine.cookie }, hers.token), null);
  assert.notEqual(fault({}, mine.token), null);
  assert.notEqual(fault({ cookie: mine.cookie }, ""), null);
});

test("a browser that has the cookie keeps it, and its older forms stay good", () => {
  const first = opened();
  const again = https.open({ cookie: first.cookie });
  assert.equal(again.token, first.token);
  assert.equal(again.cookie, first.attributes, "for another hour");
});

test("over https the cookie is this host's alone", () => {
  const { attributes } = opened();
  assert.match(
    attributes,
    /^__Host-relay-form=[\w-]{43}; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/,
  );
  assert.match(opened(guardAt("http://localhost:3001")).attributes, /^relay-form=/);
});

test("a browser that sends the cookie twice, of whatever values, is not shut out", () => {
  const [mine, other] = [opened(), opened()];
  for (const sent of [
    [mine, other],
    [other, mine],
    [mine, mine],
  ]) {
    const cookie = sent.map((one) => one.cookie).join("; ");
    assert.equal(fault({ cookie }, mine.token), null);
    assert.equal(fault({ cookie }, https.open({ cookie }).token), null);
  }
});

test("a cookie of another shape is none", () => {
  const { token } = opened();
  for (const cookie of ["__Host-relay-form=x", "__Host-relay-form=", "relay-form=x"]) {
    assert.notEqual(fault({ cookie }, token), null);
    assert.notEqual(https.open({ cookie }).token, token);
  }
});

test("a link leads the browser that was shown it, to one place", () => {
  const [mine, hers] = [opened(), opened()];
  const { browser } = https.open({ cookie: mine.cookie });
  const link = https.linkToken(browser, "a");
  assert.equal(https.follows({ cookie: mine.cookie }, "a", link), browser);
  assert.equal(https.follows({ cookie: hers.cookie }, "a", link), null);
  assert.equal(https.follows({ cookie: mine.cookie }, "b", link), null);
  assert.equal(https.follows({ cookie: mine.cookie }, "a", mine.token), null);
  assert.equal(https.follows({}, "a", link), null);
  assert.notEqual(fault({ cookie: mine.cookie }, link), null, "it is no form's token");
});

test("a browser that is known although it sent no cookie goes on with the one it has", () => {
  const mine = opened();
  const { browser } = https.open({ cookie: mine.cookie });
  assert.deepEqual(https.open({}, browser), {
    browser,
    token: mine.token,
    cookie: mine.attributes,
  });
});

test("a form that a browser says is from elsewhere is refused, whatever it holds", () => {
  const { cookie, token } = opened();
  const from = (headers: object) => fault({ cookie, host: "relay.example", ...headers }, token);
  assert.equal(from({ origin: "https://relay.example", "sec-fetch-site": "same-origin" }), null);
  assert.notEqual(from({ origin: "https://relay.example.evil" }), null);
  assert.notEqual(from({ origin: "null" }), null);
  assert.notEqual(from({ origin: "not a url" }), null);
  assert.notEqual(from({ "sec-fetch-site": "cross-site" }), null);
  assert.notEqual(from({ "sec-fetch-site": "none" }), null);
});

test("another key's tokens are none", () => {
  const other = createFormGuard({
    key: Buffer.alloc(32, 8),
    baseUrl: () => "https://relay.example",
  });
  const { cookie, token } = opened();
  assert.notEqual(fault({ cookie }, token, other), null);
});
