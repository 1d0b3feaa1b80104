#!/usr/bin/env node
/** Start, drain, stop. */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { compose, type Relay } from "./compose.ts";
import { readSources } from "./config/sources.ts";
import { type Config, loadConfig } from "./config.ts";
import { createLogger } from "./observe/logger.ts";
import type { Log } from "./pipeline/log.ts";
import { isLoopbackHost } from "./pipeline/loopback.ts";
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
  await listen(relay, config);
  const { port } = relay.app.server.address() as AddressInfo;
  relay.setBaseUrl(`http://localhost:${port}`);
  stopOnSignals(relay, config, log, flush);
  announce(relay, config, port, log);
};

const listen = async (relay: Relay, { host, port }: Config): Promise<void> => {
  try {
    await relay.app.listen({ host, port });
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    throw taken
      ? new Error(`PORT ${port} on ${host} is taken: stop what uses it or set another PORT.`)
      : error;
  }
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
  if (!isLoopbackHost(config.host) && !config.proxyBaseUrl?.startsWith("https:")) {
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
    // Until here /readyz says why; now requests still arriving and answers still being read are waited for,
    // but not for ever: Node stops watching for half-sent requests once its server is closing.
    const stragglers = closeStragglers(relay, config);
    await relay.close();
    clearInterval(stragglers);
    clearTimeout(deadline);
    log.info({}, "claude-relay is down");
    flush();
    process.exit(0);
  };
  const stopOn = (signal: string): void => {
    stop(signal).catch((error: unknown) => {
      log.error({ error: String(error) }, "Could not stop cleanly");
      flush();
      process.exit(1);
    });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => stopOn(signal));
  }
  whenNpmIsGone(() => stopping || stopOn("npm was stopped"));
};

/**
 * npm starts us through a shell that does not pass SIGTERM on: signalled, both die and leave us behind,
 * holding the port. Being handed to another parent is the sign.
 */
const whenNpmIsGone = (act: () => void): void => {
  if (process.env["npm_lifecycle_event"] !== "start") {
    return;
  }
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) {
      clearInterval(watch);
      act();
    }
  }, 250);
  watch.unref();
};

/** How long connections without a running exchange may stay open once the server is closing. */
const stragglerMs = 10_000;

const closeStragglers = (relay: Relay, config: Config): NodeJS.Timeout => {
  const patienceMs = Math.min(stragglerMs, config.requestTimeoutMs);
  let quietSince = performance.now();
  return setInterval(() => {
    if (relay.active.size > 0) {
      quietSince = performance.now();
    } else if (performance.now() - quietSince >= patienceMs) {
      relay.app.server.closeAllConnections();
    }
  }, 250);
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
