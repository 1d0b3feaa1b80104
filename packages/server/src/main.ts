#!/usr/bin/env node
/** Start, drain, stop. */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { compose, type Relay } from "./compose.ts";
import { readSources } from "./config/sources.ts";
import { type Config, isLoopback, loadConfig } from "./config.ts";
import { createLogger } from "./observe/logger.ts";
import type { Log } from "./pipeline/log.ts";
import { listPrices, type PriceTable } from "./pipeline/price/price-table.ts";
import { parsePriceTable } from "./pipeline/price/price-table-file.ts";
import { loadSecrets, type Secrets } from "./secrets.ts";
import { systemClock } from "./system-clock.ts";
import { serverVersion } from "./version.ts";

const start = async (): Promise<void> => {
  const result = loadConfig(readSources(process.env, process.cwd()));
  if (!result.ok) {
    fail("claude-relay cannot start:", result.faults);
  }
  const { config } = result;
  const { log, flush } = createLogger({
    level: config.logLevel,
    pretty: process.stdout.isTTY === true,
  });
  const secrets = loadSecrets(config);
  showNewAdminToken(config, secrets);
  const relay = await compose({
    config,
    secrets,
    prices: loadPrices(config),
    clock: systemClock,
    log,
    version: serverVersion,
  });
  await relay.app.listen({ host: config.host, port: config.port });
  const { port } = relay.app.server.address() as AddressInfo;
  relay.setBaseUrl(`http://localhost:${port}`);
  stopOnSignals(relay, config, log, flush);
  announce(relay, config, port, log);
};

const loadPrices = ({ priceTable }: Config): PriceTable => {
  if (priceTable === null) {
    return listPrices;
  }
  try {
    return parsePriceTable(JSON.parse(readFileSync(priceTable, "utf8")));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`PRICE_TABLE (${priceTable}) cannot be used: ${reason}`);
  }
};

/** Once, on the terminal and never in a log line; and before anything else can stop the start. */
const showNewAdminToken = (config: Config, secrets: Secrets): void => {
  if (secrets.adminTokenIsNew) {
    process.stderr.write(
      `\n  Admin token (shown once, kept in ${config.dataDir}/secrets.json):\n\n    ${secrets.adminToken}\n\n`,
    );
  }
};

const announce = (relay: Relay, config: Config, port: number, log: Log): void => {
  for (const warning of config.warnings) {
    log.warn({}, warning);
  }
  if (relay.recovered > 0) {
    log.warn(
      { rows: relay.recovered },
      "An earlier process died: its open requests are in the ledger as estimated",
    );
  }
  if (config.upstream.kind === "simulator") {
    log.warn(
      { upstream: "simulator" },
      "SIMULATOR: no ANTHROPIC_API_KEY is set, so answers come from the built-in simulator and not from Claude",
    );
  }
  log.info(
    {
      url: `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`,
      upstream: config.upstream.kind,
      bootstrap: config.bootstrap,
      version: serverVersion,
      node: process.version,
    },
    "claude-relay is up",
  );
  if (!isLoopback(config.host) && !config.proxyBaseUrl?.startsWith("https:")) {
    log.warn(
      {},
      "PROXY_BASE_URL is not https: put a TLS proxy in front before anyone else uses this",
    );
  }
};

/** First signal: finish what runs, refuse what comes, exit 0. Second: end now. */
const stopOnSignals = (relay: Relay, config: Config, log: Log, flush: () => void): void => {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) {
      log.warn({ signal }, "Forced: running answers are cut off");
      cutOff(relay);
      return;
    }
    stopping = true;
    relay.startDraining();
    const running = relay.active.size;
    log.info({ signal, running }, "Draining: no new work, running answers finish");
    const deadline = setTimeout(() => {
      log.warn(
        { running: relay.active.size },
        "DRAIN_TIMEOUT is over: running answers are cut off",
      );
      cutOff(relay);
    }, config.drainTimeoutMs);
    await relay.active.empty();
    // Until here /readyz says why; now requests still arriving and answers still being read are waited for.
    await relay.close();
    clearTimeout(deadline);
    log.info({}, "claude-relay is down");
    flush();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.error({ error: String(error) }, "Could not stop cleanly");
        flush();
        process.exit(1);
      });
    });
  }
};

/** How long last words may take to reach callers before their connections are closed. */
const lastWordsMs = 1500;

/** Ends every exchange with an error its caller can read, then every connection. */
const cutOff = (relay: Relay): void => {
  relay.active.abandonAll();
  setTimeout(() => relay.app.server.closeAllConnections(), lastWordsMs).unref();
};

function fail(title: string, faults: readonly string[]): never {
  process.stderr.write(`${title}\n${faults.map((fault) => `  - ${fault}\n`).join("")}`);
  process.exit(1);
}

start().catch((error: unknown) => {
  fail("claude-relay cannot start:", [error instanceof Error ? error.message : String(error)]);
});
