import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

const serverPath = ((): string | null => {
  for (const name of ["redis-server", "valkey-server"]) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // The next one.
    }
  }
  return null;
})();

/** For a test's `skip`: false where a Redis server is installed, otherwise how to get one. */
export const redisMissing: false | string =
  serverPath === null && "no redis-server here: apt-get install redis-server";

/** A real Redis of a test file's own, on a Unix socket in a folder of its own. */
export class RedisServer {
  readonly url: string;
  readonly #directory: string;
  #process: ChildProcess | null = null;

  constructor(parent = tmpdir()) {
    this.#directory = mkdtempSync(join(parent, "claude-relay-redis-"));
    this.url = join(this.#directory, "redis.sock");
  }

  /** Starts it, with what was saved. Resolves when it takes connections. */
  async start(...options: readonly string[]): Promise<void> {
    if (serverPath === null) {
      throw new Error(String(redisMissing));
    }
    const fixed = ["--port", "0", "--unixsocket", this.url, "--dir", this.#directory];
    const process = spawn(
      serverPath,
      [...fixed, "--save", "", "--enable-debug-command", "local", ...options],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#process = process;
    await new Promise<void>((resolve, reject) => {
      let said = "";
      process.stdout?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("The server is now ready to accept connections")) {
          resolve();
        }
      });
      process.once("exit", (code) => reject(new Error(`redis-server exited (${code}): ${said}`)));
    });
  }

  /** Dies at once, and with it what was not saved. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (process !== null && process.exitCode === null && process.signalCode === null) {
      process.ref();
      process.kill("SIGKILL");
      await once(process, "exit");
    }
    this.#process = null;
  }

  /** Hangs: takes bytes, answers nothing. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Lets this process end while it runs: then `removeAtOnce`. */
  detach(): void {
    this.#process?.unref();
    this.#process?.stdout?.destroy();
  }

  /** A client for the test itself. */
  client(): Redis {
    return new Redis(this.url);
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** For when nothing can be awaited any more. */
  removeAtOnce(): void {
    this.#process?.kill("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
