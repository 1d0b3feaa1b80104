import { after, before, describe, type TestContext } from "node:test";
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from "../../../../../test/harness/postgres.ts";
import type { Backend } from "../backend.ts";
import type { PostgresAddress } from "../postgres/address.ts";
import { openPostgresBackend } from "../postgres/backend.ts";
import { openSqliteBackend } from "../sqlite-backend.ts";
import { tempDir } from "./temp-dir.ts";

/** Where a store keeps things; the same place again opens the same records. */
export type Place = Readonly<{ dataDir: string; postgres: PostgresAddress | null }>;

export type TestedDatabase = Readonly<{
  name: "SQLite" | "Postgres";
  /** An empty place of the test's own. */
  newPlace(context: TestContext): Promise<Place>;
}>;

/** Runs a suite of behaviour on SQLite, and on a Postgres server of its own where that is installed. */
export const onEachDatabase = (suite: (database: TestedDatabase) => void): void => {
  describe("on SQLite", () => {
    suite({
      name: "SQLite",
      newPlace: (context) => Promise.resolve({ dataDir: tempDir(context), postgres: null }),
    });
  });
  describe("on Postgres", { skip: postgresMissing }, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.remove());
    suite({
      name: "Postgres",
      newPlace: async (context) => ({
        dataDir: tempDir(context),
        postgres: (await server.createDatabase()).address,
      }),
    });
  });
};

/** The database of a place, opened and migrated, without a store around it. */
export const openAt = async (context: TestContext, place: Place): Promise<Backend> => {
  const backend =
    place.postgres === null
      ? await openSqliteBackend({ dataDir: place.dataDir, durable: false, busyTimeoutMs: 100 })
      : await openPostgresBackend(place.postgres, place.dataDir);
  context.after(() => backend.close());
  return backend;
};
