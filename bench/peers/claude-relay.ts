/** This project's server, started as a user would, with every check and the ledger on. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, type Lab } from "../lab.ts";
import { startDatabases } from "./databases.ts";
import { type Peer, type Unavailable, UPSTREAM_KEY } from "./peer.ts";
import { ADMIN_TOKEN, proveProcesses, proveSpending, setBudget } from "./relay-proof.ts";

const MAIN = fileURLToPath(new URL("../../packages/server/src/main.ts", import.meta.url));

export type RelaySetup = Readonly<{
  logLevel?: "warn" | "info";
  /** With one budget, of the whole relay: every request's worst case is held. */
  budget?: boolean;
  /** So many processes on one Redis and one Postgres; left out: one, with SQLite and its own memory. */
  shared?: Readonly<{ processes: number }>;
}>;

type Found = Awaited<ReturnType<typeof startDatabases>>;
type Servers = Exclude<Found, { missing: string }>;

/** Starts the server so; its log goes to /dev/null. */
export const startClaudeRelay =
  (setup: RelaySetup = {}) =>
  async (lab: Lab, upstreamPort: number): Promise<Peer | Unavailable> => {
    if (!existsSync(MAIN)) {
      return { unavailable: "not there (packages/server/src/main.ts)" };
    }
    const databases = setup.shared ? await startDatabases(lab.placement) : null;
    if (databases !== null && "missing" in databases) {
      return { unavailable: `not installed (apt-get install ${databases.missing})` };
    }
    return startOn(lab, upstreamPort, setup, databases);
  };

async function startOn(
  lab: Lab,
  upstreamPort: number,
  setup: RelaySetup,
  databases: Servers | null,
): Promise<Peer> {
  const port = await freePort();
  const name = `claude-relay-${port}`;
  const dataDir = join(lab.folder(name), "data");
  const running = lab.launch({
    name,
    command: process.execPath,
    // As `npm start` runs it.
    args: ["--max-semi-space-size=8", MAIN],
    env: {
      ...settings(port, upstreamPort, setup, databases),
      DATA_DIR: dataDir,
    },
    core: lab.placement.server,
  });
  await lab.listening(running, port);
  const token = await lab.until(running, () => deviceToken(port));
  const headers = { authorization: `Bearer ${token}` };
  const budget = setup.budget ? await setBudget(port) : null;
  const processes = setup.shared?.processes ?? 1;
  return {
    port,
    pid: running.pid,
    headers,
    processes,
    beside: databases
      ? [
          { metric: "redisUs", pid: databases.redisPid },
          { metric: "postgresUs", pid: databases.postgresPid },
        ]
      : [],
    prove: async () => {
      if (processes > 1) {
        await proveProcesses(port, headers, { dataDir, processes });
      }
      if (budget !== null) {
        await proveSpending(port, budget);
      }
    },
    stop: () => lab.stop(running),
  };
}

function settings(
  port: number,
  upstreamPort: number,
  { logLevel = "warn", shared }: RelaySetup,
  databases: Servers | null,
): Record<string, string> {
  return {
    PORT: String(port),
    HOST: "127.0.0.1",
    ADMIN_TOKEN,
    ANTHROPIC_API_KEY: UPSTREAM_KEY,
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${upstreamPort}`,
    BOOTSTRAP: "open",
    // The callers share one device, which must not run into its limit of requests a minute.
    RATE_LIMIT_MAX: "1000000000",
    LOG_LEVEL: logLevel,
    NODE_ENV: "development",
    ...(databases && {
      REDIS_URL: databases.redisUrl,
      DATABASE_URL: databases.databaseUrl,
      WORKERS: String(shared?.processes ?? 1),
    }),
  };
}

/** Enrols a device; null while the server is still starting. */
async function deviceToken(port: number): Promise<string | null> {
  const answer = await fetch(`http://127.0.0.1:${port}/bootstrap`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ device_id: "bench-device-0001" }),
    signal: AbortSignal.timeout(5_000),
  });
  if (answer.status === 503) {
    return null;
  }
  if (!answer.ok) {
    throw new Error(`bootstrap: ${answer.status} ${await answer.text()}`);
  }
  const { wrapper_token: token } = (await answer.json()) as { wrapper_token?: unknown };
  if (typeof token !== "string") {
    throw new Error("bootstrap gave no wrapper_token");
  }
  return token;
}
