import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";

export type ServerProcess = ChildProcessByStdio<null, Readable, Readable>;

const ownMain = new URL("../../packages/server/src/main.ts", import.meta.url).pathname;

/**
 * Starts the server on a free port, with no environment but what is given.
 * @param directory its working directory, where `.env` and the configuration file are looked for
 * @param main the server's entry; by default this checkout's own
 * @param ownGroup in a process group of its own, with all it starts
 */
export const spawnServer = (
  directory: string,
  env: Readonly<Record<string, string>>,
  main = ownMain,
  ownGroup = false,
): ServerProcess =>
  spawn(process.execPath, [main], {
    cwd: directory,
    detached: ownGroup,
    env: { PATH: process.env["PATH"] ?? "", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
