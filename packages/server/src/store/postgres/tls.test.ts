import assert from "node:assert/strict";
import { test } from "node:test";
import { postgresMissing, startPostgres } from "../../../../../test/harness/postgres.ts";
import { createStore } from "../store.ts";
import { tempDir } from "../testing/temp-dir.ts";

test("through TLS, a server that cannot prove its name is refused with the remedy", {
  skip: postgresMissing,
}, async (context) => {
  const server = await startPostgres({ tls: true });
  context.after(() => server.remove());
  const { name, address } = await server.createDatabase();
  const tls = { verify: true, ca: null, cert: null, key: null };
  const open = (changes: Readonly<{ verify?: boolean; ca?: string }>) =>
    createStore({
      dataDir: tempDir(context),
      postgres: { ...address, tls: { ...tls, ...changes } },
    });
  await assert.rejects(open({}), /self-signed certificate.*To start, name the server's CA/);
  for (const trusted of [{ ca: server.certificate }, { verify: false }]) {
    const store = await open(trusted);
    const used = "select bool_and(ssl) as all from pg_stat_ssl join pg_stat_activity using (pid)";
    const ofRelay = "where application_name = 'claude-relay'";
    assert.deepEqual(await server.query(name, `${used} ${ofRelay}`), [{ all: true }]);
    await store.close();
  }
});
