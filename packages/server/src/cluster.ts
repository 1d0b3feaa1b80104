/** Several processes behind one port: this one starts them, replaces one that dies, and passes signals on. */
import cluster, { type Worker } from "node:cluster";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Log } from "./pipeline/log.ts";
import type { Secrets } from "./secrets.ts";
import { whenNpmIsGone } from "./stop.ts";

type Options = Readonly<{
  config: Config;
  secrets: Secrets;
  log: Log;
  /** Writes the log lines still held. */
  flush: () => void;
}>;

/** A worker that died is replaced after this long. */
const replaceMs = 1000;

export const runCluster = (options: Options): void => {
  const { config, log, flush } = options;
  /** Workers by their place; each place keeps its journal's folder. */
  const places = new Map<number, Worker>();
  const listened = new Set<number>();
  let stopping = false;

  const start = (place: number): void => {
    const worker = cluster.fork(environmentOf(place, options));
    places.set(place, worker);
    worker.on("listening", () => listened.add(place));
    worker.on("exit", (code, signal) => {
      places.delete(place);
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
        stop("SIGTERM");
        return;
      }
      setTimeout(() => stopping || start(place), replaceMs);
    });
  };

  const stop = (signal: NodeJS.Signals): void => {
    stopping = true;
    for (const worker of places.values()) {
      worker.process.kill(signal);
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
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => stop(signal));
  }
  whenNpmIsGone(() => stop("SIGTERM"));
};

/** Every worker has the same secrets, and a journal of its own. */
const environmentOf = (place: number, { config, secrets }: Options): NodeJS.ProcessEnv => ({
  DATA_DIR: join(config.dataDir, `worker-${place}`),
  JWT_SECRET: secrets.jwtSecret,
  ADMIN_TOKEN: secrets.adminToken,
  // Routers' sessions are in one process's memory, so one worker serves them all.
  ...(place > 1 && { CLAUDE_RELAY_ENABLE_CLOUD: "false" }),
});
