import { CheckpointMoved, type FoldBatch, type FoldTables } from "./backend.ts";
import { type OnFault, reason } from "./faults.ts";
import { auditValues, type JournalLine, parseLine } from "./journal-line.ts";
import { diedRow, endedRow } from "./ledger-row.ts";
import { OpenRequests } from "./open-requests.ts";
import { SegmentReader } from "./segment-reader.ts";
import { releaseSegments } from "./segment-release.ts";
import { isBefore, listSegments, type Position, segmentPath } from "./segments.ts";

/** What the lines of a chunk come to. */
type Folded = {
  rows: unknown[][];
  audit: unknown[][];
  closed: string[];
  orphans: string[];
  skipped: number;
};

/**
 * Folds the journal into the tables, exactly once: the rows of a chunk and the checkpoint behind it are one
 * transaction, and a row that is there already stays as it is. Memory forgets only after the commit, so a
 * chunk that failed (disk full, database away) is simply folded again.
 */
export class Fold {
  readonly #tables: FoldTables;
  readonly #directory: string;
  readonly #onFault: OnFault;
  readonly #open = new OpenRequests();
  readonly #reader: SegmentReader;
  #checkpoint: Position = { segment: 1, offset: 0 };

  /** Takes up where the database says the last fold ended. */
  static async open(tables: FoldTables, directory: string, onFault: OnFault): Promise<Fold> {
    const fold = new Fold(tables, directory, onFault);
    await fold.#load();
    await fold.#release();
    return fold;
  }

  private constructor(tables: FoldTables, directory: string, onFault: OnFault) {
    this.#tables = tables;
    this.#directory = directory;
    this.#onFault = onFault;
    this.#reader = new SegmentReader(directory);
  }

  get checkpoint(): Position {
    return this.#checkpoint;
  }

  /** Folds everything before `target`. @throws the database's error or an I/O error; calling again goes on from there. */
  async foldTo(target: Position): Promise<void> {
    while (await this.foldSome(target)) {}
  }

  /** Folds one chunk. Gives false when nothing before `target` is left. @throws as `foldTo` */
  async foldSome(target: Position): Promise<boolean> {
    if (!isBefore(this.#checkpoint, target)) {
      return false;
    }
    const { segment, offset } = this.#checkpoint;
    const sealed = segment < target.segment;
    const end = sealed ? this.#reader.size(segment) : target.offset;
    if (end === null) {
      await this.#missing(segment, sealed ? segment + 1 : segment, target);
    } else if (offset >= end && sealed) {
      await this.#leaveSegment(segment);
    } else {
      await this.#foldChunk(segment, offset, end, sealed);
    }
    return isBefore(this.#checkpoint, target);
  }

  /**
   * At start: folds what the last process left behind and makes a row of every request it never ended.
   * @returns the number for the next journal's first segment, and how many rows were recovered.
   */
  async recover(): Promise<Readonly<{ nextSegment: number; recovered: number }>> {
    const last = listSegments(this.#directory).at(-1) ?? 0;
    const nextSegment = Math.max(last + 1, this.#checkpoint.segment, 1);
    const to = { segment: nextSegment, offset: 0 };
    const recovered = await this.#buryOpen(to);
    this.#open.clear();
    await this.#release();
    return { nextSegment, recovered };
  }

  /** Writes the checkpoint again: the cheapest proof that the database takes writes. */
  async probe(): Promise<void> {
    await this.#commit({ to: this.#checkpoint });
  }

  close(): void {
    this.#reader.close();
  }

  /** Gives how many requests were open. */
  async #buryOpen(to: Position): Promise<number> {
    for (;;) {
      await this.foldTo(to);
      const died = [...this.#open.all()];
      const rows = died.map(({ intent, progress }) => diedRow(intent, progress));
      if ((await this.#commit({ rows, forget: "all", to })) !== null) {
        return died.length;
      }
    }
  }

  async #foldChunk(segment: number, offset: number, end: number, sealed: boolean): Promise<void> {
    const chunk = this.#reader.read(segment, offset, end, sealed);
    if (chunk === null) {
      await this.#missing(segment, segment, { segment, offset: end });
      return;
    }
    const { closed, skipped, ...kept } = this.#foldLines(chunk.lines);
    const forget = this.#open.writtenDown(closed);
    const unfit = await this.#commit({ ...kept, forget, to: { segment, offset: chunk.end } });
    if (unfit === null) {
      return;
    }
    this.#open.remove(closed);
    if (skipped + unfit > 0) {
      this.#skipped(skipped + unfit, segment, offset);
    }
  }

  #foldLines(lines: readonly string[]): Folded {
    const folded: Folded = { rows: [], audit: [], closed: [], orphans: [], skipped: 0 };
    for (const text of lines) {
      if (text === "") {
        continue;
      }
      const line = parseLine(text);
      if (line === null) {
        folded.skipped++;
      } else {
        this.#foldLine(line, folded);
      }
    }
    return folded;
  }

  #foldLine(line: JournalLine, folded: Folded): void {
    const [kind, id] = line;
    switch (kind) {
      case "o1":
        this.#open.add(line);
        return;
      case "p1":
        this.#open.mark(line);
        return;
      case "v1":
        folded.closed.push(id);
        return;
      case "a1":
        folded.audit.push(auditValues(line));
        return;
      default:
        this.#foldOutcome(line, folded);
    }
  }

  #foldOutcome(outcome: JournalLine, folded: Folded): void {
    const [, id] = outcome;
    const request = this.#open.get(id);
    if (request === undefined) {
      folded.orphans.push(id);
      return;
    }
    folded.closed.push(id);
    folded.rows.push(endedRow(request.intent, outcome));
  }

  /** Requests still open move into a table with the checkpoint, so that the segment's file can go. */
  async #leaveSegment(segment: number): Promise<void> {
    const carry = this.#open.toCarry();
    const unfit = await this.#commit({ carry, to: { segment: segment + 1, offset: 0 } });
    if (unfit === null) {
      return;
    }
    this.#open.carried(carry);
    await this.#release();
  }

