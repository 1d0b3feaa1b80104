/**
 * The relay as a user starts it: a process of its own, on a free loopback port, with its own folder.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Made-up secrets. */
export const adminToken = "test-admin-token-0123456789abcdef";
export const masterKey = "sk-ant-test-master-key-0001";
export const jwtSecret = "test-jwt-secret-0123456789abcdef0123456789abcdef";

export type LogLine = Readonly<Record<string, unknown> & { msg: string; level: number }>;

export type Relay = Readonly<{
  url: string;
  port: number;
  dataDir: string;
  process: ChildProcess;
  /** Every log line so far. */
  logs: readonly LogLine[];
  /** Standard error so far. */
  stderr: () => string;
  /** Resolves with the first line, past or future, that fits. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
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
  /** Kept by the caller; a fresh one is made and removed otherwise. */
  dataDir?: string;
}>;

const main = new URL("../../packages/server/src/main.ts", import.meta.url).pathname;

/** Starts a relay and resolves when it listens; rejects with its words when it does not start. */
export const startRelay = async (options: RelayOptions = {}): Promise<Relay> => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  const child = spawn(process.execPath, [options.main ?? main], {
    // An empty folder, so that no .env of the developer's is read.
    cwd: dataDir,
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: "0",
      DATA_DIR: dataDir,
      JWT_SECRET: jwtSecret,
      ADMIN_TOKEN: adminToken,
      RATE_LIMIT_MAX: "1000000",
      IP_RATE_LIMIT_MAX: "1000000",
      ...(options.upstreamUrl && {
        ANTHROPIC_API_KEY: masterKey,
        ANTHROPIC_BASE_URL: options.upstreamUrl,
      }),
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const logs: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as LogLine;
    logs.push(line);
    for (const tell of waiting) {
      tell(line);
    }
  });
  const logged = (fits: (line: LogLine) => boolean): Promise<LogLine> => {
    const past = logs.find(fits);
    if (past) {
      return Promise.resolve(past);
    }
    return new Promise((resolve) => {
      const tell = (line: LogLine): void => {
        if (fits(line)) {
          waiting.delete(tell);
          resolve(line);
        }
      };
      waiting.add(tell);
    });
  };
  const up = await Promise.race([
    logged((line) => line.msg === "claude-relay is up"),
    exited.then(([code]) => {
      throw new Error(`the relay did not start (exit ${code}):\n${stderr}`);
    }),
  ]);
  const url = String(up["url"]);
  const forget = (): void => {
    if (options.dataDir === undefined) {
      rmSync(dataDir, { recursive: true, force: true });
    }
  };
  return {
    url,
    port: Number(new URL(url).port),
    dataDir,
    process: child,
    logs,
    stderr: () => stderr,
    logged,
    bootstrap: async (deviceId = "test-device-0001") => {
      const response = await fetch(`${url}/bootstrap`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ device_id: deviceId }),
      });
      const body = (await response.json()) as { wrapper_token?: string };
      if (body.wrapper_token === undefined) {
        throw new Error(`bootstrap answered ${response.status}: ${JSON.stringify(body)}`);
      }
      return body.wrapper_token;
    },
    admin: async (path, init = {}) => {
      const response = await fetch(`${url}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${adminToken}`,
          ...(init.body !== undefined && { "content-type": "application/json" }),
          ...init.headers,
        },
      });
      return { status: response.status, body: await response.json() };
    },
    stop: async () => {
      child.kill("SIGTERM");
      const [code] = await exited;
      forget();
      return code;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
};
