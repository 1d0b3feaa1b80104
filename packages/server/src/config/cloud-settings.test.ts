import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { loadConfig } from "../config.ts";

type Environment = Readonly<Record<string, string>>;

const strong = "k3Jd9-qpLz72WmXv";
const on = { CLAUDE_RELAY_ENABLE_CLOUD: "true" };

const load = (environment: Environment, file: Environment = {}) =>
  loadConfig({ environment, file: new Map(Object.entries(file)), faults: [] });

const good = (environment: Environment, file: Environment = {}) => {
  const result = load(environment, file);
  assert.ok(result.ok, result.ok ? "" : result.faults.join("\n"));
  return result.config;
};

const faultsOf = (environment: Environment): readonly string[] => {
  const result = load(environment);
  return result.ok ? [] : result.faults;
};

const cloudWarnings = (environment: Environment): readonly string[] =>
  good({ ...on, ...environment }).warnings.filter((warning) =>
    /CLAUDE_RELAY|routers/.test(warning),
  );

/** A certificate for localhost, and its key. */
const pair = (t: TestContext): Readonly<{ folder: string; cert: string; key: string }> => {
  const folder = mkdtempSync(join(tmpdir(), "claude-relay-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${cert}`;
  execFileSync("openssl", words.split(" "), { stdio: "ignore" });
  return { folder, cert, key };
};

describe("the routers' listener", () => {
  it("is closed unless it is enabled, and then nothing of it is judged", () => {
    assert.equal(good({}).cloudEnabled, false);
    const config = good({ CLAUDE_RELAY_CLOUD_HOST: "0.0.0.0", CLOUD_TLS_KEY: "nowhere" });
    assert.equal(config.cloudEnabled, false);
  });

  it("takes the routers' guide as written, on loopback, from the environment and from the file", () => {
    for (const config of [
      good({
        CLAUDE_RELAY_ENABLE_CLOUD: "true",
        CLAUDE_RELAY_CLOUD_PORT: "8899",
        CLAUDE_RELAY_HANDSHAKE_SECRET: "your-secret-key",
      }),
      good(
        {},
        {
          "service.cloud_enabled": "true",
          "service.cloud_port": "8899",
          "security.handshake_secret": "your-secret-key",
        },
      ),
    ]) {
      assert.equal(config.cloudEnabled, true);
      assert.equal(config.cloudHost, "127.0.0.1");
      assert.equal(config.cloudPort, 8899);
      assert.equal(config.handshakeSecret, "your-secret-key");
      assert.match(config.warnings.join("\n"), /CLAUDE_RELAY_HANDSHAKE_SECRET is weak/);
      assert.doesNotMatch(config.warnings.join("\n"), /your-secret-key/);
    }
  });

  it("takes an empty secret for none", () => {
    assert.equal(good({ ...on, CLAUDE_RELAY_HANDSHAKE_SECRET: "" }).handshakeSecret, null);
    assert.equal(good(on, { "security.handshake_secret": "" }).handshakeSecret, null);
  });

  it("opens on the LAN or a VPN with a strong secret, or with none that is shared", () => {
    for (const host of ["192.168.88.2", "10.0.0.2", "172.31.0.1", "100.64.0.9", "fd00::2"]) {
      const place = { ...on, CLAUDE_RELAY_CLOUD_HOST: host };
      assert.deepEqual(faultsOf(place), []);
      assert.deepEqual(faultsOf({ ...place, CLAUDE_RELAY_HANDSHAKE_SECRET: strong }), []);
      for (const secret of [
        "your-secret-key",
        "short-one",
        "aaaaaaaaaaaaaaaaaaaa",
        "12345678901234567890123456789012",
        "my-super-secret-handshake-key-2026",
        "Relay Router Password 1",
      ]) {
        const [fault = "", ...more] = faultsOf({ ...place, CLAUDE_RELAY_HANDSHAKE_SECRET: secret });
        assert.match(fault, /^CLAUDE_RELAY_HANDSHAKE_SECRET .*openssl rand/, secret);
        assert.ok(!fault.includes(secret));
        assert.equal(more.length, 0);
      }
    }
  });

  it("takes any random secret, whatever it is written in", () => {
    const place = { ...on, CLAUDE_RELAY_CLOUD_HOST: "10.0.0.2" };
    for (let round = 0; round < 200; round += 1) {
      for (const writing of ["hex", "base64", "base64url"] as const) {
        const secret = randomBytes(16).toString(writing);
        assert.deepEqual(faultsOf({ ...place, CLAUDE_RELAY_HANDSHAKE_SECRET: secret }), [], secret);
      }
    }
  });

  it("knows loopback in an IPv6 address's clothes", () => {
    const { cloudHost } = good({ ...on, CLAUDE_RELAY_CLOUD_HOST: "[::ffff:127.0.0.1]" });
    assert.equal(cloudHost, "127.0.0.1");
  });

  it("opens where other networks reach it only when that is said", () => {
    for (const host of ["0.0.0.0", "::", "203.0.113.7", "172.32.0.1", "2001:db8::1", "8.8.8.8"]) {
      const place = { ...on, CLAUDE_RELAY_CLOUD_HOST: host };
      assert.match(faultsOf(place).join("\n"), /CLAUDE_RELAY_CLOUD_PUBLIC=true/, host);
      assert.deepEqual(faultsOf({ ...place, CLAUDE_RELAY_CLOUD_PUBLIC: "true" }), [], host);
    }
  });

  it("says what is worth knowing: no TLS, the Internet, the old handshake; and nothing on loopback", () => {
    assert.deepEqual(cloudWarnings({ CLAUDE_RELAY_HANDSHAKE_SECRET: strong }), []);
    const warnings = cloudWarnings({
      CLAUDE_RELAY_CLOUD_HOST: "::",
      CLAUDE_RELAY_CLOUD_PUBLIC: "true",
      CLAUDE_RELAY_LEGACY_HANDSHAKE: "true",
    }).join("\n");
    assert.match(warnings, /plain HTTP/);
    assert.match(warnings, /reachable from the Internet/);
    assert.match(warnings, /LEGACY_HANDSHAKE is on/);
  });

  it("says when ALLOWED_MODELS leaves out the model that is asked for routers", () => {
    const models = { ALLOWED_MODELS: "claude-haiku-*", DEFAULT_MODEL: "haiku" };
    assert.deepEqual(cloudWarnings(models), []);
    assert.deepEqual(cloudWarnings({ ...models, CLAUDE_RELAY_ROUTER_MODEL: "opus" }), [
      "CLAUDE_RELAY_ROUTER_MODEL opus, which is asked for routers, is not in ALLOWED_MODELS: whatever routers ask is refused",
    ]);
    const byDefault = cloudWarnings({ ...models, DEFAULT_MODEL: "opus" });
    assert.match(byDefault.join(), /^DEFAULT_MODEL opus, which is asked for routers/);
    const closed = { CLAUDE_RELAY_ENABLE_CLOUD: "false", CLAUDE_RELAY_ROUTER_MODEL: "opus" };
    assert.deepEqual(cloudWarnings({ ...models, ...closed }), []);
  });

  it("takes a certificate with its key", (t) => {
    const { cert, key } = pair(t);
    const config = good({ ...on, CLOUD_TLS_CERT: cert, CLOUD_TLS_KEY: key });
    assert.equal(config.cloudTlsCert, cert);
  });

  it("wants both files, readable, and one pair", (t) => {
    const { folder, cert, key } = pair(t);
    const other = pair(t);
    const junk = join(folder, "junk.pem");
    writeFileSync(junk, "tell-no-one");
    const cases: readonly [Environment, RegExp][] = [
      [{ CLOUD_TLS_CERT: cert }, /^CLOUD_TLS_KEY is missing/],
      [{ CLOUD_TLS_KEY: key }, /^CLOUD_TLS_CERT is missing/],
      [{ CLOUD_TLS_CERT: `${cert}x`, CLOUD_TLS_KEY: key }, /^CLOUD_TLS_CERT .*ENOENT/],
      [{ CLOUD_TLS_CERT: cert, CLOUD_TLS_KEY: folder }, /^CLOUD_TLS_KEY .*EISDIR/],
      [{ CLOUD_TLS_CERT: junk, CLOUD_TLS_KEY: key }, /^CLOUD_TLS_CERT .*no certificate/],
      [{ CLOUD_TLS_CERT: cert, CLOUD_TLS_KEY: junk }, /^CLOUD_TLS_KEY .*not that certificate's/],
      [{ CLOUD_TLS_CERT: cert, CLOUD_TLS_KEY: other.key }, /^CLOUD_TLS_KEY .*not that cert/],
    ];
    for (const [environment, says] of cases) {
      const faults = faultsOf({ ...on, ...environment }).join("\n");
      assert.match(faults, says);
      assert.doesNotMatch(faults, /tell-no-one/);
    }
  });

  it("is refused with every fault at once, and no secret in it", () => {
    const secret = "$(openssl rand -hex 9)";
    const faults = faultsOf({
      CLAUDE_RELAY_ENABLE_CLOUD: "yes",
      CLAUDE_RELAY_CLOUD_PORT: "99999",
      CLAUDE_RELAY_CLOUD_HOST: "relay.example.com",
      CLAUDE_RELAY_CLOUD_PUBLIC: "1",
      CLAUDE_RELAY_HANDSHAKE_SECRET: secret,
      CLAUDE_RELAY_LEGACY_HANDSHAKE: "on",
      CLAUDE_RELAY_ROUTER_RUN_READS: "on",
      CLAUDE_RELAY_ROUTER_MODEL: "gpt 5",
      CLAUDE_RELAY_ROUTER_RPM: "0",
    });
    assert.equal(faults.length, 9);
    assert.ok(!faults.join("\n").includes(secret));
    const together = faultsOf({
      ...on,
      PORT: "8899",
      CLAUDE_RELAY_CLOUD_HOST: "0.0.0.0",
      CLAUDE_RELAY_HANDSHAKE_SECRET: "changeme",
      CLOUD_TLS_CERT: "cert.pem",
    });
    assert.equal(together.length, 4);
  });

  it("has a secret of its own: not the relay's key, not the admin token", () => {
    const shared = "d4c3b2a1-shared-d4c3b2a1-shared-x";
    for (const name of ["JWT_SECRET", "ADMIN_TOKEN"]) {
      const faults = faultsOf({ ...on, [name]: shared, CLAUDE_RELAY_HANDSHAKE_SECRET: shared });
      assert.match(faults.join("\n"), /which no router may hold/);
      assert.ok(!faults.join("\n").includes(shared));
    }
  });
});
