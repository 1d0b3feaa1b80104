import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Sources } from "./sources.ts";
import { idleRouterSettings, strangersIn } from "./strangers.ts";

const sources = (
  environment: Sources["environment"],
  file: Readonly<Record<string, string>> = {},
  configEnv: readonly string[] = [],
): Sources => ({ environment, file: new Map(Object.entries(file)), faults: [], configEnv });

describe("a setting that nobody knows", () => {
  it("is named with the one that was meant, and without its value", () => {
    const given = {
      CLAUDE_RELAY_CLOUDPORT: "tell-no-one",
      CLAUDE_RELAY_CLOUD_HOSTS: "tell-no-one",
    };
    assert.deepEqual(strangersIn(sources(given)), [
      "CLAUDE_RELAY_CLOUDPORT is no setting of this relay: did you mean CLAUDE_RELAY_CLOUD_PORT?",
      "CLAUDE_RELAY_CLOUD_HOSTS is no setting of this relay: did you mean CLAUDE_RELAY_CLOUD_HOST?",
    ]);
    const [far] = strangersIn(sources({ CLAUDE_RELAY_SOMETHING_ELSE_ALTOGETHER: "1" }));
    assert.match(far ?? "", /see docs\/configuration\.md$/);
  });

  it("in the file is named by its key; comments are none", () => {
    const file = {
      "service.cloud_prot": "8899",
      "service.port": "3001",
      $schema: "x",
      "service._note": "x",
      "//": "x",
    };
    assert.deepEqual(strangersIn(sources({}, file)), [
      "The configuration file: service.cloud_prot is no setting of this relay: did you mean service.cloud_port?",
    ]);
  });

  it("in config.env is told whatever it begins with, and once", () => {
    const given = { PROT: "1", CLAUDE_RELAY_PROT: "1", PATH: "/bin" };
    const told = strangersIn(sources(given, {}, ["PROT", "CLAUDE_RELAY_PROT"]));
    assert.equal(told.length, 2);
    assert.match(told[0] ?? "", /^config\.env: PROT is no setting .*did you mean PORT\?/);
    assert.match(told[1] ?? "", /^config\.env: CLAUDE_RELAY_PROT is no setting/);
  });

  it("is not one that the command line, the clients, Claude Code or Kubernetes reads or sets", () => {
    const given = {
      CLAUDE_RELAY_URL: "http://x",
      CLAUDE_RELAY_KEY: "crk",
      CLAUDE_RELAY_CONFIG: "x.json",
      CLAUDE_RELAY_SERVICE_HOST: "10.0.0.1",
      CLAUDE_RELAY_SERVICE_PORT_HTTP: "3001",
      CLAUDE_RELAY_PORT: "tcp://10.0.0.1:3001",
      CLAUDE_RELAY_PORT_3001_TCP_ADDR: "10.0.0.1",
      CLAUDECODE: "1",
    };
    assert.deepEqual(strangersIn(sources(given, {}, ["CLAUDE_CODE_OAUTH_TOKEN"])), []);
    assert.equal(strangersIn(sources({ CLAUDE_RELAY_PORT: "3001" })).length, 1);
  });
});

describe("settings of the routers' listener", () => {
  it("are told to rest when it was never enabled, from the environment and from the file", () => {
    const given = sources(
      { CLAUDE_RELAY_CLOUD_PORT: "8899" },
      { "security.handshake_secret": "s" },
    );
    assert.deepEqual(idleRouterSettings(given), [
      "CLAUDE_RELAY_CLOUD_PORT, CLAUDE_RELAY_HANDSHAKE_SECRET: without CLAUDE_RELAY_ENABLE_CLOUD=true no routers are served",
    ]);
  });

  it("are not when it is enabled, or was switched off in so many words, or none is set", () => {
    for (const enabled of ["true", "false"]) {
      const given = { CLAUDE_RELAY_CLOUD_PORT: "8899", CLAUDE_RELAY_ENABLE_CLOUD: enabled };
      assert.deepEqual(idleRouterSettings(sources(given)), []);
    }
    assert.deepEqual(idleRouterSettings(sources({ CLAUDE_RELAY_CLOUD_PORT: " " })), []);
  });
});