  async #missing(segment: number, nextSegment: number, target: Position): Promise<void> {
    const offset = nextSegment === segment ? target.offset : 0;
    const unfit = await this.#commit({ to: { segment: nextSegment, offset } });
    if (unfit !== null) {
      const path = segmentPath(this.#directory, segment);
      this.#onFault({ kind: "lines_skipped", message: `Journal segment ${path} is missing` });
    }
  }

  /** Gives how many rows fit nowhere; null when folding goes on from another place, and nothing was kept. */
  async #commit(batch: Partial<FoldBatch> & Pick<FoldBatch, "to">): Promise<number | null> {
    const from = this.#checkpoint;
    try {
      const unfit = await this.#tables.commit({ ...nothing, ...batch, from });
      this.#checkpoint = batch.to;
      return unfit;
    } catch (error) {
      if (!(error instanceof CheckpointMoved)) {
        throw error;
      }
      await this.#load();
      return null;
    }
  }

  #skipped(count: number, segment: number, offset: number): void {
    const path = segmentPath(this.#directory, segment);
    const message = `${count} unreadable lines in ${path} after byte ${offset} were skipped`;
    this.#onFault({ kind: "lines_skipped", message });
  }

  async #load(): Promise<void> {
    const first = { segment: listSegments(this.#directory)[0] ?? 1, offset: 0 };
    const checkpoint = (await this.#tables.checkpoint()) ?? first;
    const carried = await this.#tables.openRequests();
    this.#checkpoint = checkpoint;
    this.#open.clear();
    this.#open.load(carried);
    this.#recollect();
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
        } else if (line !== null && line[0] !== "a1") {
          this.#open.remove([line[1]]);
        }
      }
      from = chunk.end;
    }
  }

  async #release(): Promise<void> {
    try {
      await releaseSegments(this.#directory, this.#checkpoint.segment, () => this.#tables.sync());
    } catch (error) {
      // Kept, and tried again with the next segment or at the next start.
      this.#onFault({ kind: "segment_kept", message: reason(error) });
    }
  }
}

const nothing = { rows: [], audit: [], orphans: [], carry: [], forget: [] } as const;
