import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { chooseComplete } from "./compose-complete.ts";

const withKey = {
  kind: "anthropic",
  apiKeys: ["k"],
  baseUrl: "https://api.anthropic.com",
} as const;
const withoutKey = { kind: "simulator" } as const;

/** A program that tells the version of a Claude Code, and that nobody is logged in. */
const fakeClaude = (t: TestContext, version: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "claude");
  writeFileSync(
    path,
    `#!/bin/sh\ncase "$*" in *--version*) echo "${version} (Claude Code)";; *) echo '{"loggedIn":false}';; esac\n`,
  );
  chmodSync(path, 0o755);
  return path;
};

const none = { PATH: "/nonexistent" };
const token = { ...none, CLAUDE_CODE_OAUTH_TOKEN: "made-up" };

describe("what serves /v1/complete", () => {
  it("is the API by itself when there is a key, whatever is logged in", async (t) => {
    const claudeBinary = fakeClaude(t, "2.1.329");
    const config = { completeUpstream: "auto", upstream: withKey, claudeBinary } as const;
    assert.equal((await chooseComplete(config, token)).kind, "api");
  });

  it("is Claude Code with the first key when it is asked for and nobody is logged in", async (t) => {
    const claudeBinary = fakeClaude(t, "2.1.329");
    const upstream = { ...withKey, apiKeys: ["first", "second"] };
    const chosen = await chooseComplete({ completeUpstream: "cli", upstream, claudeBinary }, none);
    assert.deepEqual(chosen.kind === "cli" && chosen.cli.credential, {
      kind: "api_key",
      key: "first",
    });
  });

  it("is Claude Code without a key, when it is there, new enough and logged in", async (t) => {
    const auto = { completeUpstream: "auto", upstream: withoutKey } as const;
    const good = { ...auto, claudeBinary: fakeClaude(t, "2.1.329") };
    const chosen = await chooseComplete(good, token);
    assert.equal(chosen.kind === "cli" && chosen.cli.credential.kind, "oauth_token");
    for (const [claudeBinary, env, why] of [
      [good.claudeBinary, none, /not logged in/],
      [fakeClaude(t, "2.1.197"), token, /2\.1\.197 is too old/],
      ["/nonexistent/claude", token, /no Claude Code at \/nonexistent\/claude: install it/],
    ] as const) {
      const closed = await chooseComplete({ ...auto, claudeBinary }, env);
      assert.equal(closed.kind, "closed", "canned answers would pass for its own");
      assert.match(closed.why, why);
      assert.match(closed.kind === "closed" ? closed.reason : "", why);
    }
    const onPath = { PATH: dirname(good.claudeBinary) };
    assert.equal((await chooseComplete({ ...auto, claudeBinary: null }, onPath)).kind, "closed");
    const absent = await chooseComplete({ ...auto, claudeBinary: null }, token);
    assert.equal(absent.kind, "simulator");
    assert.match(absent.why, /no Claude Code on PATH/);
  });

  it("is not a Claude Code newer than what was tested, unless its locks hold in a rehearsal", async (t) => {
    const auto = { completeUpstream: "auto", upstream: withoutKey } as const;
    const { kind, why } = await chooseComplete(
      { ...auto, claudeBinary: fakeClaude(t, "2.1.330") },
      token,
    );
    assert.equal(kind, "closed");
    assert.match(
      why,
      /2\.1\.330 is not usable: .*rehearsal its locks did not hold \(.+\); install an older one/,
    );
  });

  it("stops the start when what was asked for is not there, and names the remedy", async (t) => {
    const claudeBinary = fakeClaude(t, "2.1.329");
    const ask = (
      completeUpstream: "cli" | "api" | "simulator",
      upstream: typeof withKey | typeof withoutKey,
    ) => chooseComplete({ completeUpstream, upstream, claudeBinary }, none);
    await assert.rejects(ask("cli", withoutKey), /COMPLETE_UPSTREAM=cli: .*run claude and log in/);
    await assert.rejects(ask("api", withoutKey), /needs ANTHROPIC_API_KEY/);
    await assert.rejects(ask("simulator", withKey), /unset one of them/);
  });
});
