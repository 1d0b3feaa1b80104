/** Every curl command of the proxy setup guide, as pasted. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { type Relay, startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;
const skip = hasCurl ? false : "curl is not installed: apt-get install curl";

describe("the proxy setup guide's commands, as pasted", { skip }, () => {
  let relay: Relay;
  let token = "";

  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  /** Runs a pasted command in a shell; only the port differs from the guide. */
  const pasted = (command: string): string =>
    execFileSync("bash", ["-c", command.replaceAll("localhost:3001", `127.0.0.1:${relay.port}`)], {
      encoding: "utf8",
      env: { ...process.env, TOKEN: token, ADMIN_TOKEN: adminToken },
    });

  it("the health check answers ok with a timestamp", () => {
    const body = JSON.parse(pasted("curl -s http://localhost:3001/healthz"));
    assert.equal(body.status, "ok");
    assert.ok(Date.parse(body.timestamp) > 0);
  });

  it("the manual bootstrap test gives a wrapper token, the base URL and the expiry", () => {
    const body = JSON.parse(
      pasted(`curl -s -X POST http://localhost:3001/bootstrap \\
  -H "Content-Type: application/json" \\
  -d '{"device_id":"test-device-123","app_version":"1.0.0"}'`),
    );
    assert.deepEqual(Object.keys(body), ["wrapper_token", "proxy_base_url", "expires_at"]);
    assert.match(body.wrapper_token, /^eyJ/);
    assert.equal(body.proxy_base_url, `http://localhost:${relay.port}`);
    const hours = (Date.parse(body.expires_at) - Date.now()) / 3_600_000;
    assert.ok(hours > 23.9 && hours <= 24);
    token = body.wrapper_token;
  });

  it("the manual API call is answered, and the four log lines appear", async () => {
    const body = JSON.parse(
      pasted(`curl -s -X POST http://localhost:3001/v1/messages \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -H "anthropic-version: 2023-06-01" \\
  -d '{
    "model": "claude-sonnet-4-5-20250929",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Say hello!"}]
  }'`),
    );
    assert.equal(body.type, "message");
    assert.match(body.content[0].text, /simulator/);
    const { requestId } = await relay.logged(
      (line) => line.msg === "Proxying request to Anthropic",
    );
    for (const msg of ["Incoming request", "Request completed"]) {
      await relay.logged((line) => line.msg === msg && line["requestId"] === requestId);
    }
    const tracked = await relay.logged((line) => line.msg === "Usage tracked");
    assert.equal(tracked["requestId"], requestId);
    assert.equal(tracked["inputTokens"], body.usage.input_tokens);
    assert.equal(tracked["outputTokens"], body.usage.output_tokens);
  });

  it("the usage metrics show the device its own call", () => {
    const body = JSON.parse(
      pasted(`curl -s http://localhost:3001/admin/usage \\
  -H "Authorization: Bearer $TOKEN"`),
    );
    assert.equal(body.totals.requests, 1);
    assert.ok(body.totals.input_tokens > 0);
    assert.ok(body.totals.cost_micro_usd > 0);
  });

  it("the circuit breaker's status is shown, and only the admin token resets it", () => {
    const status = pasted(`curl -s http://localhost:3001/admin/circuit-breaker \\
  -H "Authorization: Bearer $TOKEN"`);
    assert.equal(JSON.parse(status).state, "closed");
    const reset = (credential: string): string =>
      pasted(
        `curl -s -o /dev/null -w '%{http_code}' -X POST http://localhost:3001/admin/circuit-breaker/reset -H "Authorization: Bearer ${credential}"`,
      );
    assert.equal(reset("$TOKEN"), "403");
    assert.equal(reset("$ADMIN_TOKEN"), "200");
  });
});
