/** Several processes behind one port: this one starts them, replaces one that dies, and passes signals on. */
import cluster, { type Worker } from "node:cluster";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Log } from "./pipeline/log.ts";
import type { Secrets } from "./secrets.ts";
import { onSignals } from "./stop.ts";
import { hearsOrders, type StopOrder } from "./stop-signals.ts";

type Options = Readonly<{
  config: Config;
  secrets: Secrets;
  log: Log;
  /** Writes the log lines still held. */
  flush: () => void;
  monotonicMs: () => number;
}>;

/** A worker that died is replaced after this long. */
const replaceMs = 1000;

export const runCluster = (options: Options): void => {
  const { config, log, flush } = options;
  /** Workers by their place; each place keeps its journal's folder. */
  const places = new Map<number, Worker>();
  const listened = new Set<number>();
  const hearing = new Set<Worker>();
  let stopping = false;

  const start = (place: number): void => {
    const worker = cluster.fork(environmentOf(place, options));
    places.set(place, worker);
    worker.on("listening", () => listened.add(place));
    worker.on("message", (message) => message === hearsOrders && hearing.add(worker));
    worker.on("exit", (code, signal) => {
      places.delete(place);
      hearing.delete(worker);
      if (stopping) {
        if (places.size === 0) {
          flush();
          process.exit();
        }
        return;
      }
      log.error({ worker: place, code, signal }, "A worker ended");
      if (!listened.has(place)) {
        // It has said why. The others would stumble over the same.
        process.exitCode = 1;
        stop("drain");
        return;
      }
      setTimeout(() => stopping || start(place), replaceMs);
    });
  };

  const stop = (order: StopOrder["stop"]): void => {
    stopping = true;
    for (const worker of places.values()) {
      // One that is only starting serves nobody yet.
      if (hearing.has(worker) && worker.isConnected()) {
        worker.send({ stop: order } satisfies StopOrder);
      } else {
        worker.process.kill("SIGTERM");
      }
    }
    if (places.size === 0) {
      flush();
      process.exit();
    }
  };

  log.info({ workers: config.workers }, "Starting the workers");
  for (let place = 1; place <= config.workers; place += 1) {
    start(place);
  }
  onSignals(options.monotonicMs, (meaning) => {
    if (meaning !== "ignore") {
      stop(meaning);
    }
  });
};

/** Every worker has the same secrets, and a journal of its own. */
const environmentOf = (place: number, { config, secrets }: Options): NodeJS.ProcessEnv => ({
  DATA_DIR: join(config.dataDir, `worker-${place}`),
  JWT_SECRET: secrets.jwtSecret,
  ADMIN_TOKEN: secrets.adminToken,
  // Routers' sessions are in one process's memory, so one worker serves them all.
  ...(place > 1 && { CLAUDE_RELAY_ENABLE_CLOUD: "false" }),
});
