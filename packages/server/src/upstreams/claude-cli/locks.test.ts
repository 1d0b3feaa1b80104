import assert from "node:assert/strict";
import { test } from "node:test";
import { cliArguments } from "./arguments.ts";
import { cliEnvironment } from "./environment.ts";
import { everyLock } from "./locks.ts";
import type { RunFolder } from "./run-folder.ts";
import { inPlace } from "./sandbox.ts";

const places = { home: "/h", config: "/c", tmp: "/t", work: "/w" };
const folder: RunFolder = { ...places, path: "/p", remove: () => Promise.resolve() };

test("every lock is on the command line, and --bare with an API key alone", () => {
  for (const credential of ["api_key", "oauth_token", "stored_login"] as const) {
    const flags = cliArguments({ credential, model: "m" }, everyLock);
    const after = (name: string) => flags[flags.indexOf(name) + 1];
    assert.equal(after("--tools"), "");
    assert.equal(after("--setting-sources"), "");
    assert.equal(after("--max-turns"), "1");
    assert.equal(after("--max-budget-usd"), "0.0000001");
    assert.equal(after("--permission-prompts"), "none");
    for (const flag of [
      "--strict-mcp-config",
      "--disable-slash-commands",
      "--no-session-persistence",
    ]) {
      assert.ok(flags.includes(flag), flag);
    }
    assert.equal(flags.includes("--bare"), credential === "api_key");
  }
});

test("the environment holds one credential, the locks, and nothing of the relay's own", () => {
  const given = { places, baseUrl: null };
  const env = cliEnvironment({ ...given, credential: { kind: "api_key", key: "sk" } }, everyLock);
  assert.equal(env["ANTHROPIC_API_KEY"], "sk");
  assert.equal(env["PATH"], "/nonexistent");
  assert.equal(env["CLAUDE_CODE_DISABLE_FILE_MENTIONS"], "1");
  assert.equal(env["CLAUDE_CODE_MAX_RETRIES"], "0");
  assert.equal(env["ANTHROPIC_BASE_URL"], undefined);
  const login = { kind: "oauth_token", token: "tok" } as const;
  const other = cliEnvironment({ ...given, credential: login }, everyLock);
  assert.equal(other["CLAUDE_CODE_OAUTH_TOKEN"], "tok");
  assert.equal(other["ANTHROPIC_API_KEY"], undefined);
});

test("bubblewrap's arguments hold no secret, and show no directory of the host but a stored login", () => {
  const bwrap = { kind: "bwrap", bwrap: "/usr/bin/bwrap" } as const;
  const key = { kind: "api_key", key: "sk-secret" } as const;
  const { arguments: flags, places: inside } = inPlace(bwrap, "/claude", ["-p"], folder, key);
  assert.doesNotMatch(flags.join(" "), /sk-secret|--bind(?!-)/);
  assert.deepEqual(inside.work, "/tmp/work");
  for (const flag of ["--unshare-all", "--die-with-parent", "--tmpfs"]) {
    assert.ok(flags.includes(flag), flag);
  }
});
