import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { DeviceId, ModelId } from "@claude-relay/contract";
import { Refusal } from "../pipeline/refusal.ts";
import type { StoreFault } from "./faults.ts";
import { Journal } from "./journal.ts";
import { type FileCalls, systemCalls } from "./journal-file.ts";
import { parseLine } from "./journal-line.ts";
import type { JournalOptions } from "./journal-options.ts";
import { ensureJournalDirectory } from "./segments.ts";
import { sampleIntent, sampleOutcome, sampleProgress } from "./testing/samples.ts";
import { tempDir } from "./testing/temp-dir.ts";

type Setup = Readonly<{ journal: Journal; directory: string; faults: StoreFault[] }>;

const setUp = (context: TestContext, changes: Partial<JournalOptions> = {}): Setup => {
  const directory = ensureJournalDirectory(tempDir(context));
  const faults: StoreFault[] = [];
  const journal = new Journal({
    directory,
    firstSegment: 1,
    sync: "none",
    segmentBytes: 1024 * 1024,
    spoolLimitBytes: 1024 * 1024,
    onFault: (fault) => faults.push(fault),
    onWritten: () => undefined,
    ...changes,
  });
  return { journal, directory, faults };
};

const linesOf = (directory: string): string[] =>
  readdirSync(directory)
    .sort()
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"))
    .filter((line) => line !== "");

const kindsAndIds = (directory: string): string[] =>
  linesOf(directory).map((line) => {
    const parsed = parseLine(line);
    return parsed === null ? `torn ${line}` : `${parsed[0]} ${Number(parsed[1].slice(4))}`;
  });

const errno = (code: string): Error => Object.assign(new Error(`${code}: planted`), { code });

const isUnavailable = (error: unknown): boolean =>
  error instanceof Refusal &&
  error.code === "storage_unavailable" &&
  error.details.retryAfterSeconds === 5;

test("an intent is in the file when open resolves", async (context) => {
  const { journal, directory } = setUp(context);
  await journal.open(sampleIntent(1));
  assert.deepEqual(kindsAndIds(directory), ["o1 1"]);
  await journal.end();
});

test("everything queued in one turn of the event loop is one write", async (context) => {
  let writes = 0;
  const write: FileCalls["write"] = (...call) => {
    writes++;
    return systemCalls.write(...call);
  };
  const { journal, directory } = setUp(context, { calls: { ...systemCalls, write } });
  await Promise.all([1, 2, 3].map((number) => journal.open(sampleIntent(number))));
  assert.equal(writes, 1);
  journal.progress(sampleProgress(1, 5));
  journal.close(sampleOutcome(1));
  await journal.open(sampleIntent(4));
  assert.equal(writes, 2);
  assert.deepEqual(kindsAndIds(directory), ["o1 1", "o1 2", "o1 3", "o1 4", "p1 1", "c1 1"]);
  await journal.end();
});

test("a write that takes only some of the bytes is continued", async (context) => {
  const write: FileCalls["write"] = (fd, bytes, offset, length, position) =>
    systemCalls.write(fd, bytes, offset, Math.min(length, 7), position);
  const { journal, directory } = setUp(context, { calls: { ...systemCalls, write } });
  await Promise.all([journal.open(sampleIntent(1)), journal.open(sampleIntent(2))]);
  assert.deepEqual(kindsAndIds(directory), ["o1 1", "o1 2"]);
  await journal.end();
});

