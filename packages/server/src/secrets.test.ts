import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Config, loadConfig } from "./config.ts";
import { loadSecrets } from "./secrets.ts";

const configIn = (dataDir: string, env: Record<string, string> = {}): Config => {
  const result = loadConfig({
    environment: { DATA_DIR: dataDir, ...env },
    file: new Map(),
    faults: [],
  });
  assert.ok(result.ok);
  return result.config;
};

const folder = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), "claude-relay-secrets-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, "data");
};

describe("secrets", () => {
  it("are made once, strong, for the owner's eyes, and are the same ever after", (t) => {
    const dataDir = folder(t);
    const first = loadSecrets(configIn(dataDir));
    assert.equal(first.adminTokenIsNew, true);
    assert.ok(Buffer.from(first.jwtSecret, "base64").length >= 32);
    assert.match(first.adminToken, /^relay-admin-[\w-]{43}$/);
    assert.equal(statSync(`${dataDir}/secrets.json`).mode & 0o777, 0o600);
    assert.equal(statSync(dataDir).mode & 0o777, 0o700);
    assert.deepEqual(loadSecrets(configIn(dataDir)), { ...first, adminTokenIsNew: false });
    assert.notEqual(loadSecrets(configIn(folder(t))).adminToken, first.adminToken);
  });

  it("that are configured win, and are not written down", (t) => {
    const dataDir = folder(t);
    const env = { ADMIN_TOKEN: "configured-admin-token" };
    const { adminToken, adminTokenIsNew, jwtSecret } = loadSecrets(configIn(dataDir, env));
    assert.equal(adminToken, "configured-admin-token");
    assert.equal(adminTokenIsNew, false);
    const stored = readFileSync(`${dataDir}/secrets.json`, "utf8");
    assert.ok(!stored.includes("configured-admin-token"));
    assert.equal(loadSecrets(configIn(dataDir)).jwtSecret, jwtSecret);
  });

  it("in a file that others may read are shut away at the next write", (t) => {
    const dataDir = folder(t);
    loadSecrets(configIn(dataDir, { ADMIN_TOKEN: "configured-admin-token" }));
    chmodSync(`${dataDir}/secrets.json`, 0o644);
    loadSecrets(configIn(dataDir));
    assert.equal(statSync(`${dataDir}/secrets.json`).mode & 0o777, 0o600);
  });

  it("in a broken file are not replaced behind the operator's back, nor told", (t) => {
    const dataDir = folder(t);
    loadSecrets(configIn(dataDir));
    writeFileSync(`${dataDir}/secrets.json`, '{"jwt_secret": tell-no-one');
    assert.throws(
      () => loadSecrets(configIn(dataDir)),
      (error: Error) => {
        assert.match(
          error.message,
          /secrets\.json cannot be read: mend or delete it \(it is not valid JSON\)/,
        );
        assert.ok(!error.message.includes("tell"));
        return true;
      },
    );
  });

  it("are never made where others can reach the server", (t) => {
    const config = { ...configIn(folder(t)), mayGenerateSecrets: false };
    assert.throws(() => loadSecrets(config), /JWT_SECRET and ADMIN_TOKEN are required/);
  });
});
