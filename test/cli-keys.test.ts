/** bin/genkey, bin/revoke and `claude-relay keys` as seed 3 shows them, against a real relay. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { type Relay, startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const run = promisify(execFile);
const bin = new URL("../bin", import.meta.url).pathname;
const aKey = /^crk_[A-Za-z0-9]{49}\n$/;

describe("app keys from the command line", { skip: process.platform === "win32" }, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  const command = (name: string, args: readonly string[], file = join(bin, name)) =>
    run(file, args, {
      cwd: "/",
      env: {
        PATH: process.env["PATH"] ?? "",
        CLAUDE_RELAY_URL: relay.url,
        ADMIN_TOKEN: adminToken,
      },
    });
  const complete = (key: string) =>
    fetch(`${relay.url}/v1/complete`, {
      method: "POST",
      headers: { authorization: `Bearer ${key.trim()}`, "content-type": "application/json" },
      body: JSON.stringify({ prompt: "3 primary colors" }),
    });
  const statusOf = async (key: string): Promise<number> => (await complete(key)).status;
  const list = async (): Promise<Record<string, unknown>[]> =>
    JSON.parse((await command("claude-relay", ["keys", "list", "--json"])).stdout);

  it("genkey prints a key that works at once, alone on standard output", async () => {
    const { stdout, stderr } = await command("genkey", ["my-app", "1"]);
    assert.match(stdout, aKey);
    assert.ok(!stderr.includes(stdout.trim()));
    const answer = await complete(stdout);
    assert.equal(answer.status, 200, await answer.clone().text());
    assert.equal(((await answer.json()) as { ok: boolean }).ok, true);
    const spent = await complete(stdout);
    assert.equal(spent.status, 429, "the daily limit of 1");
    assert.ok(Number(spent.headers.get("retry-after")) > 0);
  });

  it("genkey works through a link in another folder", async (t) => {
    const link = join(tempFolder(t), "genkey");
    symlinkSync(join(bin, "genkey"), link);
    assert.match((await command("genkey", ["linked"], link)).stdout, aKey);
  });

  it("a label in use is refused, with both ways out", async () => {
    await command("genkey", ["twice"]);
    await assert.rejects(
      command("genkey", ["twice"]),
      (error: { code: number; stderr: string }) => {
        assert.equal(error.code, 1);
        assert.match(
          error.stderr,
          /: rotate or revoke it, .*\. \(claude-relay keys rotate twice; .*revoke twice\.\)\n$/,
        );
        return true;
      },
    );
  });

  it("revoke ends a key at once, and its label may be minted again", async () => {
    const first = (await command("genkey", ["short-lived"])).stdout;
    assert.equal(await statusOf(first), 200);
    await command("revoke", ["short-lived"]);
    assert.equal(await statusOf(first), 401);
    const second = (await command("genkey", ["short-lived"])).stdout;
    assert.equal(await statusOf(second), 200);
    assert.equal(await statusOf(first), 401);
  });

  it("revoking what is not there says how to see what is", async () => {
    await assert.rejects(command("revoke", ["nobody"]), /claude-relay keys list/);
  });

  it("rotate gives a new key and lets the old one work for its grace", async () => {
    const first = (await command("genkey", ["turning"])).stdout;
    const rotate = ["keys", "rotate", "turning", "--grace-seconds"];
    const second = (await command("claude-relay", [...rotate, "600"])).stdout;
    assert.match(second, aKey);
    assert.deepEqual([await statusOf(first), await statusOf(second)], [200, 200]);
    const third = (await command("claude-relay", [...rotate, "0"])).stdout;
    assert.deepEqual([await statusOf(second), await statusOf(third)], [401, 200]);
  });

  it("a policy is kept, and list shows it without any secret", async () => {
    const { stdout: key } = await command("claude-relay", [
      ..."keys mint limited 7 --rpm 3 --concurrency 2 --door fetch --expires-in-hours 1".split(" "),
      ...["--model", "claude-haiku-*"],
    ]);
    assert.equal(await statusOf(key), 403);
    const limited = (await list()).find(({ label }) => label === "limited");
    assert.deepEqual(
      [limited?.["requests_per_day"], limited?.["requests_per_minute"], limited?.["concurrency"]],
      [7, 3, 2],
    );
    assert.deepEqual([limited?.["doors"], limited?.["models"]], [["fetch"], ["claude-haiku-*"]]);
    const { stdout: table } = await command("claude-relay", ["keys", "list"]);
    assert.match(table, /^LABEL +STATUS/);
    assert.match(table, /^limited +active .* 3 +7 +2 +fetch +claude-haiku-\*$/m);
    assert.ok(!table.includes("crk_") && !JSON.stringify(await list()).includes("crk_"));
  });

  it("usage shows what was used, by model", async () => {
    const { stdout } = await command("claude-relay", ["usage"]);
    assert.match(stdout, /^MODEL +REQUESTS/);
    assert.match(stdout, /^claude-opus-\S+ +[1-9]\d* /m);
  });
});
