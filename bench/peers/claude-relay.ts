/** This project's server, started as a user would, with every check and the ledger on. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort, type Lab } from "../lab.ts";
import { type Peer, type Unavailable, UPSTREAM_KEY } from "./peer.ts";

const MAIN = fileURLToPath(new URL("../../packages/server/src/main.ts", import.meta.url));

/** Starts the server with this log level; its log goes to /dev/null. */
export const startClaudeRelay =
  (logLevel: "warn" | "info") =>
  async (lab: Lab, upstreamPort: number): Promise<Peer | Unavailable> => {
    if (!existsSync(MAIN)) {
      return { unavailable: "not there (packages/server/src/main.ts)" };
    }
    const port = await freePort();
    const name = `claude-relay-${logLevel}`;
    const running = lab.launch({
      name,
      command: process.execPath,
      // As `npm start` runs it.
      args: ["--max-semi-space-size=8", MAIN],
      env: {
        PORT: String(port),
        HOST: "127.0.0.1",
        DATA_DIR: lab.folder(`${name}/data`),
        ANTHROPIC_API_KEY: UPSTREAM_KEY,
        ANTHROPIC_BASE_URL: `http://127.0.0.1:${upstreamPort}`,
        BOOTSTRAP: "open",
        // The callers share one device, which must not run into its limit of requests a minute.
        RATE_LIMIT_MAX: "1000000000",
        LOG_LEVEL: logLevel,
        NODE_ENV: "development",
      },
      core: lab.placement.server,
    });
    await lab.listening(running, port);
    const token = await lab.until(running, () => deviceToken(port));
    return {
      port,
      pid: running.pid,
      headers: { authorization: `Bearer ${token}` },
      stop: () => lab.stop(running),
    };
  };

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
