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
