import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Fault } from "../fault.ts";
import {
  backUp,
  claudeSettingsPath,
  readClaudeSettings,
  removeClaudeSettings,
  writeClaudeSettings,
} from "./settings-file.ts";

const folder = (t: TestContext): string => {
  const made = mkdtempSync(join(tmpdir(), "claude-relay-settings-"));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
};
const modeOf = (path: string): number => statSync(path).mode & 0o777;
const posix = { skip: process.platform === "win32" };

describe("Claude Code's settings file", posix, () => {
  it("is in CLAUDE_CONFIG_DIR, or in ~/.claude", () => {
    assert.equal(claudeSettingsPath({ CLAUDE_CONFIG_DIR: "/a b" }), "/a b/settings.json");
    assert.equal(claudeSettingsPath({ HOME: "/h" }), "/h/.claude/settings.json");
  });

  it("is made for its owner alone, with its folder", (t) => {
    const path = join(folder(t), "new", "settings.json");
    assert.equal(readClaudeSettings(path), null);
    writeClaudeSettings(path, "{}\n", null);
    assert.equal(readFileSync(path, "utf8"), "{}\n");
    assert.equal(modeOf(path), 0o600);
  });

  it("keeps its mode, and leaves nothing beside it", (t) => {
    const home = folder(t);
    const path = join(home, "settings.json");
    writeFileSync(path, "{}");
    chmodSync(path, 0o640);
    writeClaudeSettings(path, '{"a":1}', "{}");
    assert.equal(modeOf(path), 0o640);
    assert.deepEqual(readdirSync(home), ["settings.json"]);
  });

  it("stays a link to where it really is, also when that is not there yet", (t) => {
    const home = folder(t);
    mkdirSync(join(home, "dotfiles"));
    const path = join(home, "settings.json");
    symlinkSync(join("dotfiles", "claude.json"), path);
    writeClaudeSettings(path, "{}", null);
    writeClaudeSettings(path, '{"a":1}', "{}");
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.equal(readFileSync(join(home, "dotfiles", "claude.json"), "utf8"), '{"a":1}');
    removeClaudeSettings(path);
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.equal(readClaudeSettings(path), null);
  });

  it("keeps a byte order mark", (t) => {
    const path = join(folder(t), "settings.json");
    writeFileSync(path, '\ufeff{"a":1}');
    assert.equal(readClaudeSettings(path), '{"a":1}');
    writeClaudeSettings(path, '{"a":2}', '{"a":1}');
    assert.equal(readFileSync(path, "utf8"), '\ufeff{"a":2}');
  });

  it("that is no JSON object is refused, and nothing of it is shown", (t) => {
    const path = join(folder(t), "settings.json");
    for (const text of ['{"apiKey": "s3cret",}', "[]", "// s3cret\n{}", "null", '"s3cret"']) {
      writeFileSync(path, text);
      assert.throws(
        () => readClaudeSettings(path),
        (error) =>
          error instanceof Fault &&
          /not a valid JSON object/.test(error.message) &&
          !error.message.includes("s3cret"),
      );
      assert.equal(readFileSync(path, "utf8"), text);
    }
  });

  it("that another program changed in the meantime is not overwritten", (t) => {
    const home = folder(t);
    const path = join(home, "settings.json");
    writeFileSync(path, '{"theirs":1}');
    assert.throws(
      () => writeClaudeSettings(path, '{"ours":1}', "{}"),
      /changed by another program/,
    );
    assert.equal(readFileSync(path, "utf8"), '{"theirs":1}');
    assert.deepEqual(readdirSync(home), ["settings.json"]);
  });

  it("is backed up with the time in the name, and the same mode", (t) => {
    const path = join(folder(t), "settings.json");
    assert.equal(backUp(path, new Date(0)), null);
    writeFileSync(path, '{"a":1}');
    chmodSync(path, 0o640);
    const copy = backUp(path, new Date(0));
    assert.equal(copy, `${path}.before-claude-relay-1970-01-01T00-00-00-000Z`);
    assert.equal(readFileSync(copy!, "utf8"), '{"a":1}');
    assert.equal(modeOf(copy!), 0o640);
  });
});
