import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { cpuMs } from "./cpu.ts";

/** Some tenths of a second in a child of the shell, which then waits, having used next to nothing itself. */
const BUSY_CHILD =
  "(i=0; while [ $i -lt 500000 ]; do i=$((i + 1)); done); echo ended; read -r _ || true";

test("what a child used still counts when it has ended", {
  skip: process.platform !== "linux",
}, async (context) => {
  const shell = spawn("sh", ["-c", BUSY_CHILD], { stdio: ["pipe", "pipe", "inherit"] });
  context.after(() => shell.kill());
  await once(shell.stdout, "data");
  assert.ok(cpuMs(shell.pid ?? 0) >= 50);
});

test("a process that is gone is not taken for an idle one", {
  skip: process.platform !== "linux",
}, async () => {
  const gone = spawn("true");
  await once(gone, "exit");
  assert.throws(() => cpuMs(gone.pid ?? 0), /ENOENT|ESRCH/);
});
