/** The only wiring: builds every part and hands each what it needs. */
import type { FastifyInstance } from "fastify";
import { openUpstream } from "./compose-upstream.ts";
import type { Config } from "./config.ts";
import { createIsAdmin } from "./credentials/admin-token.ts";
import { createDeviceAdmin } from "./credentials/device-admin.ts";
import { DeviceIndex } from "./credentials/device-index.ts";
import { createEnrollment } from "./credentials/enrollment.ts";
import { createEnrollmentCodeAdmin } from "./credentials/enrollment-code-admin.ts";
import { createIdentify } from "./credentials/identify.ts";
import { createWrapperTokens } from "./credentials/wrapper-token.ts";
import { createAdminAccess } from "./http/admin/access.ts";
import { buildApp } from "./http/app.ts";
import { byAddress } from "./limits/ip-rate-limiter.ts";
import { createMemoryRateLimiter } from "./limits/memory-rate-limiter.ts";
import { ActiveExchanges } from "./pipeline/active-exchanges.ts";
import { createAuthenticate } from "./pipeline/authenticate.ts";
import { createLine } from "./pipeline/line.ts";
import type { Log } from "./pipeline/log.ts";
import { compileModelList } from "./pipeline/model-pattern.ts";
import type { PriceTable } from "./pipeline/price/price-table.ts";
import { createPriceBook } from "./pipeline/price/pricing.ts";
import type { RateLimiter } from "./pipeline/rate-limiter.ts";
import type { Clock } from "./pipeline/types.ts";
import type { Secrets } from "./secrets.ts";
import { createStore, type Store } from "./store/store.ts";

export type ComposeOptions = Readonly<{
  config: Config;
  secrets: Secrets;
  prices: PriceTable;
  clock: Clock;
  log: Log;
  version: string;
}>;

export type Relay = Readonly<{
  app: FastifyInstance;
  active: ActiveExchanges;
  store: Store;
  /** Rows made at start for requests an earlier process left open. */
  recovered: number;
  /** Where the upstream is: Anthropic's address, or the embedded simulator's. */
  upstreamUrl: string;
  /** From here on new work is refused and `/readyz` says so. */
  startDraining(): void;
  /** Tells doors the address callers use, once the port is known. */
  setBaseUrl(url: string): void;
  close(): Promise<void>;
}>;

export const compose = async (options: ComposeOptions): Promise<Relay> => {
  const { config, secrets, clock, log, version } = options;
  const state = { draining: false, baseUrl: config.proxyBaseUrl ?? "" };
  const store = await createStore({
    dataDir: config.dataDir,
    sync: config.ledgerSync,
    onFault: (fault) => log.error({ fault: fault.kind }, fault.message),
  });
  const upstream = await openUpstream(options, store.audit);
  const devices = await DeviceIndex.load(store.devices, clock);
  const tokens = createWrapperTokens({
    secret: secrets.jwtSecret,
    previousSecret: config.jwtSecretPrevious,
    lifetimeHours: config.jwtExpirationHours,
    clock,
  });
  const failures = ipLimiter(config, clock);
  const authenticate = createAuthenticate({
    identify: createIdentify({ tokens, devices, clock }),
    failures,
    onRefused: (refusal, clientIp) =>
      void store.audit.append({
        at: clock.now(),
        actor: "unknown",
        action: "credential.refuse",
        subject: null,
        outcome: refusal.code,
        detail: { reason: refusal.message },
        clientIp,
      }),
  });
  const active = new ActiveExchanges();
  const line = createLine({
    authenticate,
    limiter: createMemoryRateLimiter({
      rate: { max: config.rateLimitMax, windowMs: config.rateLimitWindowMs },
      now: clock.monotonicMs,
    }),
    relayAllows: compileModelList(config.allowedModels.length > 0 ? config.allowedModels : null),
    modelsRestricted: config.allowedModels.length > 0,
    upstream: upstream.port,
    ledger: store.ledger,
    prices: createPriceBook(options.prices),
    active,
    clock,
    log,
    pingIntervalMs: config.pingIntervalMs,
    flushed: config.ledgerSync === "full" ? store.flushed : null,
  });
  const { trustProxy } = config;
  const access = createAdminAccess({
    isAdmin: createIsAdmin(secrets.adminToken),
    authenticate,
    trustProxy,
  });
  const { audit } = store;
  const app = await buildApp({
    clock,
    log,
    version,
    requestTimeoutMs: config.requestTimeoutMs,
    corsOrigins: config.corsOrigins,
    isDraining: () => state.draining,
    health: {
      clock,
      version,
      upstream: upstream.port.name,
      notReady: () => (state.draining ? "draining" : store.healthy() ? null : "storage is down"),
    },
    messages: { line, clock, log, maxPayloadBytes: config.maxPayloadBytes, trustProxy },
    bootstrap: {
      enrollment: createEnrollment({
        policy: config.bootstrap,
        tokens,
        devices,
        deviceStore: store.devices,
        codes: store.enrollmentCodes,
        audit,
        clock,
      }),
      bootstrapLimiter: ipLimiter(config, clock),
      refreshLimiter: ipLimiter(config, clock),
      proxyBaseUrl: () => state.baseUrl,
      trustProxy,
    },
    usage: { usage: store.usage, access },
    breaker: { access, ...upstream.breakerDoor },
    devices: {
      access,
      devices: createDeviceAdmin({ store: store.devices, index: devices, audit, clock }),
      approvalRequired: config.bootstrap === "approve",
    },
    codes: {
      access,
      codes: createEnrollmentCodeAdmin({ store: store.enrollmentCodes, audit, clock }),
    },
    audit: { access, audit },
  });
  const sweep = setInterval(
    () => active.tick(clock.monotonicMs()),
    Math.min(1000, Math.ceil(config.pingIntervalMs / 2)),
  );
  return {
    app,
    active,
    store,
    recovered: store.recovered,
    upstreamUrl: upstream.url,
    startDraining: () => {
      state.draining = true;
    },
    setBaseUrl: (url) => {
      state.baseUrl ||= url;
    },
    close: async () => {
      clearInterval(sweep);
      await app.close();
      await upstream.close();
      await store.close();
    },
  };
};

const ipLimiter = (config: Config, clock: Clock): RateLimiter =>
  byAddress(
    createMemoryRateLimiter({
      rate: { max: config.ipRateLimitMax, windowMs: 60_000 },
      now: clock.monotonicMs,
    }),
  );
