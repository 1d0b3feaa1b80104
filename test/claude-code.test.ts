/** The real Claude Code, pinned in test/tools, talking to Claude through the relay. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { ask, type Setting, startSetting } from "./harness/anthropic.ts";
import { send, withToken } from "./harness/http.ts";
import { rowsOf } from "./harness/ledger.ts";
import { jwtSecret, masterKey } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const binary = new URL(
  `./tools/node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude${process.platform === "win32" ? ".exe" : ""}`,
  import.meta.url,
).pathname;
const skip = existsSync(binary)
  ? false
  : "the real Claude Code is not installed: npm ci --prefix test/tools --ignore-scripts";

let setting: Setting;
before(async () => {
  if (!skip) {
    setting = await startSetting();
  }
});
after(() => setting?.stop());

type Run = Readonly<{
  code: number | null;
  stdout: string;
  stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: Claude Code's own result line
  result: any;
}>;

/** A home of its own for each run: nothing of the developer's settings, logins or memory. */
const makeHome = (t: TestContext): string => {
  const home = tempFolder(t);
  for (const name of ["config", "work"]) {
    mkdirSync(join(home, name));
  }
  return home;
};

const claude = (
  home: string,
  prompt: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<Run> =>
  new Promise((resolve, reject) => {
    const model = ["--model", "claude-sonnet-4-5-20250929"];
    const child = spawn(binary, ["-p", "--output-format", "json", ...model, ...flags], {
      cwd: join(home, "work"),
      env: {
        PATH: "/usr/bin:/bin",
        HOME: home,
        CLAUDE_CONFIG_DIR: join(home, "config"),
        LANG: "C.UTF-8",
        ANTHROPIC_BASE_URL: setting.relay.url,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        DISABLE_AUTOUPDATER: "1",
        ...env,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      try {
        resolve({ code, stdout, stderr, result: JSON.parse(stdout) });
      } catch {
        reject(new Error(`Claude Code said no JSON (exit ${code}):\n${stdout}\n${stderr}`));
      }
    });
    child.stdin.end(prompt);
  });

/** A token helper that prints one line of `tokens` a run, the last one for ever, and counts its runs. */
const makeHelper = (home: string, tokens: readonly string[]) => {
  const runs = join(home, "runs");
  const file = join(home, "tokens");
  const script = join(home, "helper.sh");
  writeFileSync(runs, "");
  writeFileSync(file, `${tokens.join("\n")}\n`);
  writeFileSync(
    script,
    `#!/bin/sh\necho run >> '${runs}'\nline=$(wc -l < '${runs}')\nsed -n "$((line < ${tokens.length} ? line : ${tokens.length}))p" '${file}'\n`,
    { mode: 0o700 },
  );
  writeFileSync(join(home, "config", "settings.json"), JSON.stringify({ apiKeyHelper: script }));
  return { runs: () => readFileSync(runs, "utf8").split("\n").length - 1 };
};

/** The relay's own token a day after its end: the same claims and key, older times. */
const expired = (token: string): Promise<string> => {
  const claims = decodeJwt(token);
  const { kid } = decodeProtectedHeader(token);
  const longAgo = Math.floor(Date.now() / 1000) - 48 * 3600;
  return new SignJWT({ ...claims, iat: longAgo, exp: longAgo + 24 * 3600 })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", ...(kid !== undefined && { kid }) })
    .sign(new TextEncoder().encode(jwtSecret));
};

const requestsOf = (marker: string) =>
  setting.simulator.log.filter(({ body }) => body.includes(marker));

/** How often the relay turned a device away, and why. */
const refusalsOf = async (reason: RegExp): Promise<number> => {
  const { body } = await setting.relay.admin("/admin/audit?action=credential.refuse&limit=1000");
  return body.data.filter(({ detail }: { detail: { reason: string } }) =>
    reason.test(detail.reason),
  ).length;
};

describe("the real Claude Code", { skip, concurrency: true, timeout: 120_000 }, () => {
  it("talks to Claude with the token in ANTHROPIC_AUTH_TOKEN", async (t) => {
    const run = await claude(makeHome(t), "the marker is plum", {
      ANTHROPIC_AUTH_TOKEN: setting.token,
    });
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.equal(run.result.is_error, false);
    assert.match(run.result.result, /You said: the marker is plum/);
    const [request, ...more] = requestsOf("marker is plum");
    assert.deepEqual(more, []);
    assert.equal(request?.path, "/v1/messages?beta=true");
    assert.equal(request?.headers["x-api-key"], masterKey);
    assert.equal(request?.headers.authorization, undefined);
    assert.match(String(request?.headers["anthropic-beta"]), /claude-code-/);
    assert.match(String(request?.headers["user-agent"]), /^claude-cli\//);
    const session = request?.headers["x-claude-code-session-id"];
    assert.equal(session, run.result.session_id);
    const [row] = (await rowsOf(setting.relay)).filter((one) => one.session_id === session);
    assert.equal(row?.accuracy, "measured");
    assert.equal(row?.input_tokens, run.result.usage.input_tokens);
    assert.equal(row?.output_tokens, run.result.usage.output_tokens);
  });

  it("talks to Claude with the token from an apiKeyHelper, which it sends in both headers", async (t) => {
    const home = makeHome(t);
    const helper = makeHelper(home, [`sk-ant-proxy-${setting.token}`]);
    const run = await claude(home, "the marker is quince", {});
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.match(run.result.result, /You said: the marker is quince/);
    assert.equal(helper.runs(), 1);
    const [request] = requestsOf("marker is quince");
    assert.equal(request?.headers["x-api-key"], masterKey);
    assert.ok(!JSON.stringify(request?.headers).includes(setting.token));
  });

  it("runs a tool that Claude asks for, and sends its result", async (t) => {
    const run = await claude(
      makeHome(t),
      'use tool Bash {"command":"echo fruit-$((6*7))","description":"say a fruit"}',
      { ANTHROPIC_AUTH_TOKEN: setting.token },
      ["--allowedTools", "Bash(echo:*)"],
    );
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.equal(run.result.is_error, false);
    assert.match(run.result.result, /The tool said: fruit-42/);
    assert.equal(run.result.num_turns, 2);
    assert.equal(requestsOf("use tool Bash").length, 2);
    assert.equal(requestsOf("fruit-42").length, 1);
  });

  it("has an expired token renewed by its helper, for the relay answers it a plain 401", async (t) => {
    const home = makeHome(t);
    const old = await expired(setting.token);
    const plain = await send(setting.relay.url, { headers: withToken(old), body: ask("hi") });
    assert.equal(plain.status, 401);
    assert.match(plain.body.toString(), /Token expired. Please refresh your token./);
    assert.equal(plain.headers["x-should-retry"], undefined);

    const before = await refusalsOf(/Token expired/);
    const helper = makeHelper(home, [old, setting.token]);
    const run = await claude(home, "the marker is cherry", {});
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.match(run.result.result, /You said: the marker is cherry/);
    assert.equal(helper.runs(), 2);
    assert.equal((await refusalsOf(/Token expired/)) - before, 1);
    assert.equal(requestsOf("marker is cherry").length, 1, "upstream saw only the good one");
  });

  it("gives up on a bad token at once instead of trying for minutes", async (t) => {
    const forged = `${setting.token.slice(0, -4)}AAAA`;
    const before = await refusalsOf(/not one of this relay's/);
    const run = await claude(makeHome(t), "the marker is medlar", { ANTHROPIC_AUTH_TOKEN: forged });
    assert.equal(run.code, 1);
    assert.equal(run.result.is_error, true);
    assert.equal(run.result.api_error_status, 401);
    assert.equal((await refusalsOf(/not one of this relay's/)) - before, 1);
    assert.equal(requestsOf("marker is medlar").length, 0);
  });

  it("gives up on a device that was revoked at once", async (t) => {
    const token = await setting.relay.bootstrap("device-to-be-revoked");
    await setting.relay.admin("/admin/devices/device-to-be-revoked", {
      method: "PATCH",
      body: JSON.stringify({ status: "revoked" }),
    });
    const refused = await send(setting.relay.url, { headers: withToken(token), body: ask("hi") });
    assert.equal(refused.headers["x-should-retry"], "false");
    const { body: before } = await setting.relay.admin(
      "/admin/audit?action=credential.refuse&limit=1000",
    );
    const revocations = (data: { detail: { reason: string } }[]) =>
      data.filter(({ detail }) => /revoked/.test(detail.reason)).length;
    const run = await claude(makeHome(t), "the marker is sloe", { ANTHROPIC_AUTH_TOKEN: token });
    assert.equal(run.code, 1);
    assert.equal(run.result.is_error, true);
    const { body: now } = await setting.relay.admin(
      "/admin/audit?action=credential.refuse&limit=1000",
    );
    assert.equal(revocations(now.data) - revocations(before.data), 1);
    assert.equal(requestsOf("marker is sloe").length, 0);
  });
});
