/** Wires the routers' listener: the gate that lets them in, what they may ask, and a server of their own. */
import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { Completing } from "./compose-complete.ts";
import { readTlsFiles, type TlsFiles } from "./config/tls-files.ts";
import type { Config } from "./config.ts";
import { newRequestId } from "./http/request-id.ts";
import { createRouterServer } from "./http/routers/router-server.ts";
import { reloadTls } from "./http/routers/tls-reload.ts";
import { byAddress } from "./limits/ip-rate-limiter.ts";
import { createMemoryRateLimiter } from "./limits/memory-rate-limiter.ts";
import type { Authenticate } from "./pipeline/authenticate.ts";
import { callerKey } from "./pipeline/caller-key.ts";
import { createLine, type LineDeps } from "./pipeline/line.ts";
import { isLoopbackHost } from "./pipeline/loopback.ts";
import { resolveModel } from "./pipeline/model-alias.ts";
import type { AuditLog } from "./pipeline/ports.ts";
import type { RateLimiter } from "./pipeline/rate-limiter.ts";
import { Refusal } from "./pipeline/refusal.ts";
import type { RefusalAudit } from "./pipeline/refusal-audit.ts";
import type { RouterCommands, RouterGate, RouterRegistry } from "./pipeline/router-ports.ts";
import type { RouterCaller } from "./pipeline/types.ts";
import { urlHost } from "./pipeline/url-host.ts";
import { judgeScript } from "./routers/command/judge.ts";
import { createRouterCommands } from "./routers/commands.ts";
import { createRouterGate } from "./routers/gate.ts";
import { isRedacted, redact } from "./routers/redact.ts";

type Options = Readonly<{
  config: Config;
  version: string;
  /** Of the Messages line, which routers walk too. */
  line: LineDeps;
  /** What serves `/v1/complete` serves routers. */
  completing: Completing;
  registry: RouterRegistry;
  audit: AuditLog;
  refusals: RefusalAudit;
  isDraining: () => boolean;
}>;

export type Routers = Readonly<{
  /** @throws Error of the operating system, when the port cannot be had */
  listen(): Promise<void>;
  /** Where it listens, for people and the log. */
  url(): string;
  closeConnections(): void;
  /** Waits for answers that are on their way. */
  close(): Promise<void>;
}>;

/** Null unless CLAUDE_RELAY_ENABLE_CLOUD is set. */
export const openRouters = (options: Options): Routers | null => {
  const { config, line, version, isDraining } = options;
  if (!config.cloudEnabled) {
    return null;
  }
  const { requestTimeoutMs, trustProxy } = config;
  const { clock, log } = line;
  const tls = tlsOf(config);
  const commands = openCommands(options);
  const server: Server = createRouterServer({
    gate: onceListening(() => openGate(options, portOf(server))),
    ...{ commands, clock, log, version, isDraining, requestTimeoutMs, trustProxy },
    ...(tls !== null && { tls: tls.read() }),
  });
  const stopReloading =
    tls !== null && server instanceof TlsServer ? reloadTls({ ...tls, server, log }) : () => {};
  return {
    listen: () => listen(server, config),
    url: () => urlOf(server, config),
    closeConnections: () => server.closeAllConnections(),
    close: () => {
      stopReloading();
      return close(server, commands);
    },
  };
};

type Tls = Readonly<{ paths: readonly string[]; read: () => TlsFiles }>;

const tlsOf = ({ cloudTlsCert: cert, cloudTlsKey: key }: Config): Tls | null =>
  cert === null || key === null
    ? null
    : { paths: [cert, key], read: () => readTlsFiles(cert, key) };

const openCommands = (options: Options): RouterCommands => {
  const { config, completing, audit, refusals } = options;
  const { upstream, structured, ownErrors } = completing;
  const { clock, log } = options.line;
  const model = config.routerModel ?? config.defaultModel;
  return createRouterCommands({
    lineFor: (caller) =>
      createLine({ ...options.line, upstream, authenticate: stillIn(options, caller) }),
    ...{ structured, ownErrors, model, clock, log, audit, refusals, redact, isRedacted },
    secretsFor: (router) => options.registry.secretsFor(router),
    modelId: resolveModel(model),
    newRequestId: () => newRequestId(clock.now()),
    judge: judgeScript,
    runReads: config.routerRunReads,
    random: randomBytes,
  });
};

/**
 * The gate has let the caller in; what it may do, and spend, is the line's matter as at every door. One that is
 * revoked while its request waits goes no further.
 */
const stillIn = ({ registry }: Options, { id }: RouterCaller): Authenticate => {
  const generation = registry.generationOf(id);
  return () => {
    const caller = registry.current(id, generation);
    if (caller === null) {
      throw new Refusal("forbidden", "This router was revoked, or its secret was changed.");
    }
    return caller;
  };
};

const openGate = (options: Options, cloudPort: number): RouterGate => {
  const { config, line, version, registry, refusals } = options;
  const { clock, log } = line;
  const perMinute = (max: number): RateLimiter =>
    createMemoryRateLimiter({ rate: { max, windowMs: 60_000 }, now: clock.monotonicMs });
  const byIp = (): RateLimiter => byAddress(perMinute(config.ipRateLimitMax));
  return createRouterGate({
    ...{ registry, clock, log, randomBytes, version, cloudPort },
    limits: {
      challenges: byIp(),
      failures: byIp(),
      addresses: byIp(),
      routers: perMinute(config.routerRequestsPerMinute),
    },
    legacy: config.legacyHandshake,
    isLoopbackListener: opensUnsigned(config),
    // A name that a stranger claims is the subject, and the address tells who it was.
    onRefused: ({ refusal: { code, message }, router, proven, clientIp }) =>
      refusals.record({
        actor: proven && router !== null ? callerKey({ kind: "router", id: router }) : "unknown",
        action: "router.refuse",
        subject: router,
        refusal: new Refusal(code === "rate_limited" ? code : "credential_invalid", message),
        detail: { code },
        clientIp,
      }),
  });
};

/**
 * Without any secret only development does, on loopback: in production a tunnel may end there. What the registry
 * says of a router comes on top.
 */
export const opensUnsigned = ({ cloudHost, environment, handshakeSecret }: Config): boolean =>
  isLoopbackHost(cloudHost) && environment !== "production" && handshakeSecret === null;

/** The handshake tells the port, which is known only once it is open. */
const onceListening = (open: () => RouterGate): RouterGate => {
  let opened: RouterGate | null = null;
  const gate = (): RouterGate => {
    opened ??= open();
    return opened;
  };
  return {
    challenge: (clientIp) => gate().challenge(clientIp),
    handshake: (body, clientIp) => gate().handshake(body, clientIp),
    open: (request) => gate().open(request),
  };
};

/** In a cluster the port is this worker's alone: sessions are in its memory. */
const listen = (server: Server, { cloudHost: host, cloudPort: port }: Config): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const urlOf = (server: Server, { cloudHost, cloudTlsCert }: Config): string =>
  `${cloudTlsCert === null ? "http" : "https"}://${urlHost(cloudHost)}:${portOf(server)}`;

/** A router asks for a job every two seconds, and over a new connection each time. */
const collectMs = 10_000;

const close = async (server: Server, commands: RouterCommands): Promise<void> => {
  await commands.collected(collectMs);
  // A server that was never opened is not closed.
  const closed = server.listening
    ? new Promise<void>((resolve) => server.close(() => resolve()))
    : Promise.resolve();
  await closed;
  await commands.close();
};
