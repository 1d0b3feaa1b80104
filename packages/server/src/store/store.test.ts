import assert from "node:assert/strict";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { DeviceId } from "@claude-relay/contract";
import Sqlite from "better-sqlite3";
import { Refusal } from "../pipeline/refusal.ts";
import { createStore, type Store, type StoreOptions } from "./store.ts";
import { onEachDatabase, type TestedDatabase } from "./testing/databases.ts";
import { faultLog } from "./testing/fault-log.ts";
import { noon, sampleIntent, sampleOutcome } from "./testing/samples.ts";
import { tempDir } from "./testing/temp-dir.ts";

const open = async (
  context: TestContext,
  options: Partial<StoreOptions> = {},
): Promise<Store & { dataDir: string }> => {
  const dataDir = options.dataDir ?? tempDir(context);
  const store = await createStore({ ...options, dataDir });
  context.after(() => store.close());
  return { ...store, dataDir };
};

const openOn = async (
  context: TestContext,
  database: TestedDatabase,
  options: Partial<StoreOptions> = {},
) => open(context, { ...options, ...(await database.newPlace(context)) });

const isUnavailable = (error: unknown): boolean =>
  error instanceof Refusal && error.code === "storage_unavailable";

const entry = (action: string) => ({
  at: noon,
  actor: "admin",
  action,
  subject: null,
  outcome: "ok",
  detail: { a: [1] },
  clientIp: "127.0.0.1",
});

onEachDatabase((database) => {
  for (const sync of ["none", "full"] as const) {
    test(`a caller sees its own finished request at once (sync ${sync})`, async (context) => {
      const store = await openOn(context, database, { sync, foldDelayMs: 60_000 });
      await store.ledger.open(sampleIntent(1));
      assert.deepEqual((await store.usage.rows({ limit: 10 })).data, []);
      store.ledger.close(sampleOutcome(1));
      const { data } = await store.usage.rows({ limit: 10 });
      assert.equal(data.length, 1);
      assert.equal(data[0]?.stream, true);
      assert.equal(data[0]?.iterations, null);
      await store.flushed();
    });
  }

  test("after a clean close nothing is lost, and what is still open becomes an estimate at the next start", async (context) => {
    const place = await database.newPlace(context);
    const first = await createStore(place);
    await Promise.all([1, 2].map((number) => first.ledger.open(sampleIntent(number))));
    first.ledger.close(sampleOutcome(1));
    for (let number = 0; number < 50; number++) {
      void first.audit.append(entry(`a${number}`));
    }
    await first.close();
    await assert.rejects(first.ledger.open(sampleIntent(3)), isUnavailable);
    await assert.rejects(first.devices.loadAll(), isUnavailable);
    const second = await open(context, place);
    assert.equal(second.recovered, 1);
    const { data } = await second.usage.rows({ limit: 10 });
    assert.deepEqual(
      data.map((row) => row.ending),
      ["process_died", "complete"],
    );
    const audit = await second.audit.list({ limit: 100 });
    assert.deepEqual(
      audit.data.map((row) => row.action),
      Array.from({ length: 50 }, (_, index) => `a${49 - index}`),
    );
  });

  test("a store whose worker dies answers 503, gets a new worker and loses nothing", async (context) => {
    const faults = faultLog();
    const workers: Worker[] = [];
    const postMessage = Worker.prototype.postMessage;
    context.mock.method(Worker.prototype, "postMessage", function (this: Worker, message: unknown) {
      workers.push(this);
      postMessage.call(this, message);
    });
    const store = await openOn(context, database, { foldDelayMs: 60_000, onFault: faults.onFault });
    await store.ledger.open(sampleIntent(1));
    await store.ledger.open(sampleIntent(2));
    await store.usage.rows({ limit: 1 });
    const died = faults.next("worker_died");
    const healed = faults.next("worker_healed");
    await workers[0]!.terminate();
    await died;
    assert.equal(store.healthy(), false);
    await assert.rejects(store.devices.get("device-1" as DeviceId), isUnavailable);
    store.ledger.close(sampleOutcome(1));
    await store.ledger.open(sampleIntent(3));
    await healed;
    assert.equal(store.healthy(), true);
    store.ledger.close(sampleOutcome(2));
    const { data } = await store.usage.rows({ limit: 10 });
    assert.deepEqual(
      data.map((row) => row.ending),
      ["complete", "complete"],
    );
  });

  test("a refusal by the worker keeps its code on the main thread", async (context) => {
    const store = await openOn(context, database);
    await assert.rejects(
      store.usage.rows({ limit: 10, cursor: "no" }),
      (error) => error instanceof Refusal && error.code === "invalid_request",
    );
    await assert.rejects(
      store.devices.list({ limit: 0 }),
      (error) => error instanceof Refusal && error.code === "invalid_request",
    );
  });
});

