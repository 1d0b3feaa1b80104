import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Config, loadConfig } from "./config.ts";
import { isLoopbackHost } from "./pipeline/loopback.ts";

const load = (
  environment: Record<string, string | undefined> = {},
  file: Record<string, string> = {},
) => loadConfig({ environment, file: new Map(Object.entries(file)), faults: [] });

const good = (environment: Record<string, string | undefined> = {}, file = {}): Config => {
  const result = load(environment, file);
  assert.ok(result.ok, result.ok ? "" : result.faults.join("\n"));
  return result.config;
};

const faults = (environment: Record<string, string | undefined>): readonly string[] => {
  const result = load(environment);
  assert.ok(!result.ok, "no fault was found");
  return result.faults;
};

const secret = "an-honest-secret-0123456789abcdef0123456789";
const production = {
  NODE_ENV: "production",
  ANTHROPIC_API_KEY: "sk-ant-test-0001",
  JWT_SECRET: secret,
  ADMIN_TOKEN: `${secret}-2`,
  PROXY_BASE_URL: "https://relay.example.com",
};

describe("configuration", () => {
  it("with nothing set is development on loopback, on the simulator, with an open bootstrap", () => {
    const config = good();
    assert.equal(config.host, "127.0.0.1");
    assert.equal(config.port, 3001);
    assert.deepEqual(config.upstream, { kind: "simulator" });
    assert.equal(config.bootstrap, "open");
    assert.equal(config.mayGenerateSecrets, true);
    assert.deepEqual(config.corsOrigins, []);
    assert.equal(config.trustProxy, 0);
  });

  it("lists every fault at once, each with the setting's name", () => {
    const found = faults({
      PORT: "70000",
      JWT_SECRET: "short",
      ADMIN_TOKEN: "x",
      BOOTSTRAP: "maybe",
      RATE_LIMIT_WINDOW: "soon",
      MAX_PAYLOAD_SIZE: "huge",
      PROXY_BASE_URL: "relay.example.com",
      CORS_ORIGINS: "*",
      ALLOWED_MODELS: "claude-*-x",
      LOG_LEVEL: "loud",
      TRUST_PROXY: "true",
      NODE_ENV: "prod",
      PRICE_TABLE: "nowhere.json",
      DATA_DIR: import.meta.filename,
    });
    const names = found.map((fault) => /^\w+/.exec(fault)?.[0]);
    assert.deepEqual(names.sort(), [
      "ADMIN_TOKEN",
      "ALLOWED_MODELS",
      "BOOTSTRAP",
      "CORS_ORIGINS",
      "DATA_DIR",
      "JWT_SECRET",
      "LOG_LEVEL",
      "MAX_PAYLOAD_SIZE",
      "NODE_ENV",
      "PORT",
      "PRICE_TABLE",
      "PROXY_BASE_URL",
      "RATE_LIMIT_WINDOW",
      "TRUST_PROXY",
    ]);
  });

  it("never echoes a secret, however wrong", () => {
    const wrong = {
      JWT_SECRET: "tell-no-one-1",
      ADMIN_TOKEN: "tell-no-2",
      ANTHROPIC_API_KEY: "tell3",
    };
    const url = { PROXY_BASE_URL: "https://me:tell-no-one-4@relay.example.com" };
    const found = faults({ ...wrong, ...url, JWT_SECRET_PREVIOUS: "tell-no-one-5" });
    assert.equal(found.length, 5);
    assert.doesNotMatch(found.join("\n"), /tell/);
  });

  it("names a shell expression that an .env file holds literally", () => {
    for (const value of ["$(openssl rand -base64 32)", "`openssl rand -base64 32`"]) {
      const [fault = ""] = faults({ JWT_SECRET: value });
      assert.match(fault, /^JWT_SECRET holds a shell expression.*paste what it prints\.$/);
    }
  });

  it("names a placeholder that was never replaced", () => {
    for (const value of ["sk-ant-...", "<your key>", "your-api-key-here", "changeme"]) {
      assert.match(faults({ ANTHROPIC_API_KEY: value })[0] ?? "", /placeholder/);
    }
  });

  it("takes an empty variable for one that is not set", () => {
    const config = good({ PORT: "", JWT_SECRET: " ", ANTHROPIC_API_KEY: "", BOOTSTRAP: "" });
    assert.equal(config.port, 3001);
    assert.equal(config.jwtSecret, null);
  });

  it("prefers the environment to the file", () => {
    const file = { "service.port": "4001", "security.bootstrap": "code" };
    const config = good({ PORT: "5001" }, file);
    assert.equal(config.port, 5001);
    assert.equal(config.bootstrap, "code");
  });

  it("takes several API keys for a pool", () => {
    const { upstream } = good({ ANTHROPIC_API_KEY: "sk-ant-test-0001, sk-ant-test-0002," });
    assert.deepEqual(upstream, {
      kind: "anthropic",
      apiKeys: ["sk-ant-test-0001", "sk-ant-test-0002"],
      baseUrl: "https://api.anthropic.com",
    });
  });

  it("warns of what is probably not meant", () => {
    const redis = { REDIS_URL: "redis://127.0.0.1:6379" };
    assert.match(good(redis).warnings.join(), /without DATABASE_URL: run one instance only/);
    const models = { ALLOWED_MODELS: "claude-haiku-*" };
    assert.match(good(models).warnings.join(), /DEFAULT_MODEL opus is not in ALLOWED_MODELS/);
    assert.deepEqual(good({ ...models, DEFAULT_MODEL: "haiku" }).warnings, []);
    assert.deepEqual(good().warnings, []);
  });
});

