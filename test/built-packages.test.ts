/** `npm run build`'s packages, run as someone who installed them would: compiled, without our sources. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startRelay } from "./harness/relay.ts";

const root = new URL("..", import.meta.url).pathname;

/** A folder whose imports find the built packages first and then this checkout's other dependencies. */
const install = (): string => {
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  const folder = mkdtempSync(join(root, "node_modules/.cache/built-"));
  for (const name of ["contract", "server"]) {
    const place = join(folder, "node_modules/@claude-relay", name);
    cpSync(join(root, "packages", name, "dist"), place, { recursive: true });
  }
  return folder;
};

describe("the built packages", () => {
  it("hold no TypeScript source and no test, and answer a message", async () => {
    execFileSync(process.execPath, ["scripts/build.ts"], { cwd: root });
    const folder = install();
    try {
      const server = join(folder, "node_modules/@claude-relay/server");
      const listed = execFileSync("find", [folder, "-name", "*.ts", "-not", "-name", "*.d.ts"]);
      assert.equal(listed.toString(), "");
      assert.equal(execFileSync("find", [folder, "-name", "*test*"]).toString(), "");
      const { bin } = JSON.parse(readFileSync(join(server, "package.json"), "utf8"));
      const relay = await startRelay({ main: join(server, bin["claude-relay-server"]) });
      try {
        const response = await fetch(`${relay.url}/v1/messages`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${await relay.bootstrap()}`,
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
          },
          body: JSON.stringify({
            model: "claude-sonnet-5-5",
            max_tokens: 100,
            messages: [{ role: "user", content: "Hello" }],
          }),
        });
        assert.equal(response.status, 200);
        const { body } = await relay.admin("/admin/usage");
        assert.equal(body.totals.requests, 1);
      } finally {
        assert.equal(await relay.stop(), 0);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("say in one line which Node they need when theirs is too old, before anything is loaded", () => {
    const folder = mkdtempSync(join(tmpdir(), "claude-relay-launcher-"));
    try {
      // The launcher alone: whatever it loaded before it looked would not be found.
      const launcher = join(root, "packages/server/dist/bin/claude-relay-server.js");
      writeFileSync(join(folder, "package.json"), '{"type":"module"}');
      copyFileSync(launcher, join(folder, "launcher.js"));
      // An old Node as far as the launcher can see.
      writeFileSync(
        join(folder, "old.js"),
        `Object.defineProperty(process, "versions", { value: { node: "22.18.9" } });
         Object.defineProperty(process, "version", { value: "v22.18.9" });
         await import("./launcher.js");`,
      );
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "old.js")], {
        encoding: "utf8",
      });
      assert.deepEqual(
        [status, stdout, stderr],
        [
          1,
          "",
          "claude-relay-server needs Node 22.19 or newer; this is v22.18.9. Install a current Node.\n",
        ],
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