test("folding happens by itself soon after a write", async (context) => {
  const store = await open(context, { foldDelayMs: 1, segmentBytes: 1_000 });
  const first = join(store.dataDir, "journal", "journal-000001.jsonl");
  const reader = new Sqlite(join(store.dataDir, "relay.db"), { readonly: true });
  context.after(() => reader.close());
  const count = reader.prepare("SELECT count(*) FROM requests").pluck();
  for (let number = 0; Number(count.get()) < 20 || existsSync(first); number++) {
    await store.ledger.open(sampleIntent(number));
    store.ledger.close(sampleOutcome(number));
  }
});

test("files are for their owner only", async (context) => {
  const store = await open(context);
  await store.ledger.open(sampleIntent(1));
  for (const file of [
    "relay.db",
    "relay.db-wal",
    "instance.lock",
    "journal/journal-000001.jsonl",
  ]) {
    assert.equal(statSync(join(store.dataDir, file)).mode & 0o777, 0o600, file);
  }
});

test("a second store on the same directory is refused, by name and with the remedy", async (context) => {
  const { dataDir } = await open(context);
  await assert.rejects(createStore({ dataDir }), (error: Error) => {
    assert.match(error.message, /Another claude-relay is running on DATA_DIR/);
    assert.ok(error.message.includes(dataDir));
    return true;
  });
  // The refused attempt must not have taken the first one's lock away.
  await assert.rejects(createStore({ dataDir }), /Another claude-relay/);
});

test("a directory that cannot be used is refused at start", async (context) => {
  const parent = tempDir(context);
  const file = join(parent, "file");
  writeFileSync(file, "");
  await assert.rejects(createStore({ dataDir: join(file, "data") }), /ENOTDIR/);
  mkdirSync(join(parent, "data", "relay.db"), { recursive: true });
  await assert.rejects(createStore({ dataDir: join(parent, "data") }), /unable to open|EISDIR/);
});

test("while another program holds the database, writes are refused, ledger lines wait, and it heals by itself", async (context) => {
  const faults = faultLog();
  const store = await open(context, { busyTimeoutMs: 20, foldDelayMs: 1, onFault: faults.onFault });
  const other = new Sqlite(join(store.dataDir, "relay.db"));
  context.after(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  const unwritable = faults.next("database_unwritable");
  await store.ledger.open(sampleIntent(1));
  await unwritable;
  assert.equal(store.healthy(), false);
  await store.audit.append(entry("waited for"));
  void store.audit.append(entry("left alone"));
  await store.ledger.open(sampleIntent(2));
  store.ledger.close(sampleOutcome(2));
  const healed = faults.next("database_healed");
  other.exec("ROLLBACK");
  await healed;
  assert.equal(store.healthy(), true);
  await store.audit.append(entry("kept"));
  assert.equal((await store.usage.rows({ limit: 10 })).data.length, 1);
  const { data } = await store.audit.list({ limit: 10 });
  assert.deepEqual(data.map(({ action }) => action).sort(), ["kept", "left alone", "waited for"]);
  assert.ok(!faults.seen.includes("audit_lost"));
  assert.equal(faults.seen.filter((kind) => kind === "database_unwritable").length, 1);
});

test("when the journal waits past its limit new intents are refused until the database takes rows again", async (context) => {
  const faults = faultLog();
  const store = await open(context, {
    busyTimeoutMs: 20,
    foldDelayMs: 1,
    spoolLimitBytes: 2_000,
    onFault: faults.onFault,
  });
  const other = new Sqlite(join(store.dataDir, "relay.db"));
  context.after(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  let taken = 0;
  await assert.rejects(async () => {
    for (; ; taken++) {
      await store.ledger.open(sampleIntent(taken));
    }
  }, isUnavailable);
  assert.ok(taken > 0);
  for (let number = 0; number < taken; number++) {
    store.ledger.close(sampleOutcome(number));
  }
  other.exec("ROLLBACK");
  const { data } = await store.usage.rows({ limit: 100 });
  assert.equal(data.length, taken);
  await store.ledger.open(sampleIntent(1_000));
});
