import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, post } from "./test-setup.ts";

const start = (port: string) =>
  spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], {
    env: { SIMULATOR_PORT: port },
  });

test("the simulator on its own prints its address and scenarios, answers, and stops when told", async (t) => {
  const child = start("0");
  t.after(() => child.kill("SIGKILL"));
  const [printed] = (await once(child.stdout, "data")) as [Buffer];
  const address = /http:\/\/127\.0\.0\.1:\d+/.exec(String(printed))?.[0] ?? "";
  assert.match(String(printed), /reset-mid-event:4/);
  assert.equal((await post(address, ask("hi"))).status, 200);
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("a bad port is refused with its name", async () => {
  const child = start("eighty");
  const [said] = (await once(child.stderr, "data")) as [Buffer];
  assert.match(String(said), /^SIMULATOR_PORT: must be a port/);
  assert.deepEqual(await once(child, "exit"), [1, null]);
});
