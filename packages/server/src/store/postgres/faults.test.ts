import assert from "node:assert/strict";
import { after, before, beforeEach, describe, type TestContext, test } from "node:test";
import { Client } from "pg";
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
  type TestDatabase,
} from "../../../../../test/harness/postgres.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { createStore, type Store, type StoreOptions } from "../store.ts";
import { faultLog } from "../testing/fault-log.ts";
import { startLoad } from "../testing/load.ts";
import { noon, requestId, sampleIntent, sampleOutcome } from "../testing/samples.ts";
import { tempDir } from "../testing/temp-dir.ts";

const isUnavailable = (error: unknown): boolean =>
  error instanceof Refusal && error.code === "storage_unavailable";

const entry = {
  at: noon,
  actor: "admin",
  action: "device.revoke",
  subject: null,
  outcome: "ok",
  detail: null,
  clientIp: null,
};

/** With what no text column holds: it waits in the journal, and must hold up nothing there. */
const odd = { ...entry, action: "device.rename", subject: "a\0b\ud800", detail: { label: "ü\0" } };
const oddKept = { ...odd, subject: "a\uFFFDb\uFFFD" };

const byAction = (a: Readonly<{ action: string }>, b: Readonly<{ action: string }>): number =>
  a.action > b.action ? -1 : 1;

const idsIn = async (store: Store): Promise<string[]> => {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.usage.rows({ limit: 1_000, cursor });
    ids.push(...page.data.map(({ id, ending }) => `${id} ${ending}`));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return ids.reverse();
};

const complete = (ids: readonly string[]): string[] => ids.map((id) => `${id} complete`);

describe("when Postgres", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  let database: TestDatabase;
  before(async () => {
    server = await startPostgres({ fsync: true });
  });
  after(() => server.remove());
  beforeEach(async () => {
    database = await server.createDatabase();
  });

  const open = async (context: TestContext, options: Partial<StoreOptions> = {}) => {
    const dataDir = tempDir(context);
    const postgres = database.address;
    const store = await createStore({ dataDir, postgres, foldDelayMs: 1, ...options });
    context.after(() => store.close());
    return store;
  };

  const away: readonly [what: string, goes: () => Promise<void>, returns: () => Promise<void>][] = [
    ["is killed", () => server.kill(), () => server.start()],
    ["is stopped and started", () => server.stop(), () => server.start()],
    ["hangs", async () => server.pause(), async () => server.resume()],
  ];

  for (const [what, goes, returns] of away) {
    test(`${what} under load, work goes on, asking and changing is refused, and all rows are there after its return, once`, async (context) => {
      const faults = faultLog();
      const store = await open(context, { onFault: faults.onFault, segmentBytes: 64 * 1024 });
      const load = startLoad(store);
      await store.usage.rows({ limit: 1 });
      const gone = faults.next("database_unwritable");
      await goes();
      try {
        await gone;
        const before = load.count;
        await assert.rejects(store.usage.summary({}), isUnavailable);
        await store.audit.append(odd);
        await assert.rejects(store.devices.loadAll(), isUnavailable);
        assert.equal(store.healthy(), true, "there is room in the journal");
        while (load.count < before + 500) {
          await store.flushed();
        }
      } finally {
        const healed = faults.next("database_healed");
        await returns();
        await healed;
      }
      await store.audit.append(entry);
      const ids = await load.stop();
      assert.deepEqual(await idsIn(store), complete(ids));
      const { data } = await store.audit.list({ limit: 10 });
      assert.deepEqual(data.map(({ id: _, ...kept }) => kept).sort(byAction), [entry, oddKept]);
      assert.ok(faults.messages.every((message) => !message.includes(server.password)));
    });
  }

  test("is away until the journal is full, new work is refused, and taken again after its return", async (context) => {
    const faults = faultLog();
    const store = await open(context, { onFault: faults.onFault, spoolLimitBytes: 20_000 });
    const gone = faults.next("database_unwritable");
    await server.kill();
    let taken = 0;
    await assert.rejects(async () => {
      for (; ; taken++) {
        await store.ledger.open(sampleIntent(taken));
      }
    }, isUnavailable);
    assert.equal(store.healthy(), false);
    for (let number = 0; number < taken; number++) {
      store.ledger.close(sampleOutcome(number));
    }
    await gone;
    const healed = faults.next("database_healed");
    await server.start();
    await healed;
    const ids = Array.from({ length: taken }, (_, number) => requestId(number));
    assert.deepEqual(await idsIn(store), complete(ids));
    assert.equal(store.healthy(), true);
    await store.ledger.open(sampleIntent(taken));
  });

  test("has no connection left, rows wait until it has", async (context) => {
    await server.query("postgres", "drop role if exists few");
    await server.query("postgres", "create role few login password 'few' connection limit 1");
    await server.query("postgres", `alter database ${database.name} owner to few`);
    const faults = faultLog();
    const address = { ...database.address, user: "few", password: "few" };
    const store = await open(context, { onFault: faults.onFault, postgres: address });
    await store.audit.append(entry);
    await server.query(
      "postgres",
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'few'",
    );
    const { host, port, user, password } = address;
    const other = new Client({ host, port, user, password, database: database.name });
    await other.connect();
    const gone = faults.next("database_unwritable");
    await store.ledger.open(sampleIntent(1));
    store.ledger.close(sampleOutcome(1));
    await gone;
    assert.match(faults.messages.at(-1) ?? "", /too many connections/);
    await assert.rejects(store.devices.loadAll(), (error: Error) => {
      assert.match(error.message, /let Postgres take more connections/);
      return isUnavailable(error);
    });
    const healed = faults.next("database_healed");
    await other.end();
    await healed;
    assert.equal((await store.audit.list({ limit: 10 })).data.length, 1);
    await store.close();
    const rows = await server.query(database.name, "select id, ending from requests");
    assert.deepEqual(rows, [{ id: requestId(1), ending: "complete" }]);
  });
});
