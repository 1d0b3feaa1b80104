import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sdkLines, shellLines, usualShell } from "./shell-lines.ts";

describe("lines for a shell", () => {
  it("mean what they say, whatever the value holds", { skip: process.platform === "win32" }, () => {
    const value = fc.string().map((text) => text.replaceAll("\0", ""));
    fc.assert(
      fc.property(value, (text) => {
        const [line] = shellLines({ THING: text }, "sh");
        const { stdout } = spawnSync("sh", ["-c", `${line}\nprintf %s "$THING"`]);
        assert.equal(stdout.toString(), Buffer.from(text).toString());
      }),
      { numRuns: 30, examples: [["'; echo no; '"], ["$(echo no)`echo no`"], ["a\nb"]] },
    );
  });

  it("are written in the language of each shell", () => {
    const variables = { A: "it's \\ x", B: null };
    assert.deepEqual(shellLines(variables, "sh"), ["export A='it'\\''s \\ x'", "unset B"]);
    assert.deepEqual(shellLines(variables, "fish"), ["set -gx A 'it\\'s \\\\ x'", "set -e B"]);
    assert.deepEqual(shellLines(variables, "powershell"), [
      "$env:A = 'it''s \\ x'",
      "Remove-Item Env:B -ErrorAction SilentlyContinue",
    ]);
  });

  it("ask for the token where they are read, so that it stands in no profile", () => {
    assert.deepEqual(sdkLines("https://r.example", "'/a b/claude-relay' token", "sh"), [
      "export ANTHROPIC_BASE_URL='https://r.example'",
      `export ANTHROPIC_AUTH_TOKEN="$('/a b/claude-relay' token)"`,
    ]);
    assert.match(sdkLines("u", "t", "fish")[1] ?? "", /^set -gx ANTHROPIC_AUTH_TOKEN \(t\)$/);
  });

  it("are fish's for who uses fish", () => {
    assert.equal(usualShell({ SHELL: "/usr/bin/fish" }), "fish");
    assert.notEqual(usualShell({ SHELL: "/bin/zsh" }), "fish");
  });
});
