import assert from "node:assert/strict";
import { test } from "node:test";
import { createFormGuard } from "./csrf.ts";

const guardAt = (baseUrl: string) =>
  createFormGuard({ key: Buffer.alloc(32, 7), baseUrl: () => baseUrl });
const https = guardAt("https://relay.example");

const opened = (guard = https) => {
  const { token, cookie } = guard.open({});
  assert.ok(cookie !== null);
  return { token, attributes: cookie, cookie: cookie.split(";")[0] ?? "" };
};

test("a form comes back with the cookie it was given, and only with that", () => {
  const [mine, hers] = [opened(), opened()];
  assert.equal(https.fault({ cookie: mine.cookie }, mine.token), null);
  assert.notEqual(https.fault({ cookie: mine.cookie }, hers.token), null);
  assert.notEqual(https.fault({}, mine.token), null);
  assert.notEqual(https.fault({ cookie: mine.cookie }, ""), null);
});

test("a browser that has the cookie keeps it, and its older forms stay good", () => {
  const first = opened();
  const again = https.open({ cookie: first.cookie });
  assert.deepEqual(again, { token: first.token, cookie: null });
});

test("over https the cookie is this host's alone", () => {
  const { attributes } = opened();
  assert.match(
    attributes,
    /^__Host-relay-form=[\w-]{43}; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/,
  );
  assert.match(opened(guardAt("http://localhost:3001")).attributes, /^relay-form=/);
});

test("a cookie given twice, or of another shape, is none", () => {
  const { cookie, token } = opened();
  for (const wrong of [`${cookie}; ${cookie}`, "__Host-relay-form=x", "__Host-relay-form="]) {
    assert.notEqual(https.fault({ cookie: wrong }, token), null);
    assert.notEqual(https.open({ cookie: wrong }).cookie, null);
  }
});

test("a form that a browser says is from elsewhere is refused, whatever it holds", () => {
  const { cookie, token } = opened();
  const fault = (headers: object) =>
    https.fault({ cookie, host: "relay.example", ...headers }, token);
  assert.equal(fault({ origin: "https://relay.example", "sec-fetch-site": "same-origin" }), null);
  assert.notEqual(fault({ origin: "https://relay.example.evil" }), null);
  assert.notEqual(fault({ origin: "null" }), null);
  assert.notEqual(fault({ origin: "not a url" }), null);
  assert.notEqual(fault({ "sec-fetch-site": "cross-site" }), null);
  assert.notEqual(fault({ "sec-fetch-site": "none" }), null);
});

test("another key's tokens are none", () => {
  const other = createFormGuard({
    key: Buffer.alloc(32, 8),
    baseUrl: () => "https://relay.example",
  });
  const { cookie, token } = opened();
  assert.notEqual(other.fault({ cookie }, token), null);
});
