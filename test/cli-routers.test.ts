/** `claude-relay router` against a real relay. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { type Relay, startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";

const run = promisify(execFile);
const cli = join(new URL("../bin", import.meta.url).pathname, "claude-relay");
const aSecret = /crr_[A-Za-z0-9_-]{43}/;

describe("routers from the command line", { skip: process.platform === "win32" }, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  const router = (...args: string[]) =>
    run(cli, ["router", ...args], {
      cwd: "/",
      env: {
        PATH: process.env["PATH"] ?? "",
        CLAUDE_RELAY_URL: relay.url,
        ADMIN_TOKEN: adminToken,
      },
    });
  const secretOf = (lines: string): string => aSecret.exec(lines)?.[0] ?? "none";

  it("are added, listed, given new secrets and revoked", async () => {
    const added = await router(
      "add",
      "office",
      "--rpm",
      "5",
      "--relay-url",
      "http://10.0.0.2:8899",
    );
    assert.match(added.stdout, /^:global ClaudeRelayURL "http:\/\/10\.0\.0\.2:8899"$/m);
    assert.match(added.stdout, /^:global ClaudeRelayRouterId "office"$/m);
    assert.match(added.stdout, aSecret);
    const rotated = await router("rotate", "office");
    assert.match(rotated.stdout, aSecret);
    assert.notEqual(secretOf(rotated.stdout), secretOf(added.stdout));
    const { stdout: table } = await router("list");
    assert.match(table, /^office +active +own +- +\S+ \S+ +- +5 +- +- +-$/m);
    assert.doesNotMatch(table + (await router("list", "--json")).stdout, aSecret);
    await router("revoke", "office");
    assert.match((await router("list")).stdout, /^office +revoked/m);
    await assert.rejects(
      router("rotate", "office"),
      /is revoked: .*claude-relay router add office/,
    );
  });

  it("that are in use, or not there, are refused with what to do", async () => {
    await router("add", "twice");
    const refused = (says: RegExp) => (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr, says);
      return true;
    };
    await assert.rejects(router("add", "twice"), refused(/exists: .*router rotate twice/));
    await assert.rejects(router("rotate", "nobody"), refused(/No router is called .*router list/));
    await assert.rejects(
      router("add", "owned", "--user", "nobody"),
      refused(/user_id: there is no user/),
    );
  });
});
