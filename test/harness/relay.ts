/**
 * The relay as a user starts it: a process of its own, on a free loopback port, with its own folder.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrap } from "./bootstrap.ts";
import { type LogLines, readLogLines } from "./log-lines.ts";
import { adminToken, jwtSecret, masterKey } from "./secrets.ts";
import { spawnServer } from "./server-process.ts";
import { removeStores, storesOf } from "./stores.ts";

export type Relay = LogLines &
  Readonly<{
    url: string;
    port: number;
    dataDir: string;
    process: ChildProcess;
    /** Standard error so far. */
    stderr: () => string;
    bootstrap(deviceId?: string): Promise<string>;
    /** fetch under /admin with the admin token; gives the parsed body. */
    // biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
    admin(path: string, init?: RequestInit): Promise<{ status: number; body: any }>;
    /** SIGTERM, and waits. Gives the exit code. */
    stop(): Promise<number | null>;
    /** SIGKILL, and waits. The data folder stays. */
    kill(): Promise<void>;
  }>;

export type RelayOptions = Readonly<{
  env?: Readonly<Record<string, string>>;
  /** Where upstream is; without one the embedded simulator answers. */
  upstreamUrl?: string;
  /** The server's entry; by default this checkout's own. */
  main?: string;
  /** In a process group of its own: a signal to the negative of its pid reaches its workers too. */
  ownGroup?: boolean;
  /** Kept by the caller; a fresh one is made and removed otherwise. */
  dataDir?: string;
}>;

/** Starts a relay and resolves when it listens; rejects with its words when it does not start. */
export const startRelay = async (options: RelayOptions = {}): Promise<Relay> => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  const stores = await storesOf(dataDir, options.env);
  const environment = { ...stores?.env, ...environmentOf(dataDir, options) };
  // In the data folder, so that no .env of the developer's is read.
  const child = spawnServer(dataDir, environment, options.main, options.ownGroup);
  const exited = once(child, "exit") as Promise<[number | null]>;
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const { logs, logged } = readLogLines(child.stdout);
  const up = await Promise.race([
    logged((line) => line.msg === "claude-relay is up"),
    exited.then(([code]) => {
      throw new Error(`the relay did not start (exit ${code}):\n${stderr}`);
    }),
  ]);
  const url = String(up["url"]);
  if (stores !== null) {
    // Until then money is refused.
    await logged((line) => line.msg === "Redis is up");
  }
  return {
    url,
    port: Number(new URL(url).port),
    dataDir,
    process: child,
    logs,
    logged,
    stderr: () => stderr,
    bootstrap: (deviceId) => bootstrap(url, deviceId),
    admin: (path, init) => askAsAdmin(url, path, init),
    stop: async () => {
      child.kill("SIGTERM");
      const [code] = await exited;
      if (options.dataDir === undefined) {
        rmSync(dataDir, { recursive: true, force: true });
        await removeStores(dataDir);
      }
      return code;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
};

const environmentOf = (dataDir: string, { upstreamUrl, env }: RelayOptions) => ({
  DATA_DIR: dataDir,
  JWT_SECRET: jwtSecret,
  ADMIN_TOKEN: adminToken,
  RATE_LIMIT_MAX: "1000000",
  IP_RATE_LIMIT_MAX: "1000000",
  // A developer's own Claude Code is not to be spent by tests.
  ...(!upstreamUrl && { COMPLETE_UPSTREAM: "simulator" }),
  ...(upstreamUrl && { ANTHROPIC_API_KEY: masterKey, ANTHROPIC_BASE_URL: upstreamUrl }),
  ...env,
});

const askAsAdmin = async (url: string, path: string, init: RequestInit = {}) => {
  const response = await fetch(`${url}${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${adminToken}`,
      ...(init.body !== undefined && { "content-type": "application/json" }),
      ...init.headers,
    },
  });
  return { status: response.status, body: await response.json() };
};
