/**
 * The listener for routers: a server of its own, with the routers' routes and nothing else. Whatever is handled is
 * answered 200, since RouterOS drops the body of a 4xx; what fails says so in `success` and `code`.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { RequestId } from "@claude-relay/contract";
import type { Log } from "../../pipeline/log.ts";
import { isLoopbackAddress } from "../../pipeline/loopback.ts";
import {
  type OpenedRequest,
  type RouterAnswer,
  type RouterCommands,
  type RouterGate,
  RouterRefusal,
} from "../../pipeline/router-ports.ts";
import { routerRefusalOf } from "../../pipeline/router-refusal.ts";
import type { Clock } from "../../pipeline/types.ts";
import { createBareServer } from "../bare-server.ts";
import { clientIp, isFromThisMachine } from "../client-ip.ts";
import { newRequestId } from "../request-id.ts";
import { guardConnections } from "./connection-guard.ts";
import { bodyOf, parsed } from "./router-body.ts";
import { answerText, refuseBrowsers, sendAnswer, sendNotFound } from "./router-reply.ts";

export type RouterServerDeps = Readonly<{
  gate: RouterGate;
  commands: RouterCommands;
  clock: Clock;
  log: Log;
  version: string;
  isDraining: () => boolean;
  requestTimeoutMs: number;
  trustProxy: number;
  tls?: Readonly<{ cert: Buffer; key: Buffer }>;
}>;

/** The rest of this machine's descriptors are for others. */
const connections = { perAddress: 16, perLoopback: 256, inAll: 1024 };
/** Every fetch of RouterOS is a connection of its own. */
const keepAliveMs = 2_000;
/** What a router sends is small, and it gives up after 10 s itself. */
const longestRequestMs = 15_000;

export const createRouterServer = (deps: RouterServerDeps): Server => {
  const server = createBareServer((request, response) => void answer(deps, request, response), {
    requestTimeoutMs: Math.min(deps.requestTimeoutMs, longestRequestMs),
    keepAliveMs,
    clock: deps.clock,
    // Refused here, in words that a router can read.
    isDraining: () => false,
    cors: refuseBrowsers,
    bodyLimit: () => ({ bytes: Number.POSITIVE_INFINITY }),
    ...(deps.tls !== undefined && { tls: deps.tls }),
  });
  guardConnections(server, connections);
  return server;
};

/** One request on its way through. */
type Exchange = Readonly<{
  id: RequestId;
  raw: IncomingMessage;
  address: string;
  /** Fires when the router goes away before it is answered. */
  left: AbortSignal;
}>;

type Route = Readonly<{
  /** For the log: without what a path carries. */
  name: string;
  /** Gives the answer's text. */
  serve(deps: RouterServerDeps, exchange: Exchange): Promise<string>;
}>;

const answer = async (
  deps: RouterServerDeps,
  raw: IncomingMessage,
  res: ServerResponse,
): Promise<void> => {
  const route = routeOf(raw.method ?? "", raw.url ?? "");
  const id = newRequestId(deps.clock.now());
  if (route === null) {
    sendNotFound(res);
    return;
  }
  const left = new AbortController();
  res.once("close", () => res.writableFinished || left.abort());
  try {
    const exchange = { id, raw, address: addressOf(raw, deps.trustProxy), left: left.signal };
    sendAnswer(res, await route.serve(deps, exchange), deps.isDraining());
    deps.log.debug({ requestId: id, route: route.name }, "Router answered");
  } catch (error) {
    const { code, message, fields, seal } = refusalOf(error, deps.log, id);
    deps.log.info({ requestId: id, route: route.name, code }, "Router request refused");
    const said = { ...fields, success: false, code, error: message };
    sendAnswer(res, answerText(said, seal), code === "too_large" || deps.isDraining());
  }
};

