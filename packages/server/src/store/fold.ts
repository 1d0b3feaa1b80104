import type { Statement } from "better-sqlite3";
import { isConstraintFailure, type SqliteDatabase } from "./database.ts";
import { type OnFault, reason } from "./faults.ts";
import { type JournalLine, parseLine } from "./journal-line.ts";
import { LedgerInsert } from "./ledger-insert.ts";
import { diedRow, endedRow } from "./ledger-row.ts";
import { OpenRequests } from "./open-requests.ts";
import { SegmentReader } from "./segment-reader.ts";
import { releaseSegments } from "./segment-release.ts";
import { isBefore, listSegments, type Position, segmentPath } from "./segments.ts";

/**
 * Folds the journal into the tables, exactly once: the rows of a chunk and the checkpoint behind it are one
 * transaction, and a row that is there already stays as it is. Memory changes only after the commit, so a
 * chunk that failed (disk full) is simply folded again.
 */
export class Fold {
  readonly #db: SqliteDatabase;
  readonly #directory: string;
  readonly #onFault: OnFault;
  readonly #open: OpenRequests;
  readonly #reader: SegmentReader;
  readonly #insert: LedgerInsert;
  readonly #exists: Statement<[string]>;
  readonly #moveCheckpoint: Statement<[number, number]>;
  #checkpoint: Position;

