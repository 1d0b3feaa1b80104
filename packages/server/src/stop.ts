/** From the first signal to the last connection: drain, then go down; a second signal cuts off. */
import cluster from "node:cluster";
import type { Relay } from "./composed.ts";
import type { Config } from "./config.ts";
import type { Log } from "./pipeline/log.ts";
import {
  hearsOrders,
  type StopMeaning,
  type StopSignal,
  startSignalReader,
  stopOrderOf,
} from "./stop-signals.ts";

type StopOptions = Readonly<{
  relay: Relay;
  config: Config;
  log: Log;
  /** Writes the log lines still held. */
  flush: () => void;
  monotonicMs: () => number;
}>;

/**
 * First signal: finish what runs, refuse what comes, exit 0. Second: end now. A worker of a cluster has two sources,
 * since a signal to the whole process group reaches it both directly and through its primary: each is read by itself,
 * so that one wish told twice is not taken for two.
 */
export const stopOnSignals = (options: StopOptions): void => {
  const { relay, log, flush, monotonicMs } = options;
  let draining = false;
  const act = (meaning: StopMeaning, signal: string): void => {
    switch (meaning) {
      case "drain":
        if (!draining) {
          draining = true;
          drain(options, signal).catch((error: unknown) => {
            log.error({ error: String(error) }, "Could not stop cleanly");
            flush();
            process.exit(1);
          });
        }
        return;
      case "force":
        log.warn({ signal, running: relay.active.size }, forcedWords(relay));
        cutOff(relay);
        return;
      case "ignore":
        return;
      default:
        meaning satisfies never;
    }
  };
  onSignals(monotonicMs, act);
  if (cluster.isWorker) {
    process.on("message", (message) => act(stopOrderOf(message) ?? "ignore", "the primary"));
    process.send?.(hearsOrders);
  }
};

const forcedWords = ({ active }: Relay): string =>
  active.size > 0
    ? "Forced: running answers are cut off"
    : "Forced: nothing runs, open connections are closed";

/** Tells what each signal of the operating system means, npm going away included. */
export const onSignals = (
  monotonicMs: () => number,
  act: (meaning: StopMeaning, signal: StopSignal) => void,
): void => {
  const read = startSignalReader(monotonicMs);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => act(read(signal), signal));
  }
  whenNpmIsGone(() => act(read("npm was stopped"), "npm was stopped"));
};

const drain = async (options: StopOptions, signal: string): Promise<void> => {
  const { relay, config, log, flush } = options;
  relay.startDraining();
  log.info({ signal, running: relay.active.size }, "Draining: no new work, running answers finish");
  const deadline = setTimeout(() => {
    log.warn({ running: relay.active.size }, "DRAIN_TIMEOUT is over: running answers are cut off");
    cutOff(relay);
  }, config.drainTimeoutMs);
  await relay.active.empty();
  // Until here /readyz says why; now requests still arriving and answers still being read are waited for,
  // but not for ever: Node stops watching for half-sent requests once its server is closing.
  const stragglers = closeStragglers(options);
  await relay.close();
  clearInterval(stragglers);
  clearTimeout(deadline);
  log.info({}, "claude-relay is down");
  flush();
  process.exit(0);
};

/**
 * npm starts us through a shell that does not pass SIGTERM on: signalled, both die and leave us behind,
 * holding the port. Being handed to another parent is the sign.
 */
const whenNpmIsGone = (act: () => void): void => {
  if (process.env["npm_lifecycle_event"]?.startsWith("start") !== true) {
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

const closeStragglers = ({ relay, config, monotonicMs }: StopOptions): NodeJS.Timeout => {
  const patienceMs = Math.min(stragglerMs, config.requestTimeoutMs);
  let quietSince = monotonicMs();
  return setInterval(() => {
    if (relay.active.size > 0) {
      quietSince = monotonicMs();
    } else if (monotonicMs() - quietSince >= patienceMs) {
      relay.closeConnections();
    }
  }, 250);
};

/** How long last words may take to reach callers before their connections are closed. */
const lastWordsMs = 1500;

/** Ends every exchange with an error its caller can read, then every connection. */
const cutOff = (relay: Relay): void => {
  relay.active.abandonAll();
  setTimeout(() => relay.closeConnections(), lastWordsMs).unref();
};
