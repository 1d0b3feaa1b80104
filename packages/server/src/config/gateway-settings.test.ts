import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadConfig } from "../config.ts";

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  const result = loadConfig({ environment, file: new Map(), faults: [] });
  return result.ok ? [] : result.faults;
};

const inPublic = {
  HOST: "0.0.0.0",
  ANTHROPIC_API_KEY: "sk-ant-test-master-key-0001",
  JWT_SECRET: "test-jwt-secret-0123456789abcdef0123456789abcdef",
  ADMIN_TOKEN: "test-admin-token-0123456789abcdef",
};

describe("GATEWAY_SIGNIN", () => {
  it("is off unless it is turned on", () => {
    const result = loadConfig({ environment: {}, file: new Map(), faults: [] });
    assert.ok(result.ok);
    assert.equal(result.config.gatewaySignIn, "off");
  });

  it("takes passwords over https only, unless nobody else can reach the relay", () => {
    const on = { GATEWAY_SIGNIN: "on" };
    assert.deepEqual(faultsOf(on), []);
    const plain = { ...inPublic, PROXY_BASE_URL: "http://relay.example" };
    assert.deepEqual(faultsOf(plain), []);
    const [fault, ...more] = faultsOf({ ...plain, ...on });
    assert.match(fault ?? "", /^GATEWAY_SIGNIN=on takes people's passwords.*https:\/\//);
    assert.deepEqual(more, []);
    assert.deepEqual(faultsOf({ ...inPublic, ...on, PROXY_BASE_URL: "https://relay.example" }), []);
    assert.equal(faultsOf({ ...on, PROXY_BASE_URL: "http://relay.example" }).length, 1);
  });

  it("is on or off", () => {
    assert.match(faultsOf({ GATEWAY_SIGNIN: "true" })[0] ?? "", /^GATEWAY_SIGNIN must be one of/);
  });
});

describe("OIDC_…", () => {
  const here = { GATEWAY_SIGNIN: "on" };
  const provider = { ...here, OIDC_ISSUER: "https://id.example/realms/a", OIDC_CLIENT_ID: "relay" };
  const loaded = (environment: Record<string, string>, file = new Map<string, string>()) =>
    loadConfig({ environment, file, faults: [] });

  it("needs an issuer that others cannot read along with, exactly as it is written", () => {
    for (const issuer of [
      "https://id.example",
      "https://id.example/",
      "https://id.example/realms/A/",
      "http://127.0.0.1:8080",
      "http://localhost:8080/x",
    ]) {
      const result = loaded({ ...provider, OIDC_ISSUER: issuer });
      assert.ok(result.ok);
      assert.equal(result.config.oidcIssuer, issuer);
    }
    for (const issuer of [
      "http://id.example",
      "http://192.168.1.2",
      "id.example",
      "ftp://id.example",
      "https://me:pw@id.example",
      "https://id.example/?a=b",
      "https://id.example/.well-known/openid-configuration",
    ]) {
      const [fault = "", ...more] = faultsOf({ ...provider, OIDC_ISSUER: issuer });
      assert.match(fault, /^OIDC_ISSUER must /, issuer);
      // Without it the other settings rest, which is told too.
      assert.ok(more.length <= 1);
    }
  });

  it("names everything that is wrong with it at once", () => {
    const { OIDC_CLIENT_ID: _, ...noId } = provider;
    const faults = faultsOf({
      ...noId,
      OIDC_CREATE_USERS: "on",
      OIDC_SCOPES: "openid profile",
    }).join("\n");
    for (const name of ["OIDC_CLIENT_ID", "OIDC_ALLOWED_DOMAINS", "OIDC_SCOPES"]) {
      assert.match(faults, new RegExp(`^${name} |${name} is required`, "m"));
    }
    assert.match(
      faultsOf({ ...here, OIDC_CLIENT_ID: "relay", OIDC_ORGANIZATION: "lab" })[0] ?? "",
      /^OIDC_CLIENT_ID, OIDC_ORGANIZATION: needs OIDC_ISSUER/,
    );
    assert.match(faultsOf({ ...provider, OIDC_SCOPES: "email" })[0] ?? "", /must hold openid/);
    assert.match(faultsOf({ ...provider, OIDC_ALLOWED_DOMAINS: "@x" })[0] ?? "", /domains/);
    assert.match(faultsOf({ ...provider, OIDC_ALLOWED_DOMAINS: "*,a.example" })[0] ?? "", /alone/);
    assert.match(faultsOf({ ...provider, OIDC_ORGANIZATION: "lab" })[0] ?? "", /CREATE_USERS/);
  });

  it("makes users of anybody only where that is said", () => {
    const create = { ...provider, OIDC_CREATE_USERS: "on" };
    assert.equal(faultsOf(create).length, 1);
    assert.deepEqual(faultsOf({ ...create, OIDC_ALLOWED_DOMAINS: "*" }), []);
    assert.deepEqual(faultsOf({ ...create, OIDC_ALLOWED_DOMAINS: "Example.com, b.example" }), []);
  });

  it("takes its secret from the environment only", () => {
    const file = new Map([["oidc.client_secret", "a secret in a file"]]);
    const inFile = loaded(provider, file);
    assert.ok(!inFile.ok);
    assert.match(inFile.faults.join(), /OIDC_CLIENT_SECRET is taken from the environment only/);
    assert.ok(!inFile.faults.join().includes("a secret in a file"));
    const secret = "from the environment";
    const result = loaded({ ...provider, OIDC_CLIENT_SECRET: secret });
    assert.ok(result.ok);
    assert.equal(result.config.oidcClientSecret, secret);
  });

  it("is told of where nobody signs in, and where nobody could", () => {
    const result = loaded({ ...provider, GATEWAY_SIGNIN: "off" });
    assert.ok(result.ok);
    assert.match(result.config.warnings.join(), /OIDC_ISSUER without GATEWAY_SIGNIN/);
    assert.match(faultsOf({ ...here, PASSWORD_SIGNIN: "off" })[0] ?? "", /^PASSWORD_SIGNIN=off/);
    assert.deepEqual(faultsOf({ ...provider, PASSWORD_SIGNIN: "off" }), []);
  });
});
