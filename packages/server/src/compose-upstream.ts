import type { Config } from "./config.ts";
import type { Log } from "./pipeline/log.ts";
import type { AuditLog } from "./pipeline/ports.ts";
import type { Clock } from "./pipeline/types.ts";
import { createAnthropicUpstream } from "./upstreams/anthropic.ts";
import { type BreakerChange, CircuitBreaker } from "./upstreams/circuit-breaker.ts";
import { KeyPool } from "./upstreams/key-pool.ts";
import { createSimulator } from "./upstreams/simulator/server.ts";

type UpstreamOptions = Readonly<{ config: Config; clock: Clock; log: Log }>;

/** Anthropic's API, or the simulator on a loopback port of its own, behind one breaker. */
export const openUpstream = async ({ config, clock, log }: UpstreamOptions, audit: AuditLog) => {
  const simulator = config.upstream.kind === "simulator" ? createSimulator() : null;
  const name = config.upstream.kind;
  const url =
    config.upstream.kind === "anthropic"
      ? config.upstream.baseUrl
      : ((await simulator?.listen(0)) ?? "");
  const keys =
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
  const breaker = new CircuitBreaker({
    now: clock.monotonicMs,
    onChange: (change: BreakerChange) => {
      log.warn({ upstream: name, ...change }, `Circuit breaker is ${change.to.replace("_", "-")}`);
      void auditBreaker("circuit_breaker.change", change.to, "relay", null);
    },
  });
  const port = createAnthropicUpstream({
    name,
    baseUrl: url,
    keys: new KeyPool(keys, clock.monotonicMs),
    breaker,
    connectTimeoutMs: config.connectTimeoutMs,
    headersTimeoutMs: config.headersTimeoutMs,
    idleTimeoutMs: config.idleTimeoutMs,
    log,
  });
  return {
    port,
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
      await port.close();
      await simulator?.close();
    },
  };
};
