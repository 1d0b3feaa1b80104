import assert from "node:assert/strict";
import { cpSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from "../../../../../test/harness/postgres.ts";
import { createStore } from "../store.ts";
import { faultLog } from "../testing/fault-log.ts";
import { startLoad } from "../testing/load.ts";
import { requestId, sampleIntent, sampleOutcome } from "../testing/samples.ts";
import { tempDir } from "../testing/temp-dir.ts";
import type { PostgresAddress } from "./address.ts";

describe("several instances on one database", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.remove());

  const newAddress = async (): Promise<PostgresAddress> => (await server.createDatabase()).address;

  const open = async (context: TestContext, postgres: PostgresAddress, dataDir?: string) => {
    const store = await createStore({
      dataDir: dataDir ?? tempDir(context),
      postgres,
      foldDelayMs: 1,
      segmentBytes: 16 * 1024,
    });
    context.after(() => store.close());
    return store;
  };

  test("that start at once on an empty one all come up, and fold at once what each was asked", async (context) => {
    const address = await newAddress();
    const stores = await Promise.all([1, 2, 3, 4].map(() => open(context, address)));
    const loads = stores.map((store, index) => startLoad(store, (index + 1) * 1_000_000));
    while (loads.some((load) => load.count < 400)) {
      await Promise.all(stores.map((store) => store.usage.rows({ limit: 1 })));
    }
    const ids = (await Promise.all(loads.map((load) => load.stop()))).flat();
    await Promise.all(stores.map((store) => store.close()));
    const rows = await server.query(
      address.database,
      "select id, ending from requests order by id",
    );
    assert.deepEqual(
      rows,
      ids.sort().map((id) => ({ id, ending: "complete" })),
    );
  });

  test("recover their own open requests and leave alone those of the others", async (context) => {
    const address = await newAddress();
    const dataDir = tempDir(context);
    const first = await open(context, address, dataDir);
    const second = await open(context, address);
    await first.ledger.open(sampleIntent(1));
    await second.ledger.open(sampleIntent(2));
    // Past their segments' ends, so that both are in the table.
    for (const [store, at] of [
      [first, 100],
      [second, 200],
    ] as const) {
      for (let number = at; number < at + 60; number++) {
        await store.ledger.open(sampleIntent(number));
        store.ledger.close(sampleOutcome(number));
      }
      await store.usage.rows({ limit: 1 });
    }
    const carried = "select id from open_requests order by id";
    assert.deepEqual(await server.query(address.database, carried), [
      { id: requestId(1) },
      { id: requestId(2) },
    ]);
    await first.close();
    const again = await open(context, address, dataDir);
    assert.equal(again.recovered, 1);
    assert.deepEqual(await server.query(address.database, carried), [{ id: requestId(2) }]);
    second.ledger.close(sampleOutcome(2));
    await second.usage.rows({ limit: 1 });
    const rows = await server.query(
      address.database,
      `select ending from requests where id in ('${requestId(1)}', '${requestId(2)}') order by id`,
    );
    assert.deepEqual(rows, [{ ending: "process_died" }, { ending: "complete" }]);
  });

  test("see each other's devices and rows", async (context) => {
    const address = await newAddress();
    const [first, second] = [await open(context, address), await open(context, address)];
    await first.ledger.open(sampleIntent(1));
    first.ledger.close(sampleOutcome(1));
    assert.equal((await first.usage.summary({})).totals.requests, 1);
    assert.equal((await second.usage.summary({})).totals.requests, 1);
  });

  test("of which one is a copied folder are told so before they fold over each other", async (context) => {
    const address = await newAddress();
    const faults = faultLog();
    const dataDir = tempDir(context);
    const original = await createStore({
      ...{ dataDir, postgres: address, foldDelayMs: 60_000 },
      onFault: faults.onFault,
    });
    context.after(() => original.close());
    const copy = tempDir(context);
    for (const name of ["instance.number", "journal"]) {
      cpSync(join(dataDir, name), join(copy, name), { recursive: true });
    }
    await open(context, address, copy);
    const told = faults.next("database_unwritable");
    await original.ledger.open(sampleIntent(1));
    await assert.rejects(original.usage.rows({ limit: 1 }), /was DATA_DIR copied\?/);
    await told;
  });

  test("keep their number for their owner only, and refuse one that is damaged", async (context) => {
    const address = await newAddress();
    const dataDir = tempDir(context);
    const store = await open(context, address, dataDir);
    await store.close();
    const file = join(dataDir, "instance.number");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    for (const text of ["", "1", "x", "99999999999", "-5"]) {
      writeFileSync(file, text);
      await assert.rejects(createStore({ dataDir, postgres: address }), /instance\.number in DATA/);
    }
  });
});
