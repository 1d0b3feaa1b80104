import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import Sqlite from "better-sqlite3";
import { openDatabase } from "./database.ts";
import { type StartPlace, startFault } from "./start-fault.ts";
import { createStore } from "./store.ts";
import { tempDir } from "./testing/temp-dir.ts";

const system = (code: string, path?: string): Error =>
  Object.assign(new Error(`${code}: as the system says`), { code, ...(path && { path }) });

const told = (error: unknown, part: StartPlace["part"]): string =>
  startFault(error, { dataDir: "./data", part }).message;

/** A real one, as a full disk makes it. */
const sqliteFull = (): unknown => {
  const db = new Sqlite(":memory:");
  db.pragma("max_page_count = 2");
  try {
    db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))");
    return null;
  } catch (error) {
    return error;
  } finally {
    db.close();
  }
};

describe("a store that cannot start", () => {
  it("tells a full disk from a failing one, with the folder as configured", () => {
    for (const error of [system("ENOSPC"), system("EDQUOT"), sqliteFull()]) {
      assert.match(
        told(error, "relay.db"),
        /^The disk that holds DATA_DIR \(\.\/data\) is full \(.+\): make room and start again\./,
      );
    }
    for (const error of [system("EIO"), new Sqlite.SqliteError("x", "SQLITE_IOERR_WRITE")]) {
      assert.match(told(error, "journal"), /fails or is full \(.+\): check it/);
    }
  });

  it("names the file at fault and what to do with it", () => {
    const corrupt = new Sqlite.SqliteError("database disk image is malformed", "SQLITE_CORRUPT");
    assert.match(
      told(corrupt, "relay.db"),
      /^relay\.db in DATA_DIR .*Restore relay\.db from a backup/,
    );
    // Folding reads both, and only the error says which it was.
    assert.match(told(corrupt, "journal"), /^relay\.db in DATA_DIR/);
    assert.match(told(corrupt, "instance.lock"), /^instance\.lock .*delete it and start again/);
    assert.match(
      told(system("EACCES", "data/journal/journal-000007.jsonl"), "journal"),
      /^journal\/journal-000007\.jsonl in DATA_DIR .*Mend its owner or mode/,
    );
    assert.match(told(system("EISDIR"), "journal"), /^A file of the journal in DATA_DIR/);
    assert.match(
      told(new Sqlite.SqliteError("database is locked", "SQLITE_BUSY"), "relay.db"),
      /^relay\.db .* is held by another program .*let it finish or stop it/,
    );
  });

  it("looks behind a failed migration, and leaves alone what has its own words", () => {
    const failed = new Error("Migration 0001-initial failed", { cause: system("ENOSPC") });
    assert.match(told(failed, "relay.db"), /is full/);
    assert.equal(
      told(new Error("Another claude-relay is running"), "relay.db"),
      "Another claude-relay is running",
    );
    assert.equal(told("thrown text", "journal"), "thrown text");
  });
});

describe("a damaged database", () => {
  it("is refused and left as it is", async (t) => {
    for (const damage of ["all of it", "one page"] as const) {
      const dataDir = tempDir(t);
      const file = join(dataDir, "relay.db");
      (await openDatabase({ dataDir, durable: false, busyTimeoutMs: 0 })).close();
      const bytes = readFileSync(file);
      bytes.fill(0xa5, damage === "all of it" ? 0 : 3 * 4096, 4 * 4096);
      writeFileSync(file, bytes);
      await assert.rejects(createStore({ dataDir }), (error: Error) => {
        assert.ok(
          error.message.startsWith(
            `relay.db in DATA_DIR (${dataDir}) is damaged or no database of ours (`,
          ),
          error.message,
        );
        return true;
      });
      assert.deepEqual(readFileSync(file), bytes);
    }
  });

  it("that is the journal's unreadable file keeps the others", async (t) => {
    const dataDir = tempDir(t);
    const journal = join(dataDir, "journal");
    mkdirSync(join(journal, "journal-000001.jsonl"), { recursive: true });
    writeFileSync(join(journal, "journal-000002.jsonl"), "");
    await assert.rejects(createStore({ dataDir }), /A file of the journal in DATA_DIR/);
    assert.deepEqual(readdirSync(journal), ["journal-000001.jsonl", "journal-000002.jsonl"]);
  });
});
