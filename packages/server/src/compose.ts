/** The only wiring: builds every part and hands each what it needs. */
import { openAdmission } from "./compose-admission.ts";
import { openApps } from "./compose-apps.ts";
import { chooseComplete, type Environment, openComplete } from "./compose-complete.ts";
import { openCredentials } from "./compose-credentials.ts";
import { openEvents } from "./compose-events.ts";
import { openGateway, openSignIns } from "./compose-gateway.ts";
import { openInstances, telling } from "./compose-instances.ts";
import { openOwnerAdmin, openOwners } from "./compose-owners.ts";
import { openReconciler } from "./compose-reconcile.ts";
import { redisOf } from "./compose-redis.ts";
import { openRouters } from "./compose-routers.ts";
import { openUpstream } from "./compose-upstream.ts";
import type { Relay } from "./composed.ts";
import type { Config } from "./config.ts";
import { createIsAdmin } from "./credentials/admin-token.ts";
import { createAdminAccess } from "./http/admin/access.ts";
import { buildApp } from "./http/app.ts";
import { addressKey, byAddress } from "./limits/ip-rate-limiter.ts";
import { createMemoryRateLimiter } from "./limits/memory-rate-limiter.ts";
import type { RedisAdmissionOptions } from "./limits/redis/redis-admission.ts";
import { ActiveExchanges } from "./pipeline/active-exchanges.ts";
import { createAuthenticate } from "./pipeline/authenticate.ts";
import { createLine, type LineDeps } from "./pipeline/line.ts";
import type { Log } from "./pipeline/log.ts";
import { compileModelList } from "./pipeline/model-pattern.ts";
import type { PageFetch } from "./pipeline/page-ports.ts";
import type { PriceTable } from "./pipeline/price/price-table.ts";
import { createPriceBook } from "./pipeline/price/pricing.ts";
import type { RateLimiter } from "./pipeline/rate-limiter.ts";
import { auditCallerRefusals, createRefusalAudit } from "./pipeline/refusal-audit.ts";
import type { Clock } from "./pipeline/types.ts";
import type { Secrets } from "./secrets.ts";
import { createStore } from "./store/store.ts";

export type ComposeOptions = Readonly<{
  config: Config;
  secrets: Secrets;
  prices: PriceTable;
  clock: Clock;
  log: Log;
  version: string;
  /** The operator's own, in which Claude Code and its login are found. */
  environment: Environment;
  /** Instead of the web: for tests, which must not need it. */
  fetchPage?: PageFetch;
  /** How Redis is asked: for tests, whose clock stands still and whose machine is busy. */
  redisAdmission?: Partial<RedisAdmissionOptions>;
}>;

