import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { readSources } from "./sources.ts";

const folder = (t: TestContext, files: Record<string, string>): string => {
  const directory = mkdtempSync(join(tmpdir(), "claude-relay-config-"));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
  }
  return directory;
};

describe("configuration sources", () => {
  it("are none in an empty folder, and that is no fault", (t) => {
    const { environment, file, faults } = readSources({}, folder(t, {}));
    assert.deepEqual({ ...environment }, {});
    assert.equal(file.size, 0);
    assert.deepEqual(faults, []);
  });

  it("read .env with comments, quotes and empty values; the environment wins", (t) => {
    const directory = folder(t, {
      ".env": [
        "# a comment",
        "PORT=4000 # the usual one is taken",
        'ALLOWED_MODELS="claude-haiku-*,claude-sonnet-*" # quoted',
        "export LOG_LEVEL=debug",
        "JWT_SECRET=$(openssl rand -base64 32)",
        "EMPTY=",
        "HOST=127.0.0.1\r",
        "",
      ].join("\n"),
    });
    const { environment } = readSources({ HOST: "::1" }, directory);
    assert.equal(environment["PORT"], "4000");
    assert.equal(environment["ALLOWED_MODELS"], "claude-haiku-*,claude-sonnet-*");
    assert.equal(environment["LOG_LEVEL"], "debug");
    assert.equal(environment["JWT_SECRET"], "$(openssl rand -base64 32)");
    assert.equal(environment["EMPTY"], "");
    assert.equal(environment["HOST"], "::1");
  });

  it("find fault with a quoted value that would be cut, and tell none of it", (t) => {
    const cut = [
      "A=`tell`no-one",
      'export A = "tell" no-one',
      "A='tell''no-one'",
      'A="tell\\"no-one"',
      "A=`tell\nmore` no-one",
      "A=`tell` no-one # a comment",
    ];
    for (const name of ["config.env", ".env"]) {
      for (const line of cut) {
        const { faults } = readSources({}, folder(t, { [name]: `X=1\n${line}\nY="2"\n` }));
        assert.equal(faults.length, 1, line);
        assert.match(faults[0] ?? "", new RegExp(`^${name}: A has text after its closing quote`));
        assert.doesNotMatch(faults[0] ?? "", /tell|no-one/);
      }
    }
  });

  it("find no fault with quotes that are whole, inside a value, or in a comment", (t) => {
    const lines = ['A="x y" # "z" z', "B=a`b`c", 'C=`it\'s "so"`\r', "# D=`x` y", "E='a\nF=`b` c'"];
    const { faults, environment } = readSources({}, folder(t, { ".env": lines.join("\n") }));
    assert.deepEqual(faults, []);
    assert.deepEqual(
      { ...environment },
      { A: "x y", B: "a`b`c", C: 'it\'s "so"', E: "a\nF=`b` c" },
    );
  });

  it("read claude-relay-config.json as dotted keys", (t) => {
    const content = {
      service: { port: 4100, trust_proxy: 0, cors_origins: ["https://a.test", "https://b.test"] },
      security: { bootstrap: "code", admin_token: null },
    };
    const { file } = readSources(
      {},
      folder(t, { "claude-relay-config.json": JSON.stringify(content) }),
    );
    assert.deepEqual(Object.fromEntries(file), {
      "service.port": "4100",
      "service.trust_proxy": "0",
      "service.cors_origins": "https://a.test,https://b.test",
      "security.bootstrap": "code",
    });
  });

  it("take another file when CLAUDE_RELAY_CONFIG names one, from .env too", (t) => {
    const directory = folder(t, { "other.json": '{"service":{"port":4200}}' });
    writeFileSync(join(directory, ".env"), `CLAUDE_RELAY_CONFIG=${directory}/other.json`);
    const { file } = readSources({}, directory);
    assert.equal(file.get("service.port"), "4200");
  });

  it("take an empty CLAUDE_RELAY_CONFIG for none", (t) => {
    const { faults } = readSources({ CLAUDE_RELAY_CONFIG: " " }, folder(t, {}));
    assert.deepEqual(faults, []);
  });

  it("find fault with a named file that is missing", (t) => {
    const { faults } = readSources({ CLAUDE_RELAY_CONFIG: "nowhere.json" }, folder(t, {}));
    assert.match(faults.join(), /^CLAUDE_RELAY_CONFIG cannot be used: ENOENT/);
  });

  it("find fault with what is no JSON object, and quote none of its secrets", (t) => {
    for (const content of [
      '{"security": {"jwt_secret": tell-no-one}}',
      '{"security": {"jwt_secret": "tell-no-one"',
      "tell-no-one",
      '["tell-no-one"]',
      '"tell-no-one"',
    ]) {
      const { faults, file } = readSources({}, folder(t, { "claude-relay-config.json": content }));
      assert.equal(faults.length, 1, content);
      assert.match(
        faults[0] ?? "",
        /^claude-relay-config\.json cannot be used: it is not a valid JSON object\.$/,
      );
      assert.equal(file.size, 0);
    }
  });
});
