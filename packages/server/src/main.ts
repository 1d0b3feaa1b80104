#!/usr/bin/env node
/** The start: settings, secrets, the wiring, the port. stop.ts does the rest. */
import cluster from "node:cluster";
import type { AddressInfo } from "node:net";
import { announce } from "./announce.ts";
import { runCluster } from "./cluster.ts";
import { compose } from "./compose.ts";
import type { Relay } from "./composed.ts";
import { makeDataDir } from "./config/data-dir.ts";
import { readSources } from "./config/sources.ts";
import { type Config, loadConfig } from "./config.ts";
import { createLogger } from "./observe/logger.ts";
import { loadSecrets, type Secrets } from "./secrets.ts";
import { stopOnSignals } from "./stop.ts";
import { systemClock } from "./system-clock.ts";
import { serverVersion } from "./version.ts";

const start = async (): Promise<void> => {
  const sources = readSources(process.env, process.cwd());
  const result = loadConfig(sources);
  if (!result.ok) {
    fail("claude-relay cannot start:", result.faults);
  }
  const { config } = result;
  const { log, flush } = createLogger({
    level: config.logLevel,
    pretty: process.stdout.isTTY === true,
  });
  makeDataDir(config.dataDir);
  const secrets = loadSecrets(config);
  showNewAdminToken(config, secrets);
  if (config.workers > 1 && cluster.isPrimary) {
    runCluster({ config, secrets, log, flush, monotonicMs: systemClock.monotonicMs });
    return;
  }
  const relay = await compose({
    config,
    secrets,
    prices: config.priceTable,
    clock: systemClock,
    log,
    version: serverVersion,
    environment: sources.environment,
  });
  // First, so that a worker of a cluster that cannot have this port never counts as up.
  await listenToRouters(relay, config);
  await listen(relay, config);
  const { port } = relay.app.server.address() as AddressInfo;
  relay.setBaseUrl(`http://localhost:${port}`);
  stopOnSignals({ relay, config, log, flush, monotonicMs: systemClock.monotonicMs });
  announce({ relay, config, port, log });
};

const listen = async (relay: Relay, { host, port }: Config): Promise<void> => {
  try {
    await relay.app.listen({ host, port });
  } catch (error) {
    throw new Error(listenFault(error, { host, port }, { host: "HOST", port: "PORT" }), {
      cause: error,
    });
  }
};

const listenToRouters = async (relay: Relay, config: Config): Promise<void> => {
  const { cloudHost: host, cloudPort: port } = config;
  const names = { host: "CLAUDE_RELAY_CLOUD_HOST", port: "CLAUDE_RELAY_CLOUD_PORT" };
  try {
    await relay.routers?.listen();
  } catch (error) {
    throw new Error(listenFault(error, { host, port }, names), { cause: error });
  }
};

/** @param names of the two settings */
const listenFault = (
  error: unknown,
  { host, port }: Pick<Config, "host" | "port">,
  names: Readonly<{ host: string; port: string }>,
): string => {
  switch (error instanceof Error && "code" in error && error.code) {
    case "EADDRINUSE":
      return `${names.port} ${port} on ${host} is taken: stop what uses it or set another ${names.port}.`;
    case "EACCES":
      return `${names.port} ${port} is not open to this user: set a ${names.port} of 1024 or above.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return `${names.host} ${host} is no address of this machine: set ${names.host} to 127.0.0.1, 0.0.0.0 or one it has.`;
    default:
      return `${names.host} ${host} and ${names.port} ${port} cannot be listened on (${String(error)}): set others.`;
  }
};

/** Once, on the terminal and never in a log line; and before anything else can stop the start. */
const showNewAdminToken = (config: Config, secrets: Secrets): void => {
  if (secrets.adminTokenIsNew) {
    process.stderr.write(
      `\n  Admin token (shown once, kept in ${config.dataDir}/secrets.json, where bin/claude-relay finds it):\n\n    ${secrets.adminToken}\n\n`,
    );
  }
};

function fail(title: string, faults: readonly string[]): never {
  process.stderr.write(`${title}\n${faults.map((fault) => `  - ${fault}\n`).join("")}`);
  process.exit(1);
}

start().catch((error: unknown) => {
  fail("claude-relay cannot start:", [error instanceof Error ? error.message : String(error)]);
});