  /** Takes up where the database says the last fold ended. */
  constructor(db: SqliteDatabase, directory: string, onFault: OnFault) {
    this.#db = db;
    this.#directory = directory;
    this.#onFault = onFault;
    this.#insert = new LedgerInsert(db);
    this.#exists = db.prepare<[string]>("SELECT 1 FROM requests WHERE id = ?").pluck();
    this.#moveCheckpoint = db.prepare(
      "INSERT INTO journal_checkpoint (id, segment, offset_bytes) VALUES (1, ?, ?) " +
        "ON CONFLICT (id) DO UPDATE SET segment = excluded.segment, offset_bytes = excluded.offset_bytes",
    );
    this.#checkpoint = readCheckpoint(db);
    this.#open = new OpenRequests(db);
    this.#reader = new SegmentReader(directory);
    this.#recollect();
    this.#release();
  }

  get checkpoint(): Position {
    return this.#checkpoint;
  }

  /** Folds everything before `target`. @throws SqliteError or an I/O error; calling again goes on from there. */
  foldTo(target: Position): void {
    while (this.foldSome(target)) {}
  }

  /** Folds one chunk. Gives false when nothing before `target` is left. */
  foldSome(target: Position): boolean {
    if (!isBefore(this.#checkpoint, target)) {
      return false;
    }
    const { segment, offset } = this.#checkpoint;
    const sealed = segment < target.segment;
    const end = sealed ? this.#reader.size(segment) : target.offset;
    if (end === null) {
      this.#missing(segment, sealed ? segment + 1 : segment, target);
    } else if (offset >= end && sealed) {
      this.#leaveSegment(segment);
    } else {
      this.#foldChunk(segment, offset, end, sealed);
    }
    return isBefore(this.#checkpoint, target);
  }

  /**
   * At start: folds what the last process left behind and makes a row of every request it never ended.
   * @returns the number for the next journal's first segment, and how many rows were recovered.
   */
  recover(): Readonly<{ nextSegment: number; recovered: number }> {
    const last = listSegments(this.#directory).at(-1) ?? 0;
    const nextSegment = Math.max(last + 1, this.#checkpoint.segment, 1);
    this.foldTo({ segment: nextSegment, offset: 0 });
    const died = [...this.#open.all()];
    this.#db.transaction(() => {
      for (const { intent, progress } of died) {
        this.#insertRow(diedRow(intent, progress));
      }
      this.#open.forgetCarried();
      this.#moveCheckpoint.run(nextSegment, 0);
    })();
    this.#checkpoint = { segment: nextSegment, offset: 0 };
    this.#open.clear();
    this.#release();
    return { nextSegment, recovered: died.length };
  }

  /** Writes the checkpoint again: the cheapest proof that the database takes writes. */
  probe(): void {
    this.#moveCheckpoint.run(this.#checkpoint.segment, this.#checkpoint.offset);
  }

  close(): void {
    this.#reader.close();
  }

  #foldChunk(segment: number, offset: number, end: number, sealed: boolean): void {
    const chunk = this.#reader.read(segment, offset, end, sealed);
    if (chunk === null) {
      this.#missing(segment, segment, { segment, offset: end });
      return;
    }
    const closed: string[] = [];
    let skipped = 0;
    this.#db.transaction(() => {
      for (const text of chunk.lines) {
        if (text === "") {
          continue;
        }
        const line = parseLine(text);
        if (line === null || !this.#foldLine(line, closed)) {
          skipped++;
        }
      }
      this.#open.forgetCarried(closed);
      this.#moveCheckpoint.run(segment, chunk.end);
    })();
    this.#checkpoint = { segment, offset: chunk.end };
    this.#open.remove(closed);
    if (skipped > 0) {
      this.#skipped(skipped, segment, offset);
    }
  }

  /** Gives false for a line that is whole but fits nothing. */
  #foldLine(line: JournalLine, closed: string[]): boolean {
    const [kind, id] = line;
    switch (kind) {
      case "o1":
        this.#open.add(line);
        return true;
      case "p1":
        this.#open.mark(line);
        return true;
      case "v1":
        closed.push(id);
        return true;
      default:
        return this.#foldOutcome(line, closed);
    }
  }

  #foldOutcome(outcome: JournalLine, closed: string[]): boolean {
    const [, id] = outcome;
    const request = this.#open.get(id);
    if (request === undefined) {
      return this.#exists.get(id) !== undefined;
    }
    closed.push(id);
    return this.#insertRow(endedRow(request.intent, outcome));
  }

  /** One bad row must not hold up all others; a full disk must. */
  #insertRow(row: unknown[]): boolean {
    try {
      this.#insert.run(row);
      return true;
    } catch (error) {
      if (isConstraintFailure(error) || error instanceof TypeError || error instanceof RangeError) {
        return false;
      }
      throw error;
    }
  }

  /** Requests still open move into a table with the checkpoint, so that the segment's file can go. */
  #leaveSegment(segment: number): void {
    const next = { segment: segment + 1, offset: 0 };
    const carried = this.#open.toCarry();
    this.#db.transaction(() => {
      this.#open.carry(carried);
      this.#moveCheckpoint.run(next.segment, next.offset);
    })();
    this.#open.carried(carried);
    this.#checkpoint = next;
    this.#release();
  }

  #missing(segment: number, nextSegment: number, target: Position): void {
    const path = segmentPath(this.#directory, segment);
    this.#onFault({ kind: "lines_skipped", message: `Journal segment ${path} is missing` });
    const offset = nextSegment === segment ? target.offset : 0;
    this.#moveCheckpoint.run(nextSegment, offset);
    this.#checkpoint = { segment: nextSegment, offset };
  }

  #skipped(count: number, segment: number, offset: number): void {
    const path = segmentPath(this.#directory, segment);
    const message = `${count} unreadable lines in ${path} after byte ${offset} were skipped`;
    this.#onFault({ kind: "lines_skipped", message });
  }

  /** The lines of this segment that are folded already are read for what they left open. */
  #recollect(): void {
    const { segment, offset } = this.#checkpoint;
    for (let from = 0; from < offset; ) {
      const chunk = this.#reader.read(segment, from, offset, true);
      if (chunk === null) {
        return;
      }
      for (const text of chunk.lines) {
        const line = parseLine(text);
        if (line?.[0] === "o1") {
          this.#open.add(line);
        } else if (line?.[0] === "p1") {
          this.#open.mark(line);
        } else if (line !== null) {
          this.#open.remove([line[1]]);
        }
      }
      from = chunk.end;
    }
  }

  #release(): void {
    try {
      releaseSegments(this.#db, this.#directory, this.#checkpoint.segment);
    } catch (error) {
      // Kept, and tried again with the next segment or at the next start.
      this.#onFault({ kind: "segment_kept", message: reason(error) });
    }
  }
}

const readCheckpoint = (db: SqliteDatabase): Position => {
  const row = db
    .prepare<[], Position>(
      'SELECT segment, offset_bytes AS "offset" FROM journal_checkpoint WHERE id = 1',
    )
    .get();
  return row ?? { segment: 1, offset: 0 };
};
