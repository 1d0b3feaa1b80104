import assert from "node:assert/strict";
import { appendFileSync, existsSync, statSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { createAuditLog } from "./audit.ts";
import type { Backend } from "./backend.ts";
import { openDatabase } from "./database.ts";
import type { StoreFault } from "./faults.ts";
import { Fold } from "./fold.ts";
import {
  encodeAudit,
  encodeIntent,
  encodeOutcome,
  encodeProgress,
  encodeVoid,
} from "./journal-line.ts";
import { ensureJournalDirectory, listSegments, type Position, segmentPath } from "./segments.ts";
import { sqliteBackend } from "./sqlite-backend.ts";
import { onEachDatabase, openAt, type TestedDatabase } from "./testing/databases.ts";
import { noon, requestId, sampleIntent, sampleOutcome, sampleProgress } from "./testing/samples.ts";
import { tempDir } from "./testing/temp-dir.ts";

type Setup = Readonly<{ backend: Backend; directory: string; faults: StoreFault[] }>;

const setUp = async (context: TestContext, database: TestedDatabase): Promise<Setup> => {
  const place = await database.newPlace(context);
  const backend = await openAt(context, place);
  return { backend, directory: ensureJournalDirectory(place.dataDir), faults: [] };
};

const newFold = ({ backend, directory, faults }: Setup): Promise<Fold> =>
  Fold.open(backend.folding, directory, (fault) => faults.push(fault));

const foldTo = async (setup: Setup, target: Position): Promise<void> =>
  (await newFold(setup)).foldTo(target);

const recover = async (setup: Setup) => (await newFold(setup)).recover();

/** Writes a segment and gives the position behind it. */
const write = (setup: Setup, segment: number, text: string): Position => {
  const path = segmentPath(setup.directory, segment);
  appendFileSync(path, text);
  return { segment, offset: statSync(path).size };
};

type Row = Readonly<Record<string, unknown>>;
const rowsOf = ({ backend }: Setup): Promise<Row[]> =>
  backend.db.selectFrom("requests").selectAll().orderBy("id").execute();
const endingsOf = async (setup: Setup): Promise<string[]> =>
  (await rowsOf(setup)).map((row) => `${Number(String(row["id"]).slice(4))} ${row["ending"]}`);

const opened = (number: number): string => encodeIntent(sampleIntent(number));
const marked = (number: number): string => encodeProgress(sampleProgress(number, 77));
const closed = (number: number): string => encodeOutcome(sampleOutcome(number));

type Step = Readonly<{ kind: "open" | "progress" | "close" | "rotate" | "fold"; number: number }>;

/** Lays the steps out over segments; gives the ids whose intent is in the journal. */
const play = async (setup: Setup, steps: readonly Step[]): Promise<Set<number>> => {
  const present = new Set<number>();
  let fold = await newFold(setup);
  let segment = fold.checkpoint.segment;
  writeFileSync(segmentPath(setup.directory, segment), "");
  for (const { kind, number } of steps) {
    if (kind === "open") {
      write(setup, segment, opened(number));
      present.add(number);
    } else if (kind === "progress") {
      write(setup, segment, marked(number));
    } else if (kind === "close") {
      write(setup, segment, closed(number));
    } else if (kind === "rotate") {
      writeFileSync(segmentPath(setup.directory, ++segment), "");
    } else {
      await fold.foldTo({ segment, offset: statSync(segmentPath(setup.directory, segment)).size });
      // Half of the folds are followed by a worker that starts afresh.
      if (number % 2 === 0) {
        fold = await newFold(setup);
      }
    }
  }
  return present;
};

/** Complete when some outcome stands behind the intent. */
const expectedEnding = (steps: readonly Step[], number: number): string => {
  const own = steps.filter((step) => step.number === number).map((step) => step.kind);
  return own.indexOf("open") < own.lastIndexOf("close") ? "complete" : "process_died";
};

onEachDatabase((database) => {
  test("an audit entry that waited in the journal is kept once, however often folding begins again", async (context) => {
    const setup = await setUp(context, database);
    const entry = {
      at: noon,
      actor: "admin",
      action: "device.revoke",
      subject: requestId(1),
      outcome: "ok",
      detail: { text: "x".repeat(2_000) },
      clientIp: "127.0.0.1",
    };
    await foldTo(setup, write(setup, 1, opened(1) + encodeAudit(entry)));
    await foldTo(setup, write(setup, 1, closed(1)));
    assert.equal((await recover(setup)).recovered, 0);
    const { data } = await createAuditLog(setup.backend.db).list({ limit: 10 });
    assert.deepEqual(data, [{ id: 1, ...entry }]);
    assert.deepEqual(await endingsOf(setup), ["1 complete"]);
  });

  test("an intent and its outcome become one row with every field in its column", async (context) => {
    const setup = await setUp(context, database);
    const iterations = [
      {
        model: null,
        inputTokens: 1,
        outputTokens: 2,
        cacheReadInputTokens: 3,
        cacheCreation5mInputTokens: 4,
        cacheCreation1hInputTokens: 5,
      },
    ];
    const outcome = sampleOutcome(1, {
      priceFlag: "unknown_model",
      errorType: "overloaded_error",
      usage: { ...sampleOutcome(1).usage, speed: "fast", iterations },
    });
    const end = write(setup, 1, opened(1) + encodeOutcome(outcome));
    await foldTo(setup, end);
    assert.deepEqual(await rowsOf(setup), [
      {
        id: requestId(1),
        started_at: 1_790_000_000_001,
        finished_at: 1_790_000_001_501,
        duration_ms: 1_500,
        first_byte_ms: 210,
        operation: "messages",
        caller_kind: "device",
        caller_id: "device-1234",
        user_id: "user-1",
        organization_id: "org-1",
        session_id: "0b8f7a52-5c1c-4f0e-9d0a-6a3f5f1f2a10",
        model: "claude-sonnet-4-5-20250929",
        response_model: "claude-sonnet-4-5-20250929",
        stream: 1,
        status: 200,
        accuracy: "measured",
        ending: "complete",
        error_type: "overloaded_error",
        input_tokens: 1_200,
        output_tokens: 345,
        cache_read_input_tokens: 20_000,
        cache_creation_5m_input_tokens: 512,
        cache_creation_1h_input_tokens: 64,
        web_search_requests: 1,
        web_fetch_requests: 2,
        service_tier: "standard",
        speed: "fast",
        inference_geo: "us",
        iterations: JSON.stringify(iterations),
        cost_micro_usd: 9_876,
        price_flag: "unknown_model",
        hold_micro_usd: 123_456,
        body_bytes: 2_048,
        upstream: "anthropic",
        upstream_request_id: "req_011CSHoEeqs5C35K2UUqR7Fy",
      },
    ]);
  });

  test("a request whose process died becomes an estimate from its fallback, or from its last progress", async (context) => {
    const setup = await setUp(context, database);
    const free = sampleIntent(3, { fallback: { ...sampleIntent(3).fallback, accuracy: "free" } });
    write(setup, 1, opened(1) + opened(2) + marked(2) + encodeIntent(free));
    const { recovered, nextSegment } = await recover(setup);
    assert.equal(recovered, 3);
    assert.equal(nextSegment, 2);
    const [first, second, third] = await rowsOf(setup);
    const shown = (row: Row | undefined) =>
      ["ending", "accuracy", "status", "input_tokens", "output_tokens", "cost_micro_usd"].map(
        (column) => row?.[column],
      );
    assert.deepEqual(shown(first), ["process_died", "estimated", null, 700, 0, 2_100]);
    assert.deepEqual(shown(second), ["process_died", "estimated", null, 1_200, 77, 1_077]);
    assert.deepEqual(shown(third), ["process_died", "free", null, 700, 0, 2_100]);
    assert.equal(second?.["service_tier"], "standard");
    assert.deepEqual(listSegments(setup.directory), []);
  });

  test("a torn last line is counted and skipped, and the lines before it fold", async (context) => {
    const setup = await setUp(context, database);
    write(setup, 1, `${opened(1)}${closed(1)}${opened(2)}${closed(2).slice(0, 40)}`);
    await recover(setup);
    assert.deepEqual(await endingsOf(setup), ["1 complete", "2 process_died"]);
    assert.equal(setup.faults.length, 1);
    assert.equal(setup.faults[0]?.kind, "lines_skipped");
    assert.match(setup.faults[0]?.message ?? "", /^1 unreadable lines in .*journal-000001/);
  });

  test("garbage between lines, as a power loss leaves it, stops nothing", async (context) => {
    const setup = await setUp(context, database);
    const garbage = [
      "\u0000".repeat(4_096),
      '["o1"]',
      "[]",
      '{"a":1}',
      '["zz","id"]',
      opened(9).trim().replace('"anthropic"', "null"),
      closed(4).trim().replace("200", '{"a":1}'),
    ].join("\n");
    write(setup, 1, `${opened(1)}${garbage}\n${closed(1)}${opened(2)}${closed(2)}${closed(9)}`);
    await recover(setup);
    assert.deepEqual(await endingsOf(setup), ["1 complete", "2 complete"]);
    assert.match(setup.faults[0]?.message ?? "", /^7 unreadable/);
  });

  test("a line longer than a chunk folds like any other", async (context) => {
    const setup = await setUp(context, database);
    const iteration = { ...sampleOutcome(1).usage, model: null };
    const usage = { ...sampleOutcome(1).usage, iterations: Array(9_000).fill(iteration) };
    const long = encodeOutcome(sampleOutcome(1, { usage }));
    assert.ok(long.length > 1024 * 1024);
    const end = write(setup, 1, opened(1) + opened(2) + long + closed(2));
    await foldTo(setup, end);
    assert.deepEqual(await endingsOf(setup), ["1 complete", "2 complete"]);
  });

  test("a request open past its segment's end is carried, and ends with what it had", async (context) => {
    const setup = await setUp(context, database);
    write(setup, 1, opened(1) + opened(2) + opened(3) + closed(3));
    const first = await newFold(setup);
    await first.foldTo(write(setup, 2, marked(1)));
    assert.equal(existsSync(segmentPath(setup.directory, 1)), false);
    await first.foldTo(write(setup, 3, opened(4)));
    // A new process, after the segments that held the intents are gone.
    const second = await newFold(setup);
    await second.foldTo(write(setup, 3, closed(2)));
    const stillOpen = await setup.backend.db.selectFrom("open_requests").select("id").execute();
    assert.deepEqual(stillOpen, [{ id: requestId(1) }]);
    const { recovered } = await recover(setup);
    assert.equal(recovered, 2);
    assert.deepEqual(await endingsOf(setup), [
      "1 process_died",
      "2 complete",
      "3 complete",
      "4 process_died",
    ]);
    assert.equal((await rowsOf(setup))[0]?.["output_tokens"], 77);
    const carried = setup.backend.db.selectFrom("open_requests").selectAll();
    assert.deepEqual(await carried.execute(), []);
    assert.deepEqual(setup.faults, []);
  });

  test("an intent that was taken back leaves no row", async (context) => {
    const setup = await setUp(context, database);
    write(setup, 1, opened(1) + encodeVoid(requestId(1)));
    assert.equal((await recover(setup)).recovered, 0);
    assert.deepEqual(await rowsOf(setup), []);
  });

  test("a segment somebody deleted is reported and passed over", async (context) => {
    const setup = await setUp(context, database);
    const fold = await newFold(setup);
    await fold.foldTo({ segment: 1, offset: 100 });
    await fold.foldTo(write(setup, 2, opened(2) + closed(2)));
    assert.deepEqual(await endingsOf(setup), ["2 complete"]);
    assert.equal(setup.faults[0]?.kind, "lines_skipped");
  });

  test("any interleaving, with a crash at any line, gives exactly one row per intent", async (context) => {
    const setup = await setUp(context, database);
    const step = fc.record({
      kind: fc.constantFrom<Step["kind"][]>(
        "open",
        "open",
        "close",
        "close",
        "progress",
        "rotate",
        "fold",
      ),
      number: fc.integer({ min: 1, max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(40), async (steps, crashAt) => {
        await setup.backend.db.deleteFrom("requests").execute();
        const before = steps.slice(0, crashAt);
        const ids = [...(await play(setup, before))].sort((a, b) => a - b);
        await recover(setup);
        const rows = await rowsOf(setup);
        assert.deepEqual(
          rows.map((row) => row["id"]),
          ids.map(requestId),
        );
        for (const row of rows) {
          assert.equal(row["ending"], expectedEnding(before, Number(String(row["id"]).slice(4))));
        }
      }),
      { numRuns: 300 },
    );
  });
});

test("a full SQLite file pauses folding with nothing half done, and goes on when there is room", async (context) => {
  const dataDir = tempDir(context);
  const sqlite = await openDatabase({ dataDir, durable: false, busyTimeoutMs: 100 });
  const backend = sqliteBackend(sqlite);
  context.after(() => backend.close());
  const setup = { backend, directory: ensureJournalDirectory(dataDir), faults: [] };
  const numbers = Array.from({ length: 2_000 }, (_, index) => index);
  const fold = await newFold(setup);
  await fold.foldTo(write(setup, 1, numbers.map(opened).join("")));
  const start = fold.checkpoint;
  const end = write(setup, 1, numbers.map(closed).join(""));
  const pages = Number(sqlite.pragma("page_count", { simple: true }));
  sqlite.pragma(`max_page_count = ${pages + 10}`);
  for (let attempt = 0; attempt < 3; attempt++) {
    await assert.rejects(fold.foldTo(end), { code: "SQLITE_FULL" });
    assert.deepEqual(await rowsOf(setup), []);
    assert.deepEqual(fold.checkpoint, start);
  }
  sqlite.pragma("max_page_count = 1000000");
  await fold.foldTo(end);
  assert.equal((await rowsOf(setup)).length, 2_000);
  assert.deepEqual(setup.faults, []);
});
