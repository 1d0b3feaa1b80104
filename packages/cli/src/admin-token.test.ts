import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { adminTokenFor } from "./admin-token.ts";
import { relayAddress } from "./relay-address.ts";
import { readSettings } from "./settings.ts";

const folder = (t: TestContext, files: Record<string, string>): string => {
  const directory = mkdtempSync(join(tmpdir(), "claude-relay-cli-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, "data"));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
  }
  return directory;
};

const token = (environment: Record<string, string>, directory: string, url?: string) => {
  const settings = readSettings(environment, directory);
  return adminTokenFor(settings, relayAddress(settings, url));
};

const generated = { "data/secrets.json": '{"jwt_secret":"j","admin_token":"generated"}' };

describe("the admin token", () => {
  it("is ADMIN_TOKEN, else the one the relay made up in DATA_DIR", (t) => {
    const directory = folder(t, { ...generated, ".env": "ADMIN_TOKEN=from-file" });
    assert.equal(token({ ADMIN_TOKEN: "given" }, directory).value, "given");
    assert.deepEqual(token({}, directory), { value: "from-file", from: ".env" });
    const bare = folder(t, generated);
    assert.equal(token({}, bare).value, "generated");
    assert.equal(token({ DATA_DIR: join(bare, "data") }, "/").value, "generated");
  });

  it("that is nowhere is a fault that names both places", (t) => {
    assert.throws(() => token({}, folder(t, {})), /ADMIN_TOKEN.*secrets\.json.*run\.sh/s);
  });

  it("is not sent over plain http to another machine, wherever it is from", (t) => {
    const url = "http://relay.example:3001";
    assert.throws(() => token({ ADMIN_TOKEN: "given" }, folder(t, {}), url), /neither.*https/);
  });

  it("of this machine's relay is not sent to another one, unless that is where callers reach it", (t) => {
    const url = "https://relay.example";
    const directory = folder(t, generated);
    assert.throws(() => token({}, directory, url), /belongs to the relay on this machine/);
    assert.throws(() => token({ CLAUDE_RELAY_URL: url }, directory), /unset CLAUDE_RELAY_URL/);
    assert.equal(token({ ADMIN_TOKEN: "given" }, directory, url).value, "given");
    const own = { PROXY_BASE_URL: "https://relay.example/" };
    assert.equal(token(own, directory, url).value, "generated");
    assert.throws(() => token(own, directory, "https://relay.example.org"), /belongs to/);
    assert.equal(token({ NGROK_DOMAIN: "relay.example" }, directory, url).value, "generated");
  });

  it("in a broken secrets.json is a fault that does not quote it", (t) => {
    const directory = folder(t, { "data/secrets.json": '{"admin_token":"s3cret' });
    assert.throws(
      () => token({}, directory),
      (error: Error) =>
        /not a valid JSON object/.test(error.message) && !error.message.includes("s3cret"),
    );
  });
});
