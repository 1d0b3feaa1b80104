import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from "../../../../../test/harness/postgres.ts";
import { createStore } from "../store.ts";
import { tempDir } from "../testing/temp-dir.ts";
import type { PostgresAddress } from "./address.ts";

describe("a start is refused with the remedy, and without the password,", {
  skip: postgresMissing,
}, () => {
  let server: PostgresServer;
  let address: PostgresAddress;
  before(async () => {
    server = await startPostgres();
    ({ address } = await server.createDatabase());
  });
  after(() => server.remove());

  const refused = async (
    context: TestContext,
    changes: Partial<PostgresAddress>,
    message: RegExp,
  ): Promise<void> => {
    const postgres = { ...address, ...changes };
    const dataDir = tempDir(context);
    await assert.rejects(createStore({ dataDir, postgres }), (error: Error) => {
      const at = `(${postgres.host}:${postgres.port}/${postgres.database})`;
      assert.ok(error.message.includes(at), error.message);
      assert.match(error.message, message);
      assert.ok(!error.message.includes(String(postgres.password)));
      return true;
    });
    // Nothing of it stays behind: the same folder starts once the address is right.
    await (await createStore({ dataDir, postgres: address })).close();
  };

  test("when nobody listens there", (context) =>
    refused(context, { port: 1 }, /ECONNREFUSED.*To start, check the server DATABASE_URL names/));

  test("when the password is wrong", (context) =>
    refused(context, { password: "wr0ng-pass" }, /mend the user or password in DATABASE_URL/));

  test("when there is no such database", (context) =>
    refused(context, { database: "nowhere" }, /create the database DATABASE_URL names/));

  test("when the server has no TLS and it was asked for", (context) =>
    refused(
      context,
      { tls: { verify: true, ca: null, cert: null, key: null } },
      /does not support SSL connections/,
    ));

  test("when the user may not make tables", async (context) => {
    await server.query("postgres", "create role guest login password 'guest-password'");
    const { address: other } = await server.createDatabase();
    const guest = { user: "guest", password: "guest-password", database: other.database };
    await refused(context, guest, /grant DATABASE_URL's user the right/);
  });

  test("when the database's encoding cannot hold every text", async (context) => {
    await server.query(
      "postgres",
      "create database latin template template0 encoding 'LATIN1' locale 'C'",
    );
    await refused(context, { database: "latin" }, /ENCODING 'UTF8'/);
  });

  test("when it was migrated by a newer claude-relay", async (context) => {
    const { address: newer } = await server.createDatabase();
    await (await createStore({ dataDir: tempDir(context), postgres: newer })).close();
    await server.query(newer.database, "insert into kysely_migration values ('9999-newer', 'x')");
    await refused(context, { database: newer.database }, /newer claude-relay/);
  });
});
