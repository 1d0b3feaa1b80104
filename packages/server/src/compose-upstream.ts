import type { SharedRedis } from "./compose-redis.ts";
import { openSharedUpstream } from "./compose-shared-upstream.ts";
import type { Config } from "./config.ts";
import { later } from "./pipeline/later.ts";
import type { Log } from "./pipeline/log.ts";
import type { AuditLog } from "./pipeline/ports.ts";
import type { Clock } from "./pipeline/types.ts";
import { createAnthropicUpstream } from "./upstreams/anthropic.ts";
import { type BreakerChange, CircuitBreaker } from "./upstreams/circuit-breaker.ts";
import { FairShare } from "./upstreams/fair-share.ts";
import { KeyPool } from "./upstreams/key-pool.ts";
import { createSimulator } from "./upstreams/simulator/server.ts";

type UpstreamOptions = Readonly<{
  config: Config;
  clock: Clock;
  log: Log;
  /** Null: this process is alone. */
  redis: SharedRedis | null;
}>;

/** An instance that was told of an opening probes so much later than the one that opened the breaker. */
const standBackMs = (): number => 250 + Math.random() * 750;

/** Anthropic's API, or the simulator on a loopback port of its own, behind one breaker. */
export const openUpstream = async (
  { config, clock, log, redis }: UpstreamOptions,
  audit: AuditLog,
) => {
  const simulator = config.upstream.kind === "simulator" ? createSimulator() : null;
  const name = config.upstream.kind;
  const url =
    config.upstream.kind === "anthropic"
      ? config.upstream.baseUrl
      : ((await simulator?.listen(0)) ?? "");
  const apiKeys =
    config.upstream.kind === "anthropic" ? config.upstream.apiKeys : ["simulator-needs-no-key"];
  const auditBreaker = (action: string, outcome: string, actor: string, clientIp: string | null) =>
    audit.append({
      at: clock.now(),
      actor,
      action,
      subject: name,
      outcome,
      detail: null,
      clientIp,
    });
  const shared = openSharedUpstream({ redis, name, apiKeys, clock, log });
  const keys = new KeyPool(apiKeys, clock.monotonicMs, shared.onRest);
  const breaker = new CircuitBreaker({
    now: clock.monotonicMs,
    onNews: shared.onNews,
    standBackMs,
    onChange: (change: BreakerChange) => {
      log.warn({ upstream: name, ...change }, `Circuit breaker is ${change.to.replace("_", "-")}`);
      if (!change.told) {
        // Whoever told it has written it down.
        void auditBreaker("circuit_breaker.change", change.to, "relay", null);
      }
    },
  });
  shared.start(breaker, keys);
  const fairShare =
    config.fairShare === "off"
      ? null
      : new FairShare({
          ...{ clock, later, log },
          keyCount: apiKeys.length,
          maxWaitMs: config.fairShareWaitMs,
          maxWaiting: config.fairShareQueue,
        });
  const port = createAnthropicUpstream({
    name,
    baseUrl: url,
    keys,
    breaker,
    connectTimeoutMs: config.connectTimeoutMs,
    headersTimeoutMs: config.headersTimeoutMs,
    idleTimeoutMs: config.idleTimeoutMs,
    log,
    ...(fairShare !== null && { onAnswer: fairShare.heard }),
  });
  return {
    port: fairShare?.over(port) ?? port,
    url,
    breakerDoor: {
      status: () => {
        const { state, consecutiveFailures, consecutiveSuccesses, retryAfterMs } =
          breaker.snapshot();
        return {
          upstream: name,
          state,
          consecutive_failures: consecutiveFailures,
          consecutive_successes: consecutiveSuccesses,
          retry_after_ms: Math.ceil(retryAfterMs),
        };
      },
      reset: (clientIp: string) => {
        breaker.reset("an admin reset it");
        return auditBreaker("circuit_breaker.reset", "ok", "admin", clientIp);
      },
    },
    close: async () => {
      shared.close();
      await port.close();
      await simulator?.close();
    },
  };
};
