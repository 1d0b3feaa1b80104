/** `npm start` as a service manager sees it: it signals npm, and must not leave a server behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { startRelay } from "./harness/relay.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const root = new URL("..", import.meta.url).pathname;

describe("npm start", () => {
  it("drains and goes down when npm itself is told to stop", {
    skip: process.platform === "win32",
    timeout: 60_000,
  }, async (t) => {
    const env = { ...process.env, PORT: "0", DATA_DIR: tempFolder(t), NODE_ENV: "development" };
    const npm = spawn("npm", ["start"], { cwd: root, env, stdio: ["ignore", "pipe", "ignore"] });
    const lines = createInterface({ input: npm.stdout });
    const said: string[] = [];
    const down = new Promise<void>((resolve) => {
      lines.on("line", (line) => {
        said.push(line);
        if (line.includes("claude-relay is up")) {
          npm.kill("SIGTERM");
        }
      });
      // The pipe closes when the last process that holds it is gone: npm, its shell and the server.
      lines.once("close", resolve);
    });
    await down;
    assert.match(said.join("\n"), /Draining: no new work/);
    assert.match(said.join("\n"), /claude-relay is down/);
  });
});

describe("a connection that never finishes its request", () => {
  it("does not hold the relay when it goes down", { timeout: 60_000 }, async (t) => {
    const relay = await startRelay({ env: { REQUEST_TIMEOUT: "1s", DRAIN_TIMEOUT: "10m" } });
    const socket = connect(relay.port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write("GET /healthz HT");
    await relay.bootstrap();
    assert.equal(await relay.stop(), 0);
  });
});
