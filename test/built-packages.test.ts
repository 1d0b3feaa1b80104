/** `npm run build`'s packages, run as someone who installed them would: compiled, without our sources. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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
});
