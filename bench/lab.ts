/** The processes of a run and the folder they write to. None of them outlives the run. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onCore, type Placement } from "./placement.ts";

const START_MS = 20_000;
const STOP_MS = 3_000;

/** Where it is installed, the kernel ends our children even if we are killed ourselves. */
const LEASH =
  spawnSync("setpriv", ["--version"]).status === 0 ? ["setpriv", "--pdeathsig", "KILL"] : [];

export type Launch = Readonly<{
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  core: number | null;
  /** Where standard output goes: nowhere, or to the folder of the run, to be read. */
  stdout?: "nowhere" | "file";
}>;

export type Running = Readonly<{ pid: number; child: ChildProcess; folder: string }>;

export class Lab {
  readonly placement: Placement;
  readonly #folder = mkdtempSync(join(tmpdir(), "claude-relay-bench-"));
  readonly #running = new Set<Running>();

  constructor(placement: Placement) {
    this.placement = placement;
  }

  /** A folder of its own for a server's files; also its working directory. */
  folder(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Starts a process with a clean environment, so that the user's own settings do not count. */
  launch({ name, command, args, env = {}, core, stdout = "nowhere" }: Launch): Running {
    const folder = this.folder(name);
    const [program = command, ...rest] = onCore(core, [...LEASH, command, ...args]);
    const errors = openSync(join(folder, "stderr"), "w");
    const output = stdout === "file" ? openSync(join(folder, "stdout"), "w") : "ignore";
    const child = spawn(program, rest, {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stdio: ["ignore", output, errors],
    });
    closeSync(errors);
    if (typeof output === "number") {
      closeSync(output);
    }
    if (child.pid === undefined) {
      throw new Error(`${name}: ${command} could not be started`);
    }
    const running = { pid: child.pid, child, folder };
    this.#running.add(running);
    child.once("exit", () => this.#running.delete(running));
    return running;
  }

  /** Waits until something accepts connections on the port. */
  async listening(running: Running, port: number): Promise<void> {
    await this.until(running, async () => ((await accepts(port)) ? true : null));
  }

  /** Asks `ready` again and again until it gives a value; fails if the process ends or it takes too long. */
  async until<T>(running: Running, ready: () => Promise<T | null>): Promise<T> {
    const deadline = performance.now() + START_MS;
    while (running.child.exitCode === null && performance.now() < deadline) {
      const value = await ready();
      if (value !== null) {
        return value;
      }
      await sleep(25);
    }
    const said = readFileSync(join(running.folder, "stderr"), "utf8").trim().slice(-500);
    throw new Error(running.child.exitCode === null ? `not ready: ${said}` : `stopped: ${said}`);
  }

  /** Stops a process: asked first, then made to. */
  async stop(running: Running): Promise<void> {
    if (!this.#running.has(running)) {
      return;
    }
    const gone = new Promise((resolve) => running.child.once("exit", resolve));
    running.child.kill("SIGTERM");
    const force = setTimeout(() => running.child.kill("SIGKILL"), STOP_MS);
    await gone;
    clearTimeout(force);
  }

  /** Stops everything at once and removes the folder; safe to call while exiting. */
  abandon(): void {
    for (const { child } of this.#running) {
      child.kill("SIGKILL");
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") {
    throw new Error("no TCP address");
  }
  return address.port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
