import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { diagnose } from "./doctor.ts";

const linesFor = async (
  t: TestContext,
  environment: Readonly<Record<string, string>>,
): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "claude-relay-doctor-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const given = { DATA_DIR: folder, COMPLETE_UPSTREAM: "simulator", PORT: "1", ...environment };
  const { lines } = await diagnose({ environment: given, file: new Map(), faults: [] });
  return lines.join("\n");
};

describe("doctor", () => {
  it("says that routers are not served, and by which setting they would be", async (t) => {
    const says = /^ok +these settings serve no routers: CLAUDE_RELAY_ENABLE_CLOUD is not true$/m;
    assert.match(await linesFor(t, {}), says);
  });

  it("says who gets a token, and where", async (t) => {
    const open =
      /^ok +any program on this machine gets a token at POST http:\/\/localhost:1\/bootstrap/m;
    assert.match(await linesFor(t, {}), open);
    const code = await linesFor(t, { BOOTSTRAP: "code", PROXY_BASE_URL: "https://relay.example" });
    assert.match(
      code,
      /^ok +devices get .* https:\/\/relay\.example\/bootstrap with an enrollment c/m,
    );
    const approve = await linesFor(t, { BOOTSTRAP: "approve" });
    assert.match(approve, /^ok +devices ask .* and wait until an admin lets them in/m);
  });

  it("says whether people can sign in, and where", async (t) => {
    assert.match(await linesFor(t, {}), /^ok +people cannot sign in .*: GATEWAY_SIGNIN is off$/m);
    const on = await linesFor(t, { GATEWAY_SIGNIN: "on" });
    assert.match(
      on,
      /^ok +people sign in .*\/login at http:\/\/localhost:1, on the page .*:1\/device$/m,
    );
  });

  it("says where routers are served, how, and with which secrets", async (t) => {
    const on = { CLAUDE_RELAY_ENABLE_CLOUD: "true" };
    assert.match(
      await linesFor(t, on),
      /^ok +routers are served at http:\/\/127\.0\.0\.1:8899 \(plain HTTP, this machine only\), with a secret of their own, or unsigned from this machine$/m,
    );
    const secret = "k3Jd9-qpLz72WmXv";
    const lan = { ...on, CLAUDE_RELAY_CLOUD_HOST: "fd00::2", CLAUDE_RELAY_CLOUD_PORT: "9000" };
    const lines = await linesFor(t, { ...lan, CLAUDE_RELAY_HANDSHAKE_SECRET: secret });
    assert.match(
      lines,
      /^ok +routers are served at http:\/\/\[fd00::2\]:9000 \(plain HTTP, other machines too\), with the shared secret or one of their own$/m,
    );
    assert.ok(!lines.includes(secret));
  });
});
