import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Fault } from "./fault.ts";
import { readSettings } from "./settings.ts";

const folder = (t: TestContext, files: Record<string, string>): string => {
  const directory = mkdtempSync(join(tmpdir(), "claude-relay-cli-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
  }
  return directory;
};

describe("settings", () => {
  it("are the environment's before config.env's before .env's before the JSON file's", (t) => {
    const all = {
      "config.env": "PORT=2\n",
      ".env": "PORT=3\n",
      "claude-relay-config.json": '{"service":{"port":4}}',
    };
    const port = (environment: Record<string, string>, files: Record<string, string>) =>
      readSettings(environment, folder(t, files)).get("PORT");
    assert.deepEqual(port({ PORT: "1" }, all), { value: "1", from: "the environment" });
    assert.deepEqual(port({}, all), { value: "2", from: "config.env" });
    assert.deepEqual(port({}, { ...all, "config.env": "HOST=::1" }), { value: "3", from: ".env" });
    const json = { "claude-relay-config.json": all["claude-relay-config.json"] };
    assert.deepEqual(port({}, json), { value: "4", from: "claude-relay-config.json" });
    assert.equal(port({}, {}), null);
  });

  it("hidden by an empty variable are not set, except in the JSON file, as in the server", (t) => {
    const directory = folder(t, {
      ".env": "PORT=3\nHOST=::1",
      "claude-relay-config.json": '{"service":{"port":4}}',
    });
    const settings = readSettings({ PORT: " ", HOST: "" }, directory);
    assert.equal(settings.get("PORT")?.value, "4");
    assert.equal(settings.get("HOST"), null);
  });

  it("may stand in the file that CLAUDE_RELAY_CONFIG names", (t) => {
    const directory = folder(t, { "mine.json": '{"security":{"admin_token":"from-json"}}' });
    const settings = readSettings({ CLAUDE_RELAY_CONFIG: join(directory, "mine.json") }, directory);
    assert.equal(settings.get("ADMIN_TOKEN")?.value, "from-json");
  });

  it("in a broken JSON file are a fault that does not quote it", (t) => {
    const directory = folder(t, {
      "claude-relay-config.json": '{"security":{"admin_token":"s3cret',
    });
    assert.throws(
      () => readSettings({}, directory),
      (error: Error) => error instanceof Fault && !error.message.includes("s3cret"),
    );
  });

  it("in a file that cannot be read are a fault that names it", (t) => {
    const directory = folder(t, {});
    mkdirSync(join(directory, "config.env"));
    assert.throws(() => readSettings({}, directory), /config\.env cannot be read \(EISDIR\)\.$/);
  });
});