export const compose = async (options: ComposeOptions): Promise<Relay> => {
  const { config, secrets, clock, log, version } = options;
  const choice = await chooseComplete(config, options.environment);
  const state = { draining: false, baseUrl: config.proxyBaseUrl ?? "" };
  const redis = redisOf(config);
  const instances = redis === null ? null : openInstances({ ...redis, log });
  const opened = await createStore({
    dataDir: config.dataDir,
    postgres: config.databaseUrl,
    sync: config.ledgerSync,
    onFault: (fault) => log.error({ fault: fault.kind }, fault.message),
  });
  const events = await openEvents({ config, audit: opened.audit, clock, log, version, redis });
  const told = { ...opened, audit: events.audit };
  const store = instances === null ? told : telling(told, instances.tell);
  const upstream = await openUpstream({ ...options, redis }, store.audit);
  const owners = await openOwners(config, store);
  const credentials = await openCredentials({ config, secrets, clock, store, owners });
  instances?.start({ owners, credentials });
  const people = { ...options, store, owners, credentials };
  const signIns = openSignIns(people);
  const { isDevice, isAppKey, isRouter } = credentials;
  const admission = events.watch(
    await openAdmission({
      ...{ dataDir: config.dataDir, usage: store.usage, clock, log, redis },
      draining: events.draining,
      queue: { maxWaitMs: config.concurrencyQueueMs, maxWaiting: config.concurrencyQueueMax },
      ...(options.redisAdmission && { redisAdmission: options.redisAdmission }),
    }),
  );
  const ownerAdmin = openOwnerAdmin({
    ...{ owners, store, clock, isDevice, isAppKey, isRouter },
    counters: admission,
  });
  const refusals = createRefusalAudit({ audit: store.audit, clock, placeOf: addressKey });
  const authenticate = createAuthenticate({
    identify: signIns.identify,
    failures: ipLimiter(config, clock),
    onRefused: (refusal, clientIp) =>
      refusals.record({ ...stranger, action: "credential.refuse", refusal, clientIp }),
  });
  const active = new ActiveExchanges();
  const lineDeps: LineDeps = {
    authenticate,
    isUnchanged: credentials.isUnchanged,
    directory: owners.directory,
    admission,
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
    onRefused: auditCallerRefusals(refusals),
  };
  const completing = openComplete({ config, choice, messages: upstream.port, clock, log });
  const apps = openApps({
    config,
    version,
    line: lineDeps,
    fetchPage: options.fetchPage ?? null,
    completing,
  });
  const routers = openRouters({
    ...{ config, version, line: lineDeps, completing, audit: store.audit, refusals },
    registry: credentials.routers,
    isDraining: () => state.draining,
  });
  const { trustProxy } = config;
  const access = createAdminAccess({
    isAdmin: createIsAdmin(secrets.adminToken),
    authenticate,
    refusals,
    trustProxy,
  });
  const gateway = openGateway({
    ...{ ...people, signIns, authenticate, refusals },
    baseUrl: () => state.baseUrl,
  });
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
      complete: choice.kind,
      notReady: () => (state.draining ? "draining" : store.healthy() ? null : "storage is down"),
    },
    messages: {
      line: createLine(lineDeps),
      clock,
      log,
      maxPayloadBytes: config.maxPayloadBytes,
      trustProxy,
    },
    bootstrap: {
      enrollment: signIns.enrollment,
      bootstrapLimiter: ipLimiter(config, clock),
      refreshLimiter: ipLimiter(config, clock),
      onLimited: (action, refusal, clientIp) =>
        refusals.record({ ...stranger, action, refusal, clientIp }),
      proxyBaseUrl: () => state.baseUrl,
      clock,
      trustProxy,
    },
    usage: { usage: store.usage, access },
    reconcile: { access, reconcile: openReconciler(options, store, upstream) },
    breaker: { access, ...upstream.breakerDoor },
    devices: {
      access,
      devices: credentials.deviceAdmin,
      directory: owners.directory,
    },
    codes: { access, codes: credentials.codeAdmin },
    keys: { access, keys: credentials.keyAdmin, clock, directory: owners.directory },
    routers: { access, routers: credentials.routerAdmin, directory: owners.directory },
    organizations: { access, organizations: ownerAdmin.organizations },
    users: { access, users: signIns.ending(ownerAdmin.users) },
    passwords: { access, passwords: signIns.passwords },
    signInLinks: { access, links: signIns.links },
    managedSettings: { access, managedSettings: signIns.managedSettings },
    policies: { access, policies: ownerAdmin.policies },
    budgets: { access, budgets: ownerAdmin.budgets, binding: ownerAdmin.bindingBudgets },
    complete: apps.complete,
    fetch: apps.fetch,
    audit: { access, audit: store.audit },
    events: {
      access,
      events: events.bus,
      heartbeatMs: config.pingIntervalMs,
      draining: events.draining,
    },
    gateway: gateway?.door ?? null,
  });
  const sweep = setInterval(
    () => {
      active.tick(clock.monotonicMs());
      refusals.sweep();
    },
    Math.min(1000, Math.ceil(config.pingIntervalMs / 2)),
  );
  return {
    app,
    routers,
    active,
    store,
    recovered: store.recovered,
    upstreamUrl: upstream.url,
    completeChoice: choice,
    startDraining: () => {
      state.draining = true;
      events.drain();
    },
    setBaseUrl: (url) => {
      state.baseUrl ||= url;
    },
    closeConnections: () => {
      app.server.closeAllConnections();
      routers?.closeConnections();
    },
    close: async () => {
      clearInterval(sweep);
      events.drain();
      await Promise.all([app.close(), routers?.close()]);
      await apps.close();
      gateway?.close();
      await upstream.close();
      await credentials.close();
      await admission.close();
      instances?.close();
      await events.close();
      refusals.flush();
      await store.close();
    },
  };
};

/** Whoever is refused before it is known who it is: its address tells. */
const stranger = { actor: "unknown", subject: null };

const ipLimiter = (config: Config, clock: Clock): RateLimiter =>
  byAddress(
    createMemoryRateLimiter({
      rate: { max: config.ipRateLimitMax, windowMs: 60_000 },
      now: clock.monotonicMs,
    }),
  );
