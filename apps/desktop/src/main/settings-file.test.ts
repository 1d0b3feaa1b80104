import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { tempFolder } from "../../../../test/harness/temp-folder.ts";
import { CallError } from "../bridge/call-error.ts";
import { openSettingsFile } from "./settings-file.ts";

describe("the settings file", () => {
  it("is not made before something is set", (t) => {
    const folder = tempFolder(t);
    const file = openSettingsFile(join(folder, "settings.json"));
    assert.deepEqual(file.settings, { theme: "system", defaultModel: null });
    assert.equal(file.relayUrl, null);
    assert.equal(file.notice, null);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("keeps each change beside the others, for its user alone, and leaves nothing else behind", (t) => {
    const folder = tempFolder(t);
    const path = join(folder, "desktop", "settings.json");
    const file = openSettingsFile(path);
    file.change({ theme: "dark" });
    file.change({ relayUrl: "https://relay.example.com" });
    file.change({ defaultModel: "claude-haiku-4-5" });
    const again = openSettingsFile(path);
    assert.deepEqual(again.settings, { theme: "dark", defaultModel: "claude-haiku-4-5" });
    assert.equal(again.relayUrl, "https://relay.example.com");
    again.change({ relayUrl: null });
    assert.equal(openSettingsFile(path).relayUrl, null);
    assert.equal(openSettingsFile(path).settings.theme, "dark");
    assert.deepEqual(readdirSync(join(folder, "desktop")), ["settings.json"]);
    if (process.platform !== "win32") {
      assert.equal(statSync(path).mode & 0o777, 0o600);
    }
  });

  it("that is damaged is put aside whole, and the next change makes a new one", (t) => {
    const folder = tempFolder(t);
    const path = join(folder, "settings.json");
    for (const text of ["", "nonsense", "null", '{"theme":"dark"}']) {
      writeFileSync(path, text);
      const file = openSettingsFile(path);
      assert.match(file.notice ?? "", /damaged.*put aside as .*settings\.damaged\.json/);
      assert.equal(readFileSync(join(folder, "settings.damaged.json"), "utf8"), text);
      file.change({ theme: "light" });
      assert.equal(openSettingsFile(path).settings.theme, "light");
      assert.equal(openSettingsFile(path).notice, null);
    }
  });

  it("of a newer app, with more in it, is read", (t) => {
    const path = join(tempFolder(t), "settings.json");
    const newer = { theme: "dark", default_model: null, relay_url: null, font: "large" };
    writeFileSync(path, JSON.stringify(newer));
    assert.deepEqual(openSettingsFile(path).settings.theme, "dark");
    assert.equal(openSettingsFile(path).notice, null);
  });

  it("that cannot be read is said", (t) => {
    const path = join(tempFolder(t), "settings.json");
    mkdirSync(path);
    assert.match(openSettingsFile(path).notice ?? "", /cannot be read \(EISDIR\)/);
  });

  it("that cannot be written changes nothing, and says what to do", (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, "in-the-way"), "");
    const file = openSettingsFile(join(folder, "in-the-way", "settings.json"));
    assert.throws(
      () => file.change({ theme: "dark" }),
      (error: unknown) =>
        error instanceof CallError &&
        error.code === "failed" &&
        /cannot be written \(\w+\)\. Make this file and its folder writable/.test(error.message),
    );
    assert.equal(file.settings.theme, "system");
  });
});