/** Whatever was thrown, as routers are told it; a fault of ours goes into the log, once. */
const refusalOf = (error: unknown, log: Log, requestId: RequestId): RouterRefusal => {
  const refusal = routerRefusalOf(error);
  if (refusal.code === "internal" && refusal !== error) {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error({ requestId, error: stack ?? String(error) }, "The relay failed");
  }
  return refusal;
};

/**
 * Whoever comes through a proxy or tunnel that ends on this machine, or by a name bent to it, is not from here and
 * is not taken for it.
 */
const addressOf = (raw: IncomingMessage, trustProxy: number): string => {
  const address = clientIp(raw, trustProxy);
  return isLoopbackAddress(address) && !isFromThisMachine(raw) ? "0.0.0.0" : address;
};

const routeOf = (method: string, path: string): Route | null => {
  const serve = routes.get(`${method} ${path}`);
  if (serve !== undefined) {
    return { name: path, serve };
  }
  const job = method === "GET" ? jobPath.exec(path)?.[1] : undefined;
  return job === undefined ? null : jobRoute(job);
};

const jobPath = /^\/jobs\/([A-Za-z0-9_-]{1,64})$/;

/** What strangers may ask: nothing of it costs more than a signature. */
const plain =
  (
    work: (deps: RouterServerDeps, exchange: Exchange) => Promise<RouterAnswer> | RouterAnswer,
  ): Route["serve"] =>
  async (deps, exchange) => {
    refuseWhileDraining(deps);
    return answerText(await work(deps, exchange));
  };

/** What only a session may ask. Once its signature held, whatever is said of it is sealed. */
const signed =
  (
    work: (
      deps: RouterServerDeps,
      exchange: Exchange,
      opened: OpenedRequest,
      body: Buffer,
    ) => Promise<RouterAnswer>,
  ): Route["serve"] =>
  async (deps, exchange) => {
    const { raw, address } = exchange;
    const body = await bodyOf(raw);
    const opened = deps.gate.open({
      method: raw.method === "GET" ? "GET" : "POST",
      path: raw.url ?? "",
      session: headerOf(raw, "x-relay-session"),
      sequence: headerOf(raw, "x-relay-seq"),
      signature: headerOf(raw, "x-relay-signature"),
      body,
      clientIp: address,
    });
    try {
      return answerText(await work(deps, exchange, opened, body), opened.seal);
    } catch (error) {
      const { code, message, fields } = refusalOf(error, deps.log, exchange.id);
      throw new RouterRefusal(code, message, fields, opened.seal);
    }
  };

const refuseWhileDraining = ({ isDraining }: RouterServerDeps): void => {
  if (isDraining()) {
    throw new RouterRefusal("unavailable", "This relay is shutting down. Ask again soon.", {
      retry_after: 5,
    });
  }
};

/** What Claude is asked for. */
const asked = (what: "process" | "explain"): Route["serve"] =>
  signed((deps, { address, left }, { caller }, body) => {
    refuseWhileDraining(deps);
    return deps.commands[what](caller, parsed(body), address, left);
  });

const routes: ReadonlyMap<string, Route["serve"]> = new Map<string, Route["serve"]>([
  [
    "GET /health",
    // Also while draining, as on the main listener.
    async ({ clock, version }) =>
      answerText({
        status: "healthy",
        service: "claude-relay",
        version,
        timestamp: new Date(clock.now()).toISOString(),
      }),
  ],
  ["GET /handshake/challenge", plain(({ gate }, { address }) => gate.challenge(address))],
  [
    "POST /handshake",
    plain(async ({ gate }, { raw, address }) => gate.handshake(parsed(await bodyOf(raw)), address)),
  ],
  ["POST /process-command", asked("process")],
  ["POST /suggest-error-fix", asked("explain")],
]);

/** Also while draining: what runs is still answered. */
const jobRoute = (job: string): Route => ({
  name: "/jobs/{job}",
  serve: signed(({ commands }, _exchange, { caller }) => commands.job(caller, job)),
});

const headerOf = ({ headers }: IncomingMessage, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
};
