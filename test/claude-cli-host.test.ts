/** The real Claude Code and its host: managed settings, the probe, the rehearsal, a relay that is killed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { chooseComplete } from "../packages/server/src/compose-complete.ts";
import { probeClaudeCli } from "../packages/server/src/upstreams/claude-cli/probe.ts";
import { rehearseClaudeCli } from "../packages/server/src/upstreams/claude-cli/rehearsal.ts";
import {
  apiKey,
  binary,
  sandboxes,
  skip,
  skipSandbox,
  startAnthropic,
  startClaudeCli,
  tempFolder,
} from "./harness/claude-cli.ts";
import { plantTraps, startCanary } from "./harness/claude-cli-traps.ts";

describe("managed settings, which no flag shuts off", {
  skip: skipSandbox,
  timeout: 120_000,
}, () => {
  for (const [sandbox, applied] of [
    ["none", true],
    ["bwrap", false],
  ] as const) {
    it(`${applied ? "apply" : "are hidden"} with sandbox ${sandbox}`, async (t) => {
      const anthropic = await startAnthropic(t);
      const [etc, marks] = [tempFolder(t), tempFolder(t)];
      mkdirSync(join(etc, "claude-code"));
      const command = `/bin/sh -c 'echo x > ${join(marks, "managed")}'`;
      const hooks = { UserPromptSubmit: [{ hooks: [{ type: "command", command }] }] };
      writeFileSync(join(etc, "claude-code", "managed-settings.json"), JSON.stringify({ hooks }));
      const main = `
        import { startClaudeCli, sandboxes } from ${JSON.stringify(new URL("./harness/claude-cli.ts", import.meta.url).href)};
        const after = [];
        const t = { after: (what) => after.unshift(what) };
        const sandbox = sandboxes[${JSON.stringify(sandbox)}];
        const { ask } = startClaudeCli(t, ${JSON.stringify(anthropic.url)}, { sandbox });
        const { received } = ask("hello");
        await received.over;
        console.log(received.text, JSON.stringify(received.failure));
        for (const what of after) await what();
      `;
      const script = join(tempFolder(t), "main.ts");
      writeFileSync(script, main);
      const { stdout, stderr } = await runInside(etc, script);
      assert.match(stdout, /message_stop/, stdout + stderr);
      assert.deepEqual(readdirSync(marks), applied ? ["managed"] : []);
    });
  }
});

/** Runs a script where `/etc` is another directory. */
const runInside = async (etc: string, script: string) => {
  const { spawn } = await import("node:child_process");
  const flags = [
    "--dev-bind",
    "/",
    "/",
    "--bind",
    etc,
    "/etc",
    realpathSync(process.execPath),
    script,
  ];
  const child = spawn("/usr/bin/bwrap", flags, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return said;
};

describe("the probe", { skip, timeout: 60_000 }, () => {
  it("finds the program, its version, its place and the credential", async (t) => {
    const tempRoot = tempFolder(t);
    const env = { PATH: "/usr/bin", HOME: tempFolder(t) };
    const found = await probeClaudeCli({ binary, apiKey, env, tempRoot });
    assert.ok(found.found);
    assert.equal(found.version, "2.1.329");
    assert.equal(found.versionStanding, "tested");
    assert.deepEqual(found.credential, { kind: "api_key", key: apiKey });
    assert.equal(found.sandbox.kind, skipSandbox ? "none" : "bwrap");
    assert.deepEqual(readdirSync(tempRoot), []);
  });

  it("says what stays open where there is no bubblewrap", async (t) => {
    const env = { PATH: "/nonexistent", HOME: tempFolder(t) };
    const found = await probeClaudeCli({ binary, apiKey: null, env, tempRoot: tempFolder(t) });
    assert.ok(found.found);
    assert.deepEqual(found.credential, null);
    assert.equal(found.sandbox.kind, "none");
    assert.match(found.leavesOpen.join("\n"), /managed settings/);
  });

  it("prefers a stored login over an API key", async (t) => {
    const home = tempFolder(t);
    mkdirSync(join(home, ".claude"));
    const login = {
      accessToken: "a",
      refreshToken: "r",
      expiresAt: 4e12,
      scopes: ["user:inference"],
      subscriptionType: "max",
    };
    writeFileSync(
      join(home, ".claude", ".credentials.json"),
      JSON.stringify({ claudeAiOauth: login }),
    );
    const env = { PATH: "", HOME: home };
    const found = await probeClaudeCli({ binary, apiKey, env, tempRoot: tempFolder(t) });
    assert.ok(found.found);
    assert.deepEqual(found.credential, { kind: "stored_login", home, configDir: null });
  });

  it("springs no trap in the operator's home", async (t) => {
    const home = tempFolder(t);
    const marks = join(home, "marks");
    mkdirSync(marks);
    const canary = await startCanary(t);
    plantTraps(home, marks, canary.url);
    plantTraps(join(home, ".claude"), marks, canary.url);
    for (const env of [{ HOME: home }, { HOME: home, CLAUDE_CONFIG_DIR: join(home, ".claude") }]) {
      const found = await probeClaudeCli({ binary, apiKey: null, env, tempRoot: tempFolder(t) });
      assert.ok(found.found);
      assert.equal(found.credential, null);
    }
    assert.deepEqual(readdirSync(marks), []);
    assert.deepEqual(canary.heard, []);
  });

  it("names what it does not find", async (t) => {
    const tempRoot = tempFolder(t);
    const missing = await probeClaudeCli({ binary: "/no/claude", apiKey: null, env: {}, tempRoot });
    assert.deepEqual(missing.found, false);
    const other = join(tempRoot, "claude");
    writeFileSync(other, "#!/bin/sh\necho hello\n", { mode: 0o755 });
    const odd = await probeClaudeCli({ binary: other, apiKey: null, env: {}, tempRoot });
    assert.ok(!odd.found && /no native Claude Code/.test(odd.reason));
    assert.equal(spawnSync(binary, ["--version"]).status, 0);
  });
});

describe("the rehearsal", { skip, timeout: 60_000 }, () => {
  const rehearse = async (t: TestContext, changes: object = {}) => {
    const anthropic = await startAnthropic(t);
    const { options } = startClaudeCli(t, anthropic.url, changes);
    const fault = await rehearseClaudeCli(options);
    assert.deepEqual(anthropic.bodies(), []);
    return fault;
  };

  it("passes the real Claude Code in both modes, in and out of the sandbox", async (t) => {
    for (const sandbox of skipSandbox ? [sandboxes.none] : Object.values(sandboxes)) {
      assert.equal(await rehearse(t, { sandbox }), null);
      const credential = { kind: "stored_login", home: tempFolder(t), configDir: null };
      assert.equal(await rehearse(t, { sandbox, credential }), null);
    }
  });

  it("tells what does not hold", async (t) => {
    assert.match((await rehearse(t, { version: "2.1.330" })) ?? "", /not version 2.1.330/);
    assert.match((await rehearse(t, { binary: "/bin/true" })) ?? "", /ended early/);
  });

  it("lets a newer version serve whose locks hold", async (t) => {
    const newer = join(tempFolder(t), "claude");
    const script = `#!/bin/bash\n${binary} "$@" | /bin/sed -u 's/2\\.1\\.329/2.1.330/g'\n`;
    writeFileSync(newer, script, { mode: 0o755 });
    const chosen = await chooseComplete(
      {
        completeUpstream: "cli",
        upstream: { kind: "anthropic", apiKeys: [apiKey], baseUrl: "http://127.0.0.1:9" },
        claudeBinary: newer,
      },
      { PATH: "/nonexistent", HOME: tempFolder(t) },
    );
    assert.equal(chosen.kind === "cli" && chosen.cli.probe.versionStanding, "untested");
  });

  it("sees a lock that is ignored", async (t) => {
    const wrapper = join(tempFolder(t), "claude");
    // A Claude Code that knows neither the variables nor --bare, the denied permissions and the budget.
    const script = `#!/bin/bash
unset CLAUDE_CODE_DISABLE_FILE_MENTIONS CLAUDE_CODE_DISABLE_ATTACHMENTS
args=()
while (($#)); do
  case "$1" in
    --bare) ;;
    --settings) shift ;;
    *) args+=("$1") ;;
  esac
  shift
done
/bin/sed -u 's/"deny":\\[[^]]*\\]/"deny":[]/' | exec ${binary} "\${args[@]}"
`;
    writeFileSync(wrapper, script, { mode: 0o755 });
    assert.equal(await rehearse(t, { binary: wrapper }), "it reads files a prompt mentions");
  });
});

describe("a relay that is killed", { skip: skipSandbox, timeout: 60_000 }, () => {
  it("leaves processes that end by themselves, and files the next one sweeps", async (t) => {
    const anthropic = await startAnthropic(t);
    const tempRoot = tempFolder(t);
    for (const sandbox of ["none", "bwrap"] as const) {
      const script = join(tempFolder(t), "main.ts");
      writeFileSync(
        script,
        `import { startClaudeCli, sandboxes } from ${JSON.stringify(new URL("./harness/claude-cli.ts", import.meta.url).href)};
        const { ask } = startClaudeCli({ after() {} }, ${JSON.stringify(anthropic.url)}, {
          tempRoot: ${JSON.stringify(tempRoot)}, sandbox: sandboxes.${sandbox}, poolSize: 1,
        });
        const { received } = ask("hello", { model: "claude-sim-paced:100:20" });
        await received.begun;
        console.log("begun");`,
      );
      const { spawn } = await import("node:child_process");
      const relay = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
      await new Promise((resolve) => relay.stdout.once("data", resolve));
      const base = readdirSync(tempRoot)[0] ?? "";
      relay.kill("SIGKILL");
      await new Promise((resolve) => relay.once("close", resolve));
      const living = () =>
        readdirSync("/proc").filter((pid) => {
          try {
            return readFileSync(`/proc/${pid}/environ`, "utf8").includes(
              sandbox === "none" ? join(tempRoot, base) : anthropic.url,
            );
          } catch {
            return false;
          }
        });
      while (living().length > 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.ok(readdirSync(tempRoot).includes(base));
      const next = startClaudeCli(t, anthropic.url, { tempRoot });
      assert.ok(!readdirSync(tempRoot).includes(base));
      await next.cli.close();
      assert.deepEqual(readdirSync(tempRoot), []);
    }
  });
});
