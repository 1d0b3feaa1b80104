/** What doctor says beside a relay that runs already, and what the start says of who comes in. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { diagnose } from "../packages/server/src/doctor.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { routersUrl } from "./harness/routers.ts";

const all = { CLAUDE_RELAY_ENABLE_CLOUD: "true", GATEWAY_SIGNIN: "on" };
const differ = /started with other settings/;

describe("doctor beside a relay that runs", () => {
  let relay: Relay;
  let routersPort: string;

  before(async () => {
    relay = await startRelay({ env: { ...all, CLAUDE_RELAY_CLOUD_PORT: "0" } });
    routersPort = new URL(routersUrl(relay)).port;
  });
  after(() => relay.stop());

  const linesWith = async (environment: Readonly<Record<string, string>>): Promise<string> => {
    const given = {
      ...{ DATA_DIR: relay.dataDir, COMPLETE_UPSTREAM: "simulator", PORT: String(relay.port) },
      ...{ CLAUDE_RELAY_CLOUD_PORT: routersPort, ...environment },
    };
    const { lines } = await diagnose({ environment: given, file: new Map(), faults: [] });
    return lines.join("\n");
  };

  it("has nothing to add where that was started with the same settings", async () => {
    const lines = await linesWith(all);
    assert.match(lines, new RegExp(`^ok +a relay runs at ${relay.url} and is healthy$`, "m"));
    assert.doesNotMatch(lines, differ);
  });

  it("says what that does otherwise: it serves routers, lets people sign in", async () => {
    const lines = await linesWith({});
    assert.match(lines, /^ok +these settings serve no routers/m);
    const routers = `^note +the one that runs serves routers at http://127\\.0\\.0\\.1:${routersPort}: .*other settings`;
    assert.match(lines, new RegExp(routers, "m"));
    assert.match(
      lines,
      /^note +the one that runs lets people sign in, on the page http:\/\/localhost:\d+\/device: /m,
    );
  });

  it("says what that does not do, or does with another upstream", async () => {
    const apart = await startRelay();
    try {
      const lines = await linesWith({
        ...{ ...all, PORT: String(apart.port), CLAUDE_RELAY_CLOUD_PORT: "1" },
        ...{ ANTHROPIC_API_KEY: "sk-ant-test-0001", COMPLETE_UPSTREAM: "api" },
      });
      for (const says of [
        "lets nobody sign in: it was",
        `does not serve routers at http://127\\.0\\.0\\.1:1: it was`,
        "serves /v1/messages from simulator, not anthropic: it was",
      ]) {
        assert.match(lines, new RegExp(`^note +the one that runs ${says}`, "m"));
      }
    } finally {
      await apart.stop();
    }
  });

  it("takes no other server for one", async (t) => {
    const other = createServer((_, answer) => answer.end('{"status":"healthy"}'));
    t.after(() => other.close());
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const lines = await linesWith({ PORT: String(port) });
    assert.match(lines, /^note +something answers at .* that is no claude-relay$/m);
    assert.doesNotMatch(lines, differ);
  });
});

describe("the start", () => {
  it("says where devices get a token and people sign in, at the address callers use", async (t) => {
    const PROXY_BASE_URL = "https://relay.example.com";
    const relay = await startRelay({
      env: { ...all, PROXY_BASE_URL, CLAUDE_RELAY_CLOUD_PORT: "0" },
    });
    t.after(() => relay.stop());
    const devices = await relay.logged(({ msg }) => msg.startsWith("Devices"));
    assert.match(devices.msg, /POST https:\/\/relay\.example\.com\/bootstrap .*BOOTSTRAP=code/);
    const people = await relay.logged(({ msg }) => msg.startsWith("People sign in"));
    assert.match(people.msg, /at https:\/\/relay\.example\.com, on the page https:\/\/.*\/device$/);
  });

  it("says nothing of a page that is not there", async (t) => {
    const relay = await startRelay();
    t.after(() => relay.stop());
    await relay.logged(({ msg }) => msg.startsWith("/v1/complete is served by"));
    assert.ok(relay.logs.some(({ msg }) => msg.includes("gets a token at POST http://localhost:")));
    assert.ok(!relay.logs.some(({ msg }) => msg.includes("sign in")));
    assert.equal(relay.logs.find(({ msg }) => msg === "claude-relay is up")?.["signIn"], "off");
  });
});