for (const truncates of [true, false]) {
  test(`a full disk refuses every intent of the group and heals without a restart${truncates ? "" : ", even where the torn tail could not be cut at once"}`, async (context) => {
    let full = false;
    const calls: FileCalls = {
      ...systemCalls,
      write: (fd, bytes, offset, length, position) => {
        if (!full) {
          return systemCalls.write(fd, bytes, offset, length, position);
        }
        if (offset > 0) {
          throw errno("ENOSPC");
        }
        return systemCalls.write(fd, bytes, offset, 30, position);
      },
      truncate: (fd, length) => {
        if (full && !truncates) {
          throw errno("EIO");
        }
        systemCalls.truncate(fd, length);
      },
    };
    const { journal, directory, faults } = setUp(context, { calls });
    await journal.open(sampleIntent(1));
    full = true;
    journal.close(sampleOutcome(1));
    const refused = [journal.open(sampleIntent(2)), journal.open(sampleIntent(3))];
    for (const open of refused) {
      await assert.rejects(open, isUnavailable);
    }
    if (truncates) {
      assert.deepEqual(kindsAndIds(directory), ["o1 1"]);
    }
    assert.equal(journal.healthy, false);
    await assert.rejects(journal.open(sampleIntent(4)), isUnavailable);
    full = false;
    await journal.open(sampleIntent(5));
    assert.equal(journal.healthy, true);
    assert.deepEqual(kindsAndIds(directory), ["o1 1", "c1 1", "o1 5"]);
    assert.deepEqual(
      faults.map((fault) => fault.kind),
      ["journal_unwritable", "journal_healed"],
    );
    await journal.end();
  });
}

test("a journal that cannot be written heals by itself, without new work", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let full = true;
  const write: FileCalls["write"] = (...call) => {
    if (full) {
      throw errno("ENOSPC");
    }
    return systemCalls.write(...call);
  };
  const { journal, directory } = setUp(context, { calls: { ...systemCalls, write } });
  await assert.rejects(journal.open(sampleIntent(1)), isUnavailable);
  full = false;
  assert.equal(journal.healthy, false);
  context.mock.timers.tick(1_000);
  assert.equal(journal.healthy, true);
  assert.deepEqual(kindsAndIds(directory), []);
  await journal.end();
});

test("a journal longer than its spool limit refuses new intents but keeps outcomes", async (context) => {
  const { journal, directory } = setUp(context, { spoolLimitBytes: 100 });
  await journal.open(sampleIntent(1));
  await assert.rejects(journal.open(sampleIntent(2)), isUnavailable);
  assert.equal(journal.healthy, false);
  journal.close(sampleOutcome(1));
  await journal.flushed();
  assert.deepEqual(kindsAndIds(directory), ["o1 1", "c1 1"]);
  journal.foldedTo(journal.position);
  await journal.open(sampleIntent(3));
  await journal.end();
});

test("a segment at its length is followed by the next, both for the owner only", async (context) => {
  const { journal, directory } = setUp(context, { segmentBytes: 300 });
  for (const number of [1, 2, 3]) {
    await journal.open(sampleIntent(number));
  }
  assert.deepEqual(readdirSync(directory).sort(), ["journal-000001.jsonl", "journal-000002.jsonl"]);
  assert.equal(statSync(join(directory, "journal-000002.jsonl")).mode & 0o777, 0o600);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.deepEqual(kindsAndIds(directory), ["o1 1", "o1 2", "o1 3"]);
  await journal.end();
});

test("a segment that cannot be followed by the next stays in use", async (context) => {
  let opened = 0;
  const open: FileCalls["open"] = (path) => {
    if (opened++ > 0) {
      throw errno("EMFILE");
    }
    return systemCalls.open(path);
  };
  const { journal, directory, faults } = setUp(context, {
    segmentBytes: 300,
    calls: { ...systemCalls, open },
  });
  for (const number of [1, 2, 3]) {
    await journal.open(sampleIntent(number));
  }
  assert.deepEqual(kindsAndIds(directory), ["o1 1", "o1 2", "o1 3"]);
  assert.equal(faults[0]?.kind, "segment_kept");
  await journal.end();
});

