/** Starts a Redis and a Postgres for one server under test. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Databases } from "../databases.ts";
import { onCore, type Placement } from "../placement.ts";

const SCRIPT = fileURLToPath(new URL("../databases.ts", import.meta.url));
const START_MS = 30_000;

/** They end when this process does: what they hold open of it is their standard input. */
export async function startDatabases({ databases }: Placement): Promise<Databases> {
  const [program = "", ...args] = onCore(databases, [process.execPath, SCRIPT]);
  const child = spawn(program, args, {
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["pipe", "pipe", "inherit"],
    // Ctrl-C at the terminal is for the benchmark alone: this one still has to clean up.
    detached: true,
  });
  child.unref();
  const lines = createInterface({ input: child.stdout });
  const line = once(lines, "line", { signal: AbortSignal.timeout(START_MS) });
  const ended = once(child, "exit").then(() => {
    throw new Error("Redis and Postgres did not start");
  });
  // It ends in the end; that matters only while it is waited for.
  ended.catch(() => undefined);
  const [said] = await Promise.race([line, ended]);
  return JSON.parse(String(said)) as Databases;
}
