/**
 * The relay inside the test's own process: every part real but the clock, which stands still until the test
 * moves it. Upstream is a simulator that records, so that a test can say what upstream saw.
 */
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { epochMs } from "@claude-relay/contract";
import { compose } from "../../packages/server/src/compose.ts";
import { loadConfig } from "../../packages/server/src/config.ts";
import type { Log } from "../../packages/server/src/pipeline/log.ts";
import type { PageFetch } from "../../packages/server/src/pipeline/page-ports.ts";
import { listPrices } from "../../packages/server/src/pipeline/price/price-table.ts";
import { loadSecrets } from "../../packages/server/src/secrets.ts";
import {
  createSimulator,
  type Simulator,
} from "../../packages/server/src/upstreams/simulator/server.ts";
import { bootstrap } from "./bootstrap.ts";
import { adminToken, jwtSecret, masterKey } from "./secrets.ts";
import { RedisTime, removeStores, standingTime, storesOf } from "./stores.ts";

export type Answer = Readonly<{
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
  body: any;
}>;

type Call = Readonly<{
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** A string or bytes go as they are; anything else as JSON. */
  body?: unknown;
  /** Sent as `Authorization: Bearer`. */
  token?: string;
}>;

export type InsideRelay = Readonly<{
  url: string;
  port: number;
  dataDir: string;
  simulator: Simulator;
  /** Every log line so far. */
  logs: readonly string[];
  now(): number;
  /** Moves both clocks, by milliseconds. */
  advance(ms: number): void;
  call(path: string, call?: Call): Promise<Answer>;
  admin(path: string, call?: Call): Promise<Answer>;
  bootstrap(deviceId?: string): Promise<string>;
  /** Mints an app key, `my-app` unless told otherwise; gives its secret. */
  mint(settings?: Readonly<Record<string, unknown>>): Promise<string>;
  /** POST /v1/messages with a small good body, changed as told. */
  ask(token: string, changes?: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Stops it; the data folder stays until `remove`. */
  close(): Promise<void>;
  /** Stops it and forgets everything. */
  remove(): Promise<void>;
}>;

export type InsideOptions = Readonly<{
  env?: Readonly<Record<string, string>>;
  /** Kept by the caller. */
  dataDir?: string;
  /** Where the clock stands at the start; some time in 2026 otherwise. */
  now?: number;
  /** What stands for the web. */
  fetchPage?: PageFetch;
}>;

const someDay = Date.parse("2026-11-21T12:00:00.250Z");

/** A body that upstream answers. */
export const question = {
  model: "claude-haiku-4-5",
  max_tokens: 64,
  messages: [{ role: "user", content: "Say hello." }],
};

export const startInside = async (options: InsideOptions = {}): Promise<InsideRelay> => {
  const simulator = createSimulator({ record: true });
  const upstreamUrl = await simulator.listen();
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  const time = { ms: options.now ?? someDay };
  const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
  const { log, logs, logged } = recordingLog();
  const stores = await storesOf(dataDir, options.env);
  const redisTime = stores && new RedisTime(stores.redis);
  redisTime?.set(time.ms);
  await redisTime?.settled();
  const config = configOf(upstreamUrl, dataDir, { ...stores?.env, ...options.env });
  const relay = await compose({
    config,
    secrets: loadSecrets(config),
    prices: listPrices,
    clock,
    log,
    version: "0.0.0",
    environment: {},
    ...(options.fetchPage && { fetchPage: options.fetchPage }),
    ...(redisTime && { redisAdmission: standingTime }),
  });
  if (stores !== null) {
    // Until then money is refused.
    await logged("Redis is up");
  }
  await relay.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = relay.app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  relay.setBaseUrl(`http://localhost:${port}`);
  const call = async (path: string, request?: Call): Promise<Answer> => {
    await redisTime?.settled();
    return callHttp(url, path, request);
  };
  const close = async (): Promise<void> => {
    relay.app.server.closeAllConnections();
    await relay.close();
    redisTime?.close();
    await simulator.close();
  };
  return {
    url,
    port,
    dataDir,
    simulator,
    logs,
    now: () => time.ms,
    advance: (ms) => {
      time.ms += ms;
      redisTime?.set(time.ms);
    },
    call,
    admin: (path, request = {}) => call(path, { token: adminToken, ...request }),
    bootstrap: (deviceId) => bootstrap(url, deviceId),
    mint: async (settings = {}) => {
      const body = { label: "my-app", ...settings };
      const minted = await call("/admin/keys", { token: adminToken, body });
      if (minted.status !== 201) {
        throw new Error(`no key was minted: ${minted.text}`);
      }
      return minted.body.secret;
    },
    ask: (token, changes = {}) =>
      call("/v1/messages", {
        token,
        headers: { "anthropic-version": "2023-06-01" },
        body: { ...question, ...changes },
      }),
    close,
    remove: async () => {
      await close();
      rmSync(dataDir, { recursive: true, force: true });
      await removeStores(dataDir);
    },
  };
};

const configOf = (
  upstreamUrl: string,
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
) => {
  const environment = {
    DATA_DIR: dataDir,
    JWT_SECRET: jwtSecret,
    ADMIN_TOKEN: adminToken,
    ANTHROPIC_API_KEY: masterKey,
    ANTHROPIC_BASE_URL: upstreamUrl,
    // Under a clock that stands still a refusal of upstream's would never be over.
    FAIR_SHARE: "off",
    ...env,
  };
  const result = loadConfig({ environment, file: new Map(), faults: [] });
  if (!result.ok) {
    throw new Error(result.faults.join("\n"));
  }
  return result.config;
};

type RecordingLog = Readonly<{
  log: Log;
  logs: string[];
  /** Resolves when this has been said. */
  logged(message: string): Promise<void>;
}>;

const recordingLog = (): RecordingLog => {
  const logs: string[] = [];
  const said = new Set<string>();
  const waiting = new Map<string, () => void>();
  const keep = (fields: object, message: string): void => {
    logs.push(JSON.stringify({ ...fields, msg: message }));
    said.add(message);
    waiting.get(message)?.();
  };
  return {
    logs,
    logged: (message) =>
      said.has(message)
        ? Promise.resolve()
        : new Promise((resolve) => waiting.set(message, resolve)),
    log: { debug: keep, info: keep, warn: keep, error: keep, isLevelEnabled: () => true },
  };
};

const callHttp = async (url: string, path: string, request: Call = {}): Promise<Answer> => {
  const { body, token } = request;
  const raw = typeof body === "string" || body instanceof Uint8Array || body === undefined;
  const response = await fetch(`${url}${path}`, {
    // Where somebody is sent is for the test to see.
    redirect: "manual",
    method: request.method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...request.headers,
    },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : null,
  };
};
