/** The real Claude Code, pinned in test/tools: signed in by its own `/login`, and with a token of a sign-in. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { addAnn, openPage, password, signIn } from "./harness/sign-in.ts";
import { openTerminal, terminalMissing } from "./harness/terminal.ts";

const binary = new URL(
  `./tools/node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`,
  import.meta.url,
).pathname;
const skip = existsSync(binary)
  ? false
  : "the real Claude Code is not installed: npm ci --prefix test/tools --ignore-scripts";

type Settings = Readonly<Record<string, unknown>>;

/** A home of its own, past the first start's questions. */
const makeHome = (t: TestContext, settings: Settings) => {
  const home = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  const running: { close(): Promise<void> }[] = [];
  t.after(async () => {
    await Promise.all(running.map((program) => program.close()));
    rmSync(home, { recursive: true, force: true, maxRetries: 10 });
  });
  const [config, work] = [join(home, "config"), join(home, "work")];
  mkdirSync(config);
  mkdirSync(work);
  const known = { [work]: { hasTrustDialogAccepted: true } };
  const state = { hasCompletedOnboarding: true, theme: "dark", projects: known };
  writeFileSync(join(config, ".claude.json"), JSON.stringify(state));
  writeFileSync(join(config, "settings.json"), JSON.stringify(settings));
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: home,
    CLAUDE_CONFIG_DIR: config,
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    BROWSER: "/bin/true",
    DISABLE_AUTOUPDATER: "1",
  };
  return { config, work, env, running };
};

describe("the real Claude Code and the gateway sign-in", { skip, timeout: 240_000 }, () => {
  let relay: InsideRelay;
  before(async () => {
    // The real client waits by the real clock: ours must go too.
    relay = await startInside({ env: { GATEWAY_SIGNIN: "on" }, now: Date.now() });
    await addAnn(relay);
  });
  after(() => relay.remove());

  it("signs in at /login and talks to Claude as the person who approved", {
    skip: terminalMissing,
  }, async (t) => {
    const ticking = setInterval(() => relay.advance(100), 100);
    t.after(() => clearInterval(ticking));
    await relay.admin("/admin/managed-settings", {
      method: "PUT",
      body: { scope: "user", scope_id: "ann", settings: { cleanupPeriodDays: 7 } },
    });
    const home = makeHome(t, { forceLoginMethod: "gateway", forceLoginGatewayUrl: relay.url });
    const terminal = openTerminal(binary, { cwd: home.work, env: home.env });
    home.running.push(terminal);
    await terminal.until(/run\s*\/login/);
    terminal.type("/login");
    await terminal.until(/\/login\s+Sign\s*in/);
    terminal.type("\r");
    await terminal.until(/Enter\s*to\s*connect/);
    terminal.type("\r");
    await terminal.until(/No,\s*cancel/);
    terminal.type("\u001b[A");
    terminal.type("\r");
    const [code] = await terminal.until(/\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b/);
    const browser = await openPage(relay, `/device?user_code=${code}`);
    const shown = await browser.send({ action: "find", user_code: code });
    assert.match(shown.text, /claude-code\/\d/);
    const form = { action: "approve", user_code: code, name: "ann", password };
    assert.equal((await browser.send(form)).status, 200);
    await terminal.until(/Connected\s*to\s*Cloud\s*gateway/);
    terminal.type("\r");
    // It has fetched what is set for her, and starts anew with it.
    await terminal.until(/managed\s*settings[\s\S]*auto\s*mode\s*on/);
    terminal.type("the marker is plum");
    await terminal.until(/marker\s*is\s*plum/);
    terminal.type("\r");
    await terminal.until(/You\s*said:\s*the\s*marker\s*is\s*plum/);

    const asked = relay.simulator.log.filter(({ body }) => body.includes("marker is plum"));
    assert.ok(asked.length > 0);
    const { body } = await relay.admin("/admin/usage?group_by=user,device");
    const [mine] = body.groups;
    assert.equal(mine.group.user, "ann");
    assert.match(mine.group.device, /^signin-/);
    const kept = JSON.parse(readFileSync(join(home.config, ".credentials.json"), "utf8"));
    assert.equal(kept.enterpriseGateway.url, relay.url);
    assert.match(kept.enterpriseGateway.idpRefreshToken, /^crf_/);
    assert.ok(relay.logs.some((line) => line.includes('"/managed/settings"')));
  });

  it("talks to Claude with a sign-in's token in ANTHROPIC_AUTH_TOKEN, until the sign-in is ended", async (t) => {
    const { access_token: token } = await signIn(relay);
    const { body: devices } = await relay.admin("/admin/devices?limit=1");
    const ask = async (marker: string) => {
      const home = makeHome(t, {});
      const flags = ["-p", "--output-format", "json", "--model", "claude-sonnet-4-5-20250929"];
      const env = { ...home.env, ANTHROPIC_BASE_URL: relay.url, ANTHROPIC_AUTH_TOKEN: token };
      const child = spawn(binary, flags, {
        cwd: home.work,
        env: { ...env, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
        stdio: ["pipe", "pipe", "inherit"],
      });
      child.stdin.end(`the marker is ${marker}`);
      const chunks: Buffer[] = [];
      for await (const chunk of child.stdout) {
        chunks.push(chunk as Buffer);
      }
      return JSON.parse(Buffer.concat(chunks).toString());
    };
    assert.match((await ask("quince")).result, /You said: the marker is quince/);
    const [{ id }] = devices.data;
    await relay.admin(`/admin/devices/${id}`, { method: "PATCH", body: { status: "revoked" } });
    const refused = await ask("medlar");
    assert.deepEqual([refused.is_error, refused.api_error_status], [true, 401]);
    assert.ok(!relay.simulator.log.some(({ body }) => body.includes("marker is medlar")));
  });
});
