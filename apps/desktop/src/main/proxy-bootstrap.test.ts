import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { proxyFromEnvironment } from "./proxy-bootstrap.ts";

const relayUrl = "https://relay.example.com";
const address = { relayUrl, healthUrl: `${relayUrl}/healthz` };

describe("the relay of the environment", () => {
  it("is where PROXY_BOOTSTRAP_URL or CLAUDE_RELAY_URL says", () => {
    for (const environment of [
      { PROXY_BOOTSTRAP_URL: `${relayUrl}/bootstrap` },
      { ENABLE_PROXY: "true", PROXY_BOOTSTRAP_URL: `${relayUrl}/bootstrap` },
      { CLAUDE_RELAY_URL: ` ${relayUrl}/ ` },
      { PROXY_BOOTSTRAP_URL: "", CLAUDE_RELAY_URL: relayUrl },
      { PROXY_BOOTSTRAP_URL: relayUrl, CLAUDE_RELAY_URL: "https://other.example.com" },
    ]) {
      assert.deepEqual(proxyFromEnvironment(environment), { address, fault: null });
    }
  });

  it("is asked for its health where PROXY_HEALTH_URL says", () => {
    const healthUrl = "https://health.example.com/healthz";
    const environment = { PROXY_BOOTSTRAP_URL: relayUrl, PROXY_HEALTH_URL: healthUrl };
    assert.deepEqual(proxyFromEnvironment(environment).address, { relayUrl, healthUrl });
  });

  it("is none where nothing names it, or ENABLE_PROXY says no", () => {
    for (const environment of [
      {},
      { PROXY_BOOTSTRAP_URL: "  " },
      ...["false", "FALSE", "0", "no", " off "].map((off) => ({
        ENABLE_PROXY: off,
        PROXY_BOOTSTRAP_URL: relayUrl,
        CLAUDE_RELAY_URL: relayUrl,
      })),
      { ENABLE_PROXY: "false", PROXY_BOOTSTRAP_URL: "nonsense" },
    ]) {
      assert.deepEqual(proxyFromEnvironment(environment), { address: null, fault: null });
    }
  });

  it("that cannot be used is said, and none is used in its place", () => {
    for (const [environment, says] of [
      [{ ENABLE_PROXY: "true" }, /PROXY_BOOTSTRAP_URL does not name a relay/],
      [
        { PROXY_BOOTSTRAP_URL: "nonsense", CLAUDE_RELAY_URL: relayUrl },
        /^PROXY_BOOTSTRAP_URL must/,
      ],
      [{ CLAUDE_RELAY_URL: "http://relay.example.com" }, /^CLAUDE_RELAY_URL is http.*not used\.$/],
      [
        { PROXY_BOOTSTRAP_URL: relayUrl, PROXY_HEALTH_URL: "x" },
        /^PROXY_HEALTH_URL must be an address/,
      ],
    ] as const) {
      const { address: found, fault } = proxyFromEnvironment(environment);
      assert.equal(found, null);
      assert.match(fault ?? "", says);
    }
  });
});
