import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
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
    const long = "tell-no-one-".repeat(4);
    for (const [content, fault] of [
      ['{"jwt_secret": tell-no-one', /it must hold a JSON object/],
      ["null", /it must hold a JSON object/],
      ['["tell-no-one"]', /it must hold a JSON object/],
      [`{"jwt_secret": 5, "admin_token": "${long}"}`, /jwt_secret must be a text\./],
      [`{"jwt_secret": "${long}", "admin_token": null}`, /admin_token must be a text\./],
      [
        '{"jwt_secret": "", "admin_token": "tell"}',
        /jwt_secret .*32 bytes.*; admin_token .*16 bytes/,
      ],
    ] as const) {
      writeFileSync(`${dataDir}/secrets.json`, content);
      assert.throws(
        () => loadSecrets(configIn(dataDir)),
        (error: Error) => {
          assert.match(error.message, fault);
          assert.ok(
            error.message.startsWith(`secrets.json in DATA_DIR (${dataDir}) cannot be used: `),
          );
          assert.match(error.message, /Mend it, or move it away to have new secrets made/);
          assert.ok(!error.message.includes("tell"));
          return true;
        },
      );
      assert.equal(readFileSync(`${dataDir}/secrets.json`, "utf8"), content);
    }
  });

  it("are whole or not there: what cannot be written leaves the file as it was", (t) => {
    const dataDir = folder(t);
    loadSecrets(configIn(dataDir, { ADMIN_TOKEN: "configured-admin-token" }));
    const before = readFileSync(`${dataDir}/secrets.json`, "utf8");
    mkdirSync(`${dataDir}/secrets.json.new/in-the-way`, { recursive: true });
    assert.throws(
      () => loadSecrets(configIn(dataDir)),
      /^Error: secrets\.json in DATA_DIR \(.*\) cannot be written: .*set JWT_SECRET and ADMIN_TOKEN/,
    );
    assert.equal(readFileSync(`${dataDir}/secrets.json`, "utf8"), before);
  });

  it("are never made where others can reach the server", (t) => {
    const config = { ...configIn(folder(t)), mayGenerateSecrets: false };
    assert.throws(() => loadSecrets(config), /JWT_SECRET and ADMIN_TOKEN are required/);
  });
});
