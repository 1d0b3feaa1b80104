import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadConfig } from "../config.ts";

const secret = "s".repeat(32);
const url = "https://hooks.example.com/x";

const load = (environment: Readonly<Record<string, string>>) =>
  loadConfig({ environment, file: new Map(), faults: [] });

const faultsOf = (environment: Readonly<Record<string, string>>): string => {
  const result = load(environment);
  return result.ok ? "" : result.faults.join("\n");
};

describe("the webhook's settings", () => {
  it("are none by default", () => {
    const result = load({});
    assert.ok(result.ok);
    assert.equal(result.config.webhookUrl, null);
    assert.equal(result.config.webhookAllowPrivate, false);
  });

  it("take an https address, its query too, with a secret of 32 bytes", () => {
    const result = load({ WEBHOOK_URL: `${url}?token=t`, WEBHOOK_SECRET: secret });
    assert.ok(result.ok);
    assert.equal(result.config.webhookUrl, `${url}?token=t`);
  });

  it("take this machine or http only when private receivers are allowed", () => {
    const allowed = { WEBHOOK_SECRET: secret, WEBHOOK_ALLOW_PRIVATE: "true" };
    for (const address of ["http://127.0.0.1:9000/", "http://hooks.internal/", "https://[::1]/"]) {
      assert.equal(faultsOf({ ...allowed, WEBHOOK_URL: address }), "");
      assert.match(faultsOf({ WEBHOOK_SECRET: secret, WEBHOOK_URL: address }), /^WEBHOOK_URL /);
    }
  });

  const cases: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    ["no secret", { WEBHOOK_URL: url }, /WEBHOOK_SECRET is required with WEBHOOK_URL.*openssl/],
    ["a short secret", { WEBHOOK_SECRET: "short" }, /WEBHOOK_SECRET must be at least 32 bytes/],
    ["no address", { WEBHOOK_URL: "hooks" }, /WEBHOOK_URL must be an https:\/\/ address/],
    ["another scheme", { WEBHOOK_URL: "ftp://a.example/" }, /must be an https:\/\/ address/],
    ["a password", { WEBHOOK_URL: "https://a:hidden@b.example/" }, /no user name, password/],
    ["neither true nor false", { WEBHOOK_ALLOW_PRIVATE: "maybe" }, /must be one of true, false/],
  ];
  for (const [what, environment, says] of cases) {
    it(`are refused with ${what}, and nothing secret is repeated`, () => {
      const faults = faultsOf(environment);
      assert.match(faults, says);
      assert.doesNotMatch(faults, /hidden/);
    });
  }
});
