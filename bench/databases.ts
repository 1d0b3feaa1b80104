/**
 * A Redis and a Postgres of a run's own, as Debian installs them. Run as its own process: prints one line
 * of JSON (`Databases`), and ends both, with their files, when its standard input ends. So neither outlives
 * the benchmark, however that ends.
 */

import { type PostgresServer, postgresMissing, startPostgres } from "../test/harness/postgres.ts";
import { RedisServer, redisMissing } from "../test/harness/redis.ts";
import { freePort } from "./lab.ts";

/** Where they are, and whose CPU is theirs; or what to install. */
export type Databases =
  | Readonly<{ redisUrl: string; databaseUrl: string; redisPid: number; postgresPid: number }>
  | Readonly<{ missing: string }>;

const missing = [
  ...(redisMissing === false ? [] : ["redis-server"]),
  ...(postgresMissing === false ? [] : ["postgresql"]),
];
if (missing.length > 0) {
  tell({ missing: missing.join(" ") });
  process.exit();
}

const redis = new RedisServer();
let postgres: PostgresServer | null = null;
const started = start();
process.stdin.resume().once("close", async () => {
  await Promise.allSettled([started]);
  await end();
});
try {
  tell(await started);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
  await end();
}

/** Over TCP, and with fsync on, as a service has them. */
async function start(): Promise<Databases> {
  const port = await freePort();
  await redis.start("--port", String(port), "--bind", "127.0.0.1");
  postgres = await startPostgres({ fsync: true });
  const { url } = await postgres.createDatabase();
  return {
    redisUrl: `redis://127.0.0.1:${port}`,
    databaseUrl: url,
    redisPid: await pidOfRedis(),
    postgresPid: await pidOfPostgres(postgres),
  };
}

async function end(): Promise<void> {
  await Promise.allSettled([redis.remove(), postgres?.remove()]);
  process.exit();
}

async function pidOfRedis(): Promise<number> {
  const client = redis.client();
  const info = await client.info("server");
  client.disconnect();
  return Number(/^process_id:(\d+)/m.exec(info)?.[1]);
}

/** The first line of the server's own pid file. */
async function pidOfPostgres(server: PostgresServer): Promise<number> {
  const [row] = await server.query("postgres", "select pg_read_file('postmaster.pid') as file");
  return Number.parseInt(String(row?.["file"]), 10);
}

function tell(databases: Databases): void {
  console.log(JSON.stringify(databases));
}