describe("production", () => {
  it("is content with a key, both secrets and an address, and bootstraps by code", () => {
    const config = good(production);
    assert.equal(config.bootstrap, "code");
    assert.equal(config.mayGenerateSecrets, false);
  });

  for (const name of ["ANTHROPIC_API_KEY", "JWT_SECRET", "ADMIN_TOKEN", "PROXY_BASE_URL"]) {
    it(`refuses to be without ${name}`, () => {
      const found = faults({ ...production, [name]: "" });
      assert.equal(found.length, 1);
      assert.match(found[0] ?? "", new RegExp(`^${name} is required in production`));
    });
  }

  it("refuses an open bootstrap on a public address, and takes code and approve", () => {
    assert.match(
      faults({ ...production, BOOTSTRAP: "open" })[0] ?? "",
      /^BOOTSTRAP=open hands a token/,
    );
    assert.equal(good({ ...production, BOOTSTRAP: "approve" }).bootstrap, "approve");
  });
});

describe("a listener that others can reach", () => {
  for (const HOST of ["0.0.0.0", "::", "192.168.1.5", "relay.local", "127.0.0.1.nip.io"]) {
    it(`(${HOST}) demands what production demands`, () => {
      const found = faults({ HOST });
      assert.deepEqual(
        found.map((fault) => /^\w+/.exec(fault)?.[0]),
        ["ANTHROPIC_API_KEY", "JWT_SECRET", "ADMIN_TOKEN", "PROXY_BASE_URL"],
      );
      const { NODE_ENV: _, ...rest } = production;
      assert.equal(good({ ...rest, HOST }).bootstrap, "code");
      assert.match(faults({ ...rest, HOST, BOOTSTRAP: "open" })[0] ?? "", /^BOOTSTRAP=open/);
    });
  }

  it("is also one behind a public base URL: open is refused, and code is the default", () => {
    const PROXY_BASE_URL = "https://relay.example.com";
    assert.equal(good({ PROXY_BASE_URL }).bootstrap, "code");
    assert.match(faults({ PROXY_BASE_URL, BOOTSTRAP: "open" })[0] ?? "", /^BOOTSTRAP=open/);
    assert.equal(
      good({ PROXY_BASE_URL: "http://localhost:3001", BOOTSTRAP: "open" }).bootstrap,
      "open",
    );
    assert.equal(good({ PROXY_BASE_URL: "http://[::1]:3001" }).bootstrap, "open");
  });
});

describe("loopback", () => {
  it("is 127.0.0.0/8, ::1 and localhost, and nothing that looks like them", () => {
    for (const host of ["127.0.0.1", "127.255.0.9", "::1", "[::1]", "localhost"]) {
      assert.equal(isLoopbackHost(host), true, host);
    }
    for (const host of [
      "0.0.0.0",
      "::",
      "127.0.0.1.evil.test",
      "localhost.evil.test",
      "128.0.0.1",
      "127.1",
      "::ffff:7f00:1",
    ]) {
      assert.equal(isLoopbackHost(host), false, host);
    }
  });
});
