/** `npm start` as a service manager sees it, and both `npm start` and `npm run dev` as a terminal does. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { askStream } from "./harness/anthropic.ts";
import { bootstrap } from "./harness/bootstrap.ts";
import { begun, finish, open, readUntil, withToken } from "./harness/http.ts";
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

/**
 * A command as a terminal runs it: in a process group of its own, all of which a Ctrl-C signals. Resolves with
 * all it said when the last process of the group has let go of its output.
 */
const inTerminal = async (
  t: TestContext,
  command: readonly string[],
  whenUp: (url: string, pressCtrlC: () => void) => Promise<void>,
): Promise<string> => {
  const env = { ...process.env, PORT: "0", DATA_DIR: tempFolder(t), NODE_ENV: "development" };
  const npm = spawn("npm", command, {
    cwd: root,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const pressCtrlC = () => process.kill(-(npm.pid ?? 0), "SIGINT");
  const lines = createInterface({ input: npm.stdout });
  const said: string[] = [];
  let visit = Promise.resolve();
  lines.on("line", (line) => {
    said.push(line);
    const url = /"msg":"claude-relay is up"/.test(line) && /"url":"([^"]+)"/.exec(line)?.[1];
    if (url) {
      visit = whenUp(url, pressCtrlC);
    }
  });
  await once(lines, "close");
  await visit;
  return said.join("\n");
};

describe("Ctrl-C", { skip: process.platform === "win32", concurrency: 2 }, () => {
  for (const command of [["start"], ["run", "dev"]]) {
    it(`at npm ${command.join(" ")} is one wish to stop, and a running stream ends whole`, {
      timeout: 60_000,
    }, async (t) => {
      let answer = "";
      const said = await inTerminal(t, command, async (url, pressCtrlC) => {
        const token = await bootstrap(url);
        const headers = { ...withToken(token), "x-simulator-scenario": "paced:20:50" };
        const call = await begun(open(url, { headers, body: askStream("hi") }));
        await readUntil(call, (text) => text.includes("message_start"));
        pressCtrlC();
        answer = (await finish(call)).body.toString();
      });
      assert.match(answer, /event: message_stop/);
      assert.match(said, /Draining: no new work/);
      assert.match(said, /claude-relay is down/);
      assert.doesNotMatch(said, /Forced/);
    });
  }
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
