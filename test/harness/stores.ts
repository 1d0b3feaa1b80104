/**
 * Where relays of the tests keep their counts and records: with themselves, or each in a Redis and a Postgres
 * database of its own, when `npm run test:shared` says so.
 */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { createScripts } from "../../packages/server/src/limits/redis/lua/scripts.ts";
import { databaseOptions } from "./postgres.ts";
import { RedisServer } from "./redis.ts";

export type Stores = Readonly<{
  env: Readonly<Record<string, string>>;
  redis: RedisServer;
}>;

/** A Postgres server for all test files; nothing outside of that run. */
const postgresUrl = process.env["TEST_POSTGRES_URL"];
/** Where whoever began that run looks for a Redis that a killed test file left. */
const redisFolder = process.env["TEST_REDIS_FOLDER"] ?? tmpdir();

const opened = new Map<string, Promise<Stores>>();
const running = new Set<RedisServer>();
process.once("exit", () => {
  for (const redis of running) {
    redis.removeAtOnce();
  }
});

/**
 * The stores of the relay that has this data folder, made at its first start; a relay started again on the same
 * folder finds what it left. Null when it keeps everything itself, or is told itself where.
 */
export const storesOf = async (
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Stores | null> => {
  if (postgresUrl === undefined || "REDIS_URL" in env || "DATABASE_URL" in env) {
    return null;
  }
  const stores = opened.get(dataDir) ?? open(postgresUrl);
  opened.set(dataDir, stores);
  return stores;
};

/** When the folder is gone. The database stays as long as its server, which is not long. */
export const removeStores = async (dataDir: string): Promise<void> => {
  const stores = opened.get(dataDir);
  opened.delete(dataDir);
  const redis = (await stores)?.redis;
  if (redis !== undefined) {
    running.delete(redis);
    await redis.remove();
  }
};

/**
 * All that a relay with this data folder has written down, as text by place: its files, and its tables where they
 * are not among them.
 */
export const keptBy = async (dataDir: string): Promise<readonly (readonly [string, string])[]> => {
  const stores = await opened.get(dataDir);
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => [path, readFileSync(path, "latin1")] as const);
  return stores === undefined ? files : [...files, ...(await tablesOf(stores))];
};

const tablesOf = async ({ env }: Stores): Promise<readonly (readonly [string, string])[]> => {
  const client = new Client({ connectionString: env["DATABASE_URL"] });
  await client.connect();
  try {
    const all = await client.query(
      "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
    );
    const tables: (readonly [string, string])[] = [];
    for (const { name } of all.rows) {
      const { rows } = await client.query(`select t::text as row from ${name} t`);
      tables.push([`table ${name}`, rows.map(({ row }) => row).join("\n")]);
    }
    return tables;
  } finally {
    await client.end();
  }
};

const open = async (server: string): Promise<Stores> => {
  const redis = new RedisServer(redisFolder);
  const [database] = await Promise.all([createDatabase(server), redis.start()]);
  redis.detach();
  running.add(redis);
  return { redis, env: { REDIS_URL: redis.url, DATABASE_URL: database } };
};

const createDatabase = async (server: string): Promise<string> => {
  const name = `relay_${randomBytes(8).toString("hex")}`;
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(`create database ${name} ${databaseOptions}`);
  } finally {
    await client.end();
  }
  return new URL(name, server).href;
};

/** The name under which a Redis keeps a clock that stands still. */
const clockName = "{claude-relay}:test-clock";
const patienceMs = 10_000;

/** For a relay inside the test's process: goes by that clock, and waits for an answer longer than the test is busy. */
export const standingTime = {
  scripts: createScripts(`local now = tonumber(redis.call('GET', '${clockName}'))`),
  patienceMs,
  ledgerPatienceMs: patienceMs,
};

/** That clock, of one Redis. */
export class RedisTime {
  readonly #client: ReturnType<RedisServer["client"]>;
  #isSet: Promise<unknown> = Promise.resolve();

  constructor(redis: RedisServer) {
    this.#client = redis.client();
  }

  set(ms: number): void {
    this.#isSet = this.#client.set(clockName, ms);
  }

  /** Resolves when Redis has what was set last. */
  async settled(): Promise<void> {
    await this.#isSet;
  }

  close(): void {
    this.#client.disconnect();
  }
}
