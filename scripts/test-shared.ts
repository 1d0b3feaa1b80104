/**
 * `npm run test:shared`: the whole-system tests of counts and records once more, every relay of theirs on a Redis
 * and a Postgres database of its own instead of memory and SQLite. The files are the same, unchanged.
 * `npm run test:shared -- FILE …` runs only those.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { postgresMissing, startPostgres } from "../test/harness/postgres.ts";
import { redisMissing } from "../test/harness/redis.ts";

/**
 * Files in test/, by what they count or record. Left out:
 * - those that start stores of their own: redis, postgres, instances, budget-while-running, shared-breaker,
 *   routers-cluster;
 * - about the one process and its files: start-up, start-faults, configuration, install, npm-start,
 *   health, cors, http-hardening, built-packages;
 * - about bytes, which pass whatever counts them: streaming, faithful, anthropic-sdk, upstream-oddities, seed-2,
 *   model-list, routers-listener, routers-rsc*, claude-*, client-*, cli-*, complete-cli.
 */
const onBoth = {
  "money and limits": [
    "budgets",
    "budgets-admin",
    "budgets-crash",
    "limits",
    "queueing",
    "fair-share",
    "rate-limit",
    "warnings",
  ],
  "who may": [
    "app-keys",
    "owners",
    "credentials",
    "device-key",
    "device-off",
    "enrollment",
    "model-control",
  ],
  records: [
    "secrecy",
    "admin",
    "ledger",
    "reconcile",
    "refusal-audit",
    "usage",
    "usage-csv",
    "drain",
  ],
  people: ["gateway-signin", "gateway-signin-attacks", "gateway-page-attacks", "gateway-people"],
  upstream: ["circuit-breaker", "key-pool"],
  doors: ["complete", "page-fetch-door", "bad-input"],
  routers: ["routers", "routers-admin", "routers-attacks", "routers-callers", "routers-jobs"],
} as const;

const main = async (): Promise<number> => {
  const missing = postgresMissing || redisMissing;
  if (missing) {
    console.error(missing);
    return 1;
  }
  const given = process.argv.slice(2);
  const names = Object.values(onBoth).flat();
  const files = given.length > 0 ? given : names.map((name) => `test/${name}.test.ts`);
  const folder = mkdtempSync(join(tmpdir(), "claude-relay-stores-"));
  const postgres = await startPostgres();
  try {
    return await runTests(files, {
      TEST_POSTGRES_URL: postgres.urlOf("postgres"),
      TEST_REDIS_FOLDER: folder,
    });
  } finally {
    await stopLeftRedis(folder);
    rmSync(folder, { recursive: true, force: true });
    await postgres.remove();
  }
};

const runTests = async (
  files: readonly string[],
  stores: Readonly<Record<string, string>>,
): Promise<number> => {
  const flags = ["--test", "--test-reporter=spec", "--test-timeout=300000"];
  const tests = spawn(process.execPath, [...flags, ...files], {
    stdio: "inherit",
    env: { ...process.env, ...stores },
  });
  const stop = (signal: NodeJS.Signals) => tests.kill(signal);
  process.on("SIGINT", stop).on("SIGTERM", stop);
  const [code] = (await once(tests, "exit")) as [number | null];
  return code ?? 1;
};

/** A test file that was killed cannot stop its own. */
const stopLeftRedis = async (folder: string): Promise<void> => {
  for (const name of readdirSync(folder)) {
    const client = new Redis(join(folder, name, "redis.sock"), { retryStrategy: () => null });
    client.on("error", () => undefined);
    await client.shutdown("NOSAVE").catch(() => undefined);
    client.disconnect();
  }
};

process.exitCode = await main();