test("with full sync, open waits for fdatasync and groups share one", async (context) => {
  const syncs: ((error: Error | null) => void)[] = [];
  const sync: FileCalls["sync"] = (_fd, done) => syncs.push(done);
  const { journal } = setUp(context, { sync: "full", calls: { ...systemCalls, sync } });
  const order: string[] = [];
  const first = journal.open(sampleIntent(1)).then(() => order.push("first"));
  journal.flushNow();
  const second = journal.open(sampleIntent(2)).then(() => order.push("second"));
  journal.flushNow();
  const third = journal.open(sampleIntent(3)).then(() => order.push("third"));
  journal.flushNow();
  assert.equal(syncs.length, 1);
  assert.deepEqual(order, []);
  syncs[0]!(null);
  await first;
  assert.deepEqual(order, ["first"]);
  assert.equal(syncs.length, 2);
  syncs[1]!(null);
  await Promise.all([second, third]);
  assert.equal(syncs.length, 2);
});

test("a failed fdatasync refuses and takes back the intents, and writes outcomes again in a new segment", async (context) => {
  let broken = false;
  const sync: FileCalls["sync"] = (fd, done) =>
    broken ? void setImmediate(done, errno("EIO")) : systemCalls.sync(fd, done);
  const { journal, directory } = setUp(context, { sync: "full", calls: { ...systemCalls, sync } });
  await journal.open(sampleIntent(1));
  broken = true;
  journal.close(sampleOutcome(1));
  await assert.rejects(journal.open(sampleIntent(2)), isUnavailable);
  broken = false;
  await journal.open(sampleIntent(3));
  const second = readFileSync(join(directory, "journal-000002.jsonl"), "utf8");
  const kinds = second
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).slice(0, 2));
  assert.deepEqual(
    kinds.map(([kind, id]) => `${kind} ${Number(id.slice(4))}`),
    ["v1 2", "c1 1", "o1 3"],
  );
  await journal.end();
});

test("whatever callers put into their names, a line stays one line and says the same", async (context) => {
  const nasty = 'a"b\\c\nd\u0000e\u2028f\ud800g, "x": ]' as DeviceId;
  const { journal, directory } = setUp(context);
  await journal.open(
    sampleIntent(1, { callerId: nasty, model: "é漢" as ModelId, sessionId: "x".repeat(10_000) }),
  );
  journal.close(sampleOutcome(1, { durationMs: Number.NaN, firstByteMs: 1.5 }));
  await journal.end();
  const [intent, outcome] = linesOf(directory).map(parseLine);
  assert.equal(intent?.[5], nasty);
  assert.equal(intent?.[9], "é漢");
  assert.equal(intent?.[8], "x".repeat(512));
  assert.equal(outcome?.[5], 0);
  assert.equal(outcome?.[6], 2);
});

test("an outcome after the end is reported lost, not thrown", async (context) => {
  const { journal, faults } = setUp(context);
  await journal.open(sampleIntent(1));
  await journal.end();
  journal.close(sampleOutcome(1));
  journal.flushNow();
  assert.deepEqual(
    faults.map((fault) => fault.kind),
    ["outcome_lost"],
  );
  await assert.rejects(journal.open(sampleIntent(2)), isUnavailable);
});

test("a segment that somebody removed is left at once for a new one, and the loss is told", async (context) => {
  const { journal, directory, faults } = setUp(context, { lookEveryMs: 0 });
  await journal.open(sampleIntent(1));
  for (const name of readdirSync(directory)) {
    rmSync(join(directory, name));
  }
  await journal.open(sampleIntent(2));
  journal.close(sampleOutcome(2));
  await journal.end();
  assert.deepEqual(kindsAndIds(directory), ["o1 2", "c1 2"]);
  assert.deepEqual(
    faults.map((fault) => fault.kind),
    ["outcome_lost"],
  );
});

test("without a place for a new segment, new work is refused", async (context) => {
  const { journal, directory } = setUp(context, { lookEveryMs: 0 });
  await journal.open(sampleIntent(1));
  rmSync(directory, { recursive: true });
  await assert.rejects(journal.open(sampleIntent(2)), isUnavailable);
  assert.equal(journal.healthy, false);
  mkdirSync(directory, { recursive: true });
  await journal.open(sampleIntent(3));
  assert.equal(journal.healthy, true);
  await journal.end();
});
