import { Kysely, PostgresDialect } from "kysely";
import type { Backend } from "../backend.ts";
import { reason } from "../faults.ts";
import { migrate } from "../migrations/migrate.ts";
import type { Tables } from "../schema.ts";
import { type PostgresAddress, shownAddress } from "./address.ts";
import { type Patience, PostgresConnection } from "./connection.ts";
import { isSlowness, isStorageFailure, remedy } from "./errors.ts";
import { postgresFoldTables } from "./fold-tables.ts";
import { instanceNumber } from "./instance-number.ts";
import { SqliteLikeSchema } from "./schema-dialect.ts";

const connectMs = 2_500;
const patience: Patience = { connectMs, statementMs: 3_000 };
const reportPatience: Patience = { connectMs, statementMs: 30_000 };
/** Other instances may be migrating a large table just now; we wait for them. */
const migrationPatience: Patience = { connectMs, statementMs: 600_000 };

/** The oldest that is still maintained. */
const oldestVersion = 130_000;

/**
 * Connects to the database, migrates it, and looks up or makes this data directory's instance number.
 * @throws Error with the remedy; it never holds the password
 */
export const openPostgresBackend = async (
  address: PostgresAddress,
  dataDir: string,
): Promise<Backend> => {
  const connection = new PostgresConnection(address, patience);
  const reports = new PostgresConnection(address, reportPatience);
  try {
    await prepare(address);
    const instance = await instanceNumber(dataDir, async (number) => {
      const taken = "select 1 from journal_checkpoint where instance = $1";
      return (await connection.query(taken, [number])).rows.length > 0;
    });
    return {
      db: kyselyOver(connection),
      reports: kyselyOver(reports),
      reportsApart: true,
      remote: true,
      folding: postgresFoldTables(connection, instance),
      isStorageFailure,
      isSlowness,
      remedy,
      endReports: () => reports.drop(),
      close: async () => {
        await Promise.all([connection.close(), reports.close()]);
      },
    };
  } catch (error) {
    await connection.close();
    throw startFault(error, address);
  }
};

/** Kysely over one connection, which it does not own. */
export const kyselyOver = (connection: PostgresConnection): Kysely<Tables> =>
  new Kysely<Tables>({
    dialect: new PostgresDialect({
      pool: {
        connect: async () => {
          const lease = await connection.acquire();
          return { ...lease, query: lease.query as never };
        },
        end: () => Promise.resolve(),
        options: {},
      },
    }),
  });

const prepare = async (address: PostgresAddress): Promise<void> => {
  const connection = new PostgresConnection(address, migrationPatience);
  try {
    await assertUsable(connection);
    await migrate(kyselyOver(connection).withPlugin(new SqliteLikeSchema()));
  } finally {
    await connection.close();
  }
};

const assertUsable = async (connection: PostgresConnection): Promise<void> => {
  const { rows } = await connection.query(
    "select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding",
  );
  const [server] = rows as { version: number; encoding: string }[];
  if ((server?.version ?? 0) < oldestVersion) {
    throw new Error(`it is older than Postgres ${oldestVersion / 10_000}: update it`);
  }
  if (server?.encoding !== "UTF8") {
    throw new Error(
      `its encoding is ${server?.encoding}: create the database with ENCODING 'UTF8'`,
    );
  }
};

const startFault = (error: unknown, address: PostgresAddress): Error => {
  const at = `The database of DATABASE_URL (${shownAddress(address)}) cannot be used`;
  // What a migration failed of is behind its own words.
  const cause = [error, error instanceof Error ? error.cause : null].find(isStorageFailure);
  return new Error(
    cause === undefined
      ? `${at}: ${reason(error)}`
      : `${at}: ${reason(cause)}. To start, ${remedy(cause)}.`,
    { cause: error },
  );
};
