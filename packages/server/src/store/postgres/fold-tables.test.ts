import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import { sql } from "kysely";
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
  type TestDatabase,
} from "../../../../../test/harness/postgres.ts";
import { type Backend, CheckpointMoved, type FoldBatch } from "../backend.ts";
import { Fold } from "../fold.ts";
import { encodeIntent, encodeOutcome, type JournalLine, parseLine } from "../journal-line.ts";
import { endedRow } from "../ledger-row.ts";
import { ensureJournalDirectory, type Position, segmentPath } from "../segments.ts";
import { requestId, sampleIntent, sampleOutcome } from "../testing/samples.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { openPostgresBackend } from "./backend.ts";

const opened = (number: number): string => encodeIntent(sampleIntent(number));
const closed = (number: number): string => encodeOutcome(sampleOutcome(number));

const lineOf = (text: string): JournalLine => parseLine(text) ?? assert.fail(text);

const empty: FoldBatch = {
  rows: [],
  audit: [],
  orphans: [],
  carry: [],
  forget: [],
  from: { segment: 1, offset: 0 },
  to: { segment: 1, offset: 0 },
};

/** Stands between the relay and Postgres; told to, it lets a statement pass and swallows its answer. */
const startProxy = async (context: TestContext, port: number) => {
  const state = { losesNextAnswer: false, lost: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    sockets.add(client).add(upstream);
    client.pipe(upstream);
    upstream.on("data", (answer) => {
      if (state.losesNextAnswer) {
        state.losesNextAnswer = false;
        state.lost++;
        client.destroy();
        upstream.destroy();
      } else {
        client.write(answer);
      }
    });
    for (const socket of [client, upstream]) {
      socket.on("error", () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  const address = server.address();
  return { state, port: typeof address === "object" && address !== null ? address.port : 0 };
};

describe("folding into Postgres", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.remove());

  const setUp = async (context: TestContext, port?: number) => {
    const dataDir = tempDir(context);
    const database: TestDatabase = await server.createDatabase();
    const address = { ...database.address, ...(port !== undefined && { port }) };
    const backend: Backend = await openPostgresBackend(address, dataDir);
    context.after(() => backend.close());
    const directory = ensureJournalDirectory(dataDir);
    const faults: string[] = [];
    const fold = await Fold.open(backend.folding, directory, ({ message }) => faults.push(message));
    const write = (text: string): Position => {
      const path = segmentPath(directory, 1);
      writeFileSync(path, text, { flag: "a" });
      return { segment: 1, offset: statSync(path).size };
    };
    const ids = async () =>
      (await server.query(database.name, "select id from requests order by id")).map(
        ({ id }) => id,
      );
    return { backend, database, fold, write, ids, faults };
  };

  test("a commit whose answer was lost is neither missing nor doubled", async (context) => {
    const proxy = await startProxy(context, server.port);
    const { fold, write, ids, faults } = await setUp(context, proxy.port);
    await fold.foldTo(write(opened(1) + closed(1) + opened(2)));
    const end = write(closed(2) + opened(3) + closed(3));
    proxy.state.losesNextAnswer = true;
    await assert.rejects(fold.foldTo(end), /Connection terminated|ECONNRESET/);
    assert.equal(proxy.state.lost, 1);
    await fold.foldTo(write(opened(4) + closed(4)));
    assert.deepEqual(await ids(), [1, 2, 3, 4].map(requestId));
    assert.deepEqual(faults, []);
  });

  test("a statement that the server carries out late does nothing", async (context) => {
    const { backend, fold, write, ids } = await setUp(context);
    const late: FoldBatch = {
      ...empty,
      rows: [endedRow(lineOf(opened(9)), lineOf(closed(9)))],
      to: { segment: 1, offset: 7 },
    };
    await fold.foldTo(write(opened(1) + closed(1)));
    const at = await backend.folding.checkpoint();
    await assert.rejects(async () => backend.folding.commit(late), CheckpointMoved);
    assert.deepEqual(await backend.folding.checkpoint(), at);
    assert.deepEqual(await ids(), [requestId(1)]);
  });

  test("a database that was set back gets again what it lost, from the journal", async (context) => {
    const { database, fold, write, ids } = await setUp(context);
    await fold.foldTo(write(opened(1) + closed(1) + opened(2)));
    const snapshot = await server.query(database.name, "select * from journal_checkpoint");
    await fold.foldTo(write(closed(2) + opened(3)));
    await fold.foldTo(write(closed(3)));
    const { segment, offset_bytes } = snapshot[0] ?? {};
    await server.query(
      database.name,
      `update journal_checkpoint set segment = ${segment}, offset_bytes = ${offset_bytes}; ` +
        `delete from requests where id <> '${requestId(1)}'`,
    );
    await fold.foldTo(write(opened(4) + closed(4)));
    assert.deepEqual(await ids(), [1, 2, 3, 4].map(requestId));
  });

  test("values that Postgres cannot hold are made to fit, and hold up no other row", async (context) => {
    const { database, fold, write, ids } = await setUp(context);
    const odd = (number: number, model: string, outputTokens: number) => {
      const { usage } = sampleOutcome(number);
      return (
        encodeIntent({ ...sampleIntent(number), model: model as never }) +
        encodeOutcome(sampleOutcome(number, { usage: { ...usage, outputTokens } }))
      );
    };
    await fold.foldTo(
      write(
        opened(1) +
          odd(2, "nul\0l", 5) +
          odd(3, "half \ud83d", 5) +
          closed(1) +
          odd(4, "big", 1e300),
      ),
    );
    assert.deepEqual(await ids(), [1, 2, 3, 4].map(requestId));
    const rows = await server.query(
      database.name,
      "select model, output_tokens from requests order by id offset 1",
    );
    assert.deepEqual(rows, [
      { model: "nul\uFFFDl", output_tokens: "5" },
      { model: "half \uFFFD", output_tokens: "5" },
      { model: "big", output_tokens: String(Number.MAX_SAFE_INTEGER) },
    ]);
  });

  test("a row that no table can hold is told and passed over", async (context) => {
    const { fold, write, ids, faults } = await setUp(context);
    const broken = opened(2).replace('"anthropic"', "null");
    await fold.foldTo(write(opened(1) + broken + closed(1) + closed(2) + opened(3) + closed(3)));
    assert.deepEqual(await ids(), [1, 3].map(requestId));
    assert.match(faults[0] ?? "", /^1 unreadable/);
  });

  test("a server that promises less than the disk is made to promise it", async (context) => {
    const { database } = await setUp(context);
    await server.query("postgres", `alter database ${database.name} set synchronous_commit = off`);
    const backend = await openPostgresBackend(database.address, tempDir(context));
    context.after(() => backend.close());
    const { rows } = await sql<{ now: string }>`
      select current_setting('synchronous_commit') as now
    `.execute(backend.db);
    assert.deepEqual(rows, [{ now: "on" }]);
  });
});
