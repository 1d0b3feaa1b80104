/** Wires the apps' doors: `/v1/complete` with its own upstream, and what a page fetch may do. */
import type { Completing } from "./compose-complete.ts";
import type { Config } from "./config.ts";
import { createPageFetch } from "./fetch/page-fetch.ts";
import type { CompleteDoorDeps } from "./http/apps/complete-door.ts";
import type { FetchDoorDeps } from "./http/apps/fetch-door.ts";
import { createMemoryRateLimiter } from "./limits/memory-rate-limiter.ts";
import { createLine, type LineDeps } from "./pipeline/line.ts";
import { createPageLine } from "./pipeline/page-line.ts";
import type { PageFetch } from "./pipeline/page-ports.ts";

type Options = Readonly<{
  config: Config;
  version: string;
  /** Of the Messages line, which these doors walk too. */
  line: LineDeps;
  /** Instead of the web: for tests, which must not need it. */
  fetchPage: PageFetch | null;
  completing: Completing;
}>;

export type Apps = Readonly<{
  complete: CompleteDoorDeps;
  fetch: FetchDoorDeps;
  close(): Promise<void>;
}>;

export const openApps = (options: Options): Apps => {
  const { config, line, completing } = options;
  const { clock, log } = line;
  const { trustProxy } = config;
  const rate = { max: config.fetchPerKeyRpm, windowMs: 60_000 };
  const web =
    options.fetchPage === null
      ? openWeb(config, options.version)
      : { fetchPage: options.fetchPage, close: async () => undefined };
  return {
    complete: {
      line: createLine({ ...line, upstream: completing.upstream }),
      structured: completing.structured,
      ownErrors: completing.ownErrors,
      defaultModel: config.defaultModel,
      maxInputBytes: config.maxInputBytes,
      clock,
      log,
      trustProxy,
    },
    fetch: {
      line: createPageLine({
        authenticate: line.authenticate,
        limiter: createMemoryRateLimiter({ rate, now: clock.monotonicMs }),
        rate,
        fetchPage: web.fetchPage,
        ledger: line.ledger,
        active: line.active,
        clock,
        log,
        onRefused: line.onRefused,
      }),
      clock,
      log,
      trustProxy,
    },
    close: async () => {
      await web.close();
      await completing.close();
    },
  };
};

const openWeb = (config: Config, version: string) =>
  createPageFetch({
    userAgent: `claude-relay/${version} (page fetch)`,
    limits: { concurrent: config.fetchConcurrency, totalMs: config.fetchTimeoutMs },
  });
