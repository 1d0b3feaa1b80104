/** Nothing leaks: secrets, prompts and completions are in no log line, no file and no table. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createSimulator } from "../packages/server/src/upstreams/simulator/server.ts";
import { startRelay } from "./harness/relay.ts";
import { adminToken, masterKey } from "./harness/secrets.ts";
import { keptBy } from "./harness/stores.ts";

const prompt = "PROMPT-do-not-keep-7d1f";
const jwtSecret = "secrecy-jwt-secret-0123456789abcdef0123456789";
const json = { "content-type": "application/json" };

/** Whatever may never be found, by a name that may. */
const secrets = new Map<string, string>([
  ["prompt", prompt],
  ["master key", masterKey],
  ["admin token", adminToken],
  ["JWT secret", jwtSecret],
]);

describe("at LOG_LEVEL=trace, after calls of every kind", () => {
  let output = "";
  let dataDir: string;
  /** Ends what a failure half way left running. */
  let abandon = (): void => {};

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
    const simulator = createSimulator();
    const upstreamUrl = await simulator.listen();
    const env = { LOG_LEVEL: "trace", BOOTSTRAP: "code", JWT_SECRET: jwtSecret };
    const relay = await startRelay({ dataDir, upstreamUrl, env });
    abandon = () => {
      relay.process.kill("SIGKILL");
      simulator.server.closeAllConnections();
      simulator.server.close();
    };
    let raw = "";
    for (const stream of [relay.process.stdout, relay.process.stderr]) {
      stream?.on("data", (chunk) => {
        raw += chunk;
      });
    }
    const post = async (path: string, headers: Record<string, string>, body: unknown) => {
      const response = await fetch(`${relay.url}${path}`, {
        method: "POST",
        headers: { ...json, "anthropic-version": "2023-06-01", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      return { status: response.status, text: await response.text() };
    };
    const minted = await relay.admin("/admin/enrollment-codes", {
      method: "POST",
      body: JSON.stringify({ max_uses: 5 }),
    });
    const enrollment_code: string = minted.body.enrollment_code;
    secrets.set("enrollment code", enrollment_code);
    secrets.set("enrollment code without dashes", enrollment_code.replaceAll("-", ""));
    secrets.set("wrong enrollment code", "WRONG-CODE0-WRONG-CODE0");
    const device = { device_id: "secretive-device" };
    await post("/bootstrap", {}, { ...device, enrollment_code: "WRONG-CODE0-WRONG-CODE0" });
    await post("/bootstrap", {}, `{"enrollment_code":"${enrollment_code}",`);
    const issued = await post("/bootstrap", {}, { ...device, enrollment_code });
    const token: string = JSON.parse(issued.text).wrapper_token;
    const renewed = await post("/refresh", { "x-api-key": token }, "");
    const fresh: string = JSON.parse(renewed.text).wrapper_token;
    for (const [name, value] of [
      ["token", token],
      ["renewed token", fresh],
    ] as const) {
      secrets.set(name, value);
      secrets.set(`signature of the ${name}`, value.split(".")[2] ?? "");
    }
    const question = {
      model: "claude-haiku-4-5",
      max_tokens: 50,
      messages: [{ role: "user", content: prompt }],
    };
    const key = { authorization: `Bearer ${fresh}` };
    const answer = await post("/v1/messages", key, question);
    assert.equal(answer.status, 200, answer.text);
    const said: string = JSON.parse(answer.text).content[0].text;
    assert.ok(said.length > 20);
    secrets.set("completion", said.slice(0, 40));
    for (const [headers, body] of [
      [key, { ...question, stream: true }],
      [{ ...key, "x-simulator-scenario": "529" }, question],
      [
        { ...key, "x-simulator-scenario": "reset-mid-event:4" },
        { ...question, stream: true },
      ],
      [{ ...key, "x-simulator-scenario": "reset-before-headers" }, question],
      [{ authorization: `Bearer ${fresh}x` }, question],
      [{ ...key, "x-api-key": "another-credential-entirely" }, question],
      [key, `{"model":"${prompt}","max_tokens":1,"messages":[]`],
      [{ ...key, "content-encoding": "gzip" }, question],
    ] as const) {
      await post("/v1/messages", headers, body).catch(() => null);
    }
    await post("/v1/messages/count_tokens", key, question);
    await fetch(`${relay.url}/v1/models?after_id=${fresh.slice(0, 40)}`, { headers: key });
    await fetch(`${relay.url}/admin/usage`, { headers: { "x-api-key": `${adminToken}x` } });
    await relay.admin("/admin/audit");
    secrets.set("another credential", "another-credential-entirely");
    await relay.stop();
    await simulator.close();
    output = raw + JSON.stringify(relay.logs) + relay.stderr();
    assert.ok(relay.logs.length > 30, "the calls were logged");
  });
  after(() => {
    abandon();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("nothing the process printed holds a secret", () => {
    for (const [name, secret] of secrets) {
      assert.ok(secret.length > 10, name);
      assert.ok(!output.includes(secret), `the output holds the ${name}`);
    }
  });

  it("no file in the data folder holds one: not the journal, not the database", async () => {
    const kept = await keptBy(dataDir);
    assert.ok(
      kept.some(([place]) => place.endsWith("relay.db") || place === "table devices"),
      "no database",
    );
    for (const [place, content] of kept) {
      for (const [what, secret] of secrets) {
        assert.ok(!content.includes(secret), `${place} holds the ${what}`);
      }
    }
  });

  it("(the search finds what is there: device and model are in both)", async () => {
    assert.ok(output.includes("secretive-device"));
    const all = (await keptBy(dataDir)).map(([, content]) => content).join("");
    assert.ok(all.includes("secretive-device") && all.includes("claude-haiku-4-5"));
  });
});
