import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { listPrices } from "../../pipeline/price/price-table.ts";
import { ApiError } from "./api-error.ts";
import { versionOf } from "./api-version.ts";
import { type Billing, createBilling } from "./billing.ts";
import { type AcceptKeys, checkAdminKey, checkCredential } from "./credential.ts";
import {
  type Exchange,
  type Surroundings,
  scenarioHeader,
  sendError,
  sendJson,
} from "./exchange.ts";
import { applyPlan } from "./faults.ts";
import { createIds } from "./ids.ts";
import { countTokens, createMessage } from "./messages.ts";
import { findModel, listModels, modelInfo } from "./models.ts";
import {
  type Bill,
  type Counters,
  createObservations,
  type ReceivedRequest,
  type Sighting,
} from "./observations.ts";
import { createPromptCache } from "./prompt-cache.ts";
import { createRateLimits, type OrganizationLimits } from "./rate-limits.ts";
import { readBytes } from "./read-body.ts";
import { commonHeaders, createRateLimitHeaders } from "./reply-headers.ts";
import { costReport, usageReport } from "./reports.ts";
import { planOf } from "./scenario.ts";
import { scenarioTextOf } from "./scenario-name.ts";

export type SimulatorOptions = Readonly<{
  /** Which keys are good; every non-empty one by default. */
  acceptKeys?: AcceptKeys;
  /** Which keys open the usage and cost reports; every one in the form of an Admin API key by default. */
  acceptAdminKeys?: AcceptKeys;
  /** Milliseconds since the epoch, for the cache's expiry and the rate-limit headers. */
  now?: () => number;
  /** What its organization may use a minute; without them it never runs out. */
  rateLimits?: OrganizationLimits;
  /** Keep requests with their bodies, and bills. Off by default: then it only counts. */
  record?: boolean;
}>;

/** A server that answers like the Anthropic Messages API, without Claude. */
export type Simulator = Readonly<{
  /** Starts listening; port 0 takes a free one. @returns the base URL, such as `http://127.0.0.1:3002` */
  listen(port?: number, host?: string): Promise<string>;
  /** Stops at once, open streams included. */
  close(): Promise<void>;
  /** The last 10,000 requests, oldest first; empty unless recording. */
  log: readonly ReceivedRequest[];
  /** What each answered request is billed, by request id; empty unless recording. */
  bills: ReadonlyMap<string, Bill>;
  counters(): Counters;
  /** Resolves as soon as the counters satisfy the condition. */
  until(condition: (counters: Counters) => boolean): Promise<void>;
  /** Forgets log, bills, reports, counters, cache and what `first-n` has counted; open requests go on. */
  reset(): void;
  server: Server;
}>;

export const createSimulator = (options: SimulatorOptions = {}): Simulator => {
  const { now = Date.now, acceptKeys = () => true, record = false } = options;
  const { acceptAdminKeys = isAdminKey } = options;
  const billing = createBilling(now, listPrices);
  const observations = createObservations(record, billing.add);
  const sightings = new Map<string, number>();
  const surroundings: Surroundings = {
    cache: createPromptCache(now),
    rateLimitHeaders: createRateLimitHeaders(now),
    rateLimits: options.rateLimits === undefined ? null : createRateLimits(options.rateLimits, now),
    nextId: createIds(),
    seen: (text) => {
      const before = sightings.get(text) ?? 0;
      sightings.set(text, before + 1);
      return before;
    },
  };
  const doors = { acceptKeys, acceptAdminKeys, reports: reportsOf(billing, now) };
  const server = createServer((request, response) => {
    const requestId = surroundings.nextId("req");
    const sighting = observations.begin(request, response, requestId);
    handle(request, response, requestId, sighting, surroundings, doors).catch((error: unknown) =>
      sendError(error, response, requestId),
    );
  });
  // Longer than any client keeps a connection: ours is never the side that closes under a request.
  server.keepAliveTimeout = 75_000;
  const { log, bills, counters, until } = observations;
  const reset = (): void => {
    observations.reset();
    billing.clear();
    sightings.clear();
    surroundings.cache.clear();
  };
  return { ...listener(server), log, bills, counters, until, reset, server };
};

const listener = (server: Server): Pick<Simulator, "listen" | "close"> => ({
  listen: (port = 0, host = "127.0.0.1") =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve(`http://${host}:${(server.address() as AddressInfo).port}`);
      });
    }),
  close: () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
});

const handle = async (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  sighting: Sighting,
  surroundings: Surroundings,
  { acceptKeys, acceptAdminKeys, reports }: Doors,
): Promise<void> => {
  const body = await readBytes(request);
  sighting.received(body);
  const [path = "", query] = (request.url ?? "").split("?", 2);
  if (request.method === "HEAD" && (path === "/" || path === "/api/hello")) {
    response.writeHead(200, commonHeaders(requestId)).end();
    return;
  }
  const asked = new URLSearchParams(query);
  const report = request.method === "GET" ? reports[path] : undefined;
  const route =
    report === undefined
      ? routeOf(`${request.method} ${path}`, asked)
      : reading(() => report(asked));
  const key =
    report === undefined
      ? checkCredential(request.headers, acceptKeys)
      : checkAdminKey(request.headers, acceptAdminKeys);
  const version = versionOf(request.headers);
  await route({ request, response, requestId, sighting, body, key, version }, surroundings);
};

type Reports = Readonly<Record<string, (query: URLSearchParams) => string>>;
type Doors = Readonly<{ acceptKeys: AcceptKeys; acceptAdminKeys: AcceptKeys; reports: Reports }>;

const isAdminKey = (key: string): boolean => key.startsWith("sk-ant-admin");

/** The usage and cost reports by their paths: the Admin API, with a key of its own. */
const reportsOf = (billing: Billing, now: () => number): Reports => ({
  "/v1/organizations/usage_report/messages": (query) => usageReport(query, billing, now()),
  "/v1/organizations/cost_report": (query) => costReport(query, billing, now()),
});

type Route = (exchange: Exchange, surroundings: Surroundings) => Promise<void>;

const routeOf = (route: string, query: URLSearchParams): Route => {
  switch (route) {
    case "POST /v1/messages":
      return createMessage;
    case "POST /v1/messages/count_tokens":
      return countTokens;
    case "GET /v1/models":
      return reading(() => listModels(query));
    default: {
      const name = /^GET \/v1\/models\/([\w.-]+)$/.exec(route)?.[1];
      if (name === undefined) {
        throw new ApiError(404, "Not Found");
      }
      return reading(() => JSON.stringify(modelInfo(findModel(name))));
    }
  }
};

/** A route that answers JSON, after what the header's scenario asks. */
const reading =
  (json: () => string): Route =>
  async (exchange, surroundings) => {
    const text = scenarioTextOf(scenarioHeader(exchange), null);
    await applyPlan(planOf(text, surroundings.seen), exchange, surroundings);
    sendJson(exchange, json());
  };
