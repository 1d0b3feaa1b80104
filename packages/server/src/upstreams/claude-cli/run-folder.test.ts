import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { identityOf } from "./process-identity.ts";
import { RunFolders } from "./run-folder.ts";
import { tempFolder } from "./test-setup.ts";

const key = { kind: "api_key", key: "k" } as const;

test("a run has empty directories of its own, for nobody else to read, and leaves none", async (t) => {
  const root = tempFolder(t);
  const folders = new RunFolders(root);
  const [one, two] = [folders.open(key, true), folders.open(key, true)];
  assert.notEqual(one.work, two.work);
  for (const path of [one.path, one.home, one.tmp, one.work]) {
    assert.equal(statSync(path).mode & 0o777, 0o700);
  }
  assert.deepEqual(readdirSync(one.work), []);
  writeFileSync(join(one.tmp, "left"), "x");
  await one.remove();
  assert.ok(!existsSync(one.path) && existsSync(two.path));
  await folders.close();
  assert.deepEqual(readdirSync(root), []);
});

test("what a killed relay left is swept, what a living one or somebody else has is not", async (t) => {
  const root = tempFolder(t);
  const { pid = 0 } = spawnSync(process.execPath, ["-e", ""]);
  const plant = (name: string, owner: string | null) => {
    mkdirSync(join(root, name, "run-1", "work"), { recursive: true });
    if (owner !== null) {
      writeFileSync(join(root, name, "owner"), owner);
    }
  };
  plant("claude-relay-cli-dead", `${pid} 12345`);
  plant("claude-relay-cli-reused", `${process.pid} 1`);
  plant("claude-relay-cli-unknown", null);
  plant("claude-relay-cli-odd", "../../etc");
  plant("something-else", `${pid} 12345`);
  const living = new RunFolders(root);
  const after = new RunFolders(root);
  const left = readdirSync(root).map((name) => name.replace(/-[A-Za-z0-9]{6}$/, ""));
  const expected = ["claude-relay-cli", "claude-relay-cli", "claude-relay-cli-odd"];
  assert.deepEqual(left.sort(), [...expected, "claude-relay-cli-unknown", "something-else"]);
  await Promise.all([living.close(), after.close()]);
});

test("what a killed relay left running is ended, and nothing else that has its number now", async (t) => {
  const root = tempFolder(t);
  const { pid: gone = 0 } = spawnSync(process.execPath, ["-e", ""]);
  const base = join(root, "claude-relay-cli-dead");
  const start = async (name: string, identity: (pid: number) => string) => {
    const play = "setTimeout(() => {}, 60_000); process.stdout.write('up')";
    const child = spawn(process.execPath, ["-e", play], { detached: true });
    t.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    mkdirSync(join(base, name), { recursive: true });
    writeFileSync(join(base, name, "process"), identity(child.pid ?? 0));
    return child;
  };
  const left = await start("run-1", identityOf);
  const others = [
    await start("run-2", (pid) => `${pid} 1`),
    await start("run-3", (pid) => `${pid} `),
  ];
  mkdirSync(join(base, "run-4"));
  writeFileSync(join(base, "owner"), `${gone} 12345`);
  const exit = once(left, "exit");
  const folders = new RunFolders(root);
  assert.deepEqual(await exit, [null, "SIGKILL"]);
  assert.ok(!existsSync(base));
  for (const { exitCode, signalCode } of others) {
    assert.deepEqual([exitCode, signalCode], [null, null]);
  }
  await folders.close();
});

test("a stored login's directory appears under the new home, its account without its servers", (t) => {
  const [root, home] = [tempFolder(t), tempFolder(t)];
  const account = { oauthAccount: { accountUuid: "a" }, mcpServers: { x: {} }, projects: {} };
  writeFileSync(join(home, ".claude.json"), JSON.stringify(account));
  const folders = new RunFolders(root);
  t.after(() => folders.close());
  const run = folders.open({ kind: "stored_login", home, configDir: null }, true);
  assert.equal(run.config, null);
  assert.equal(readlinkSync(join(run.home, ".claude")), join(home, ".claude"));
  const kept = JSON.parse(readFileSync(join(run.home, ".claude.json"), "utf8"));
  assert.deepEqual(kept, { oauthAccount: { accountUuid: "a" } });
  const own = folders.open({ kind: "stored_login", home, configDir: "/x" }, true);
  assert.equal(own.config, "/x");
});
