import type { AuditEntry } from "../pipeline/ports.ts";
import type { Intent, Ledger, Outcome, Progress } from "../pipeline/types.ts";
import { reason } from "./faults.ts";
import { GroupSync } from "./group-sync.ts";
import { JournalFile, systemCalls } from "./journal-file.ts";
import { emptyGroup, type JournalGroup } from "./journal-group.ts";
import {
  encodeAudit,
  encodeIntent,
  encodeOutcome,
  encodeProgress,
  encodeVoid,
} from "./journal-line.ts";
import type { JournalOptions } from "./journal-options.ts";
import { spoolFull, stopped, unwritable } from "./journal-refusals.ts";
import type { Position } from "./segments.ts";
import { Spool } from "./spool.ts";

/** Outcomes kept in memory while the disk refuses them; about 20,000. */
const retainedLimit = 8 * 1024 * 1024;
const retryMs = 1_000;

/** The ledger's first half: lines on disk, in groups, before anything goes upstream. */
export class Journal implements Ledger {
  readonly #options: JournalOptions;
  readonly #file: JournalFile;
  readonly #spool: Spool;
  readonly #sync: GroupSync;
  #group: JournalGroup = emptyGroup();
  #scheduled = false;
  #retained = "";
  #failing = false;
  #retry: NodeJS.Timeout | undefined;
  #lookedMs = 0;
  /** Set when this segment is not to be trusted (its sync failed, it was removed): the next group goes to a new one. */
  #condemned = false;
  #closed = false;
  #ended = false;

  /** @throws the system's error when the first segment cannot be made. */
  constructor(options: JournalOptions) {
    this.#options = options;
    const calls = options.calls ?? systemCalls;
    const syncs = options.sync === "full";
    this.#file = new JournalFile(options.directory, options.firstSegment, calls, syncs);
    this.#spool = new Spool(options.firstSegment);
    this.#sync = new GroupSync(this.#file, {
      failed: (groups, error) => this.#syncFailed(groups, error),
      idle: () => this.#rotateIfLong(),
    });
  }

  open(intent: Intent): Promise<void> {
    if (this.#closed) {
      return Promise.reject(stopped());
    }
    if (this.unfoldedBytes > this.#options.spoolLimitBytes) {
      return Promise.reject(spoolFull());
    }
    this.#group.opens += encodeIntent(intent);
    this.#group.openIds.push(intent.id);
    return this.#keep();
  }

  progress(mark: Progress): void {
    this.#group.rest += encodeProgress(mark);
    this.#schedule();
  }

  close(outcome: Outcome): void {
    this.#group.rest += encodeOutcome(outcome);
    this.#schedule();
  }

  /**
   * Keeps an entry of the audit log that the database would not take.
   * @throws Refusal `storage_unavailable` when it cannot be written either
   */
  audit(entry: AuditEntry): Promise<void> {
    if (this.#ended || this.unfoldedBytes > this.#options.spoolLimitBytes) {
      return Promise.reject(this.#ended ? stopped() : spoolFull());
    }
    this.#group.opens += encodeAudit(entry);
    return this.#keep();
  }

  /**
   * Resolves when every line queued so far is kept, as `sync` defines it; await it before the end of an
   * answer to make the answer wait for its outcome.
   * @throws Refusal `storage_unavailable` when a line could not be written; it is tried again by itself.
   */
  flushed(): Promise<void> {
    return this.#keep();
  }

  /** Hands the queued lines to the kernel now, and says where the journal ends. */
  flushNow(): Position {
    this.#flush();
    return this.#file.position;
  }

  /** Where the journal ends; queued lines are not counted. */
  get position(): Position {
    return this.#file.position;
  }

  /** False while new intents are refused. */
  get healthy(): boolean {
    return !this.#failing && this.unfoldedBytes <= this.#options.spoolLimitBytes;
  }

  get unfoldedBytes(): number {
    return this.#spool.unfolded(this.#file.offset);
  }

  /** Notes that everything before `position` is folded and needs no more room in the spool. */
  foldedTo(position: Position): void {
    this.#spool.foldedTo(position);
  }

  /** Writes what is left and closes the file. Gives where the journal ends. */
  async end(): Promise<Position> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#keep().catch(() => undefined);
    const end = this.#file.position;
    clearTimeout(this.#retry);
    if (this.#retained !== "") {
      this.#loseRest(this.#retained);
    }
    this.#ended = true;
    this.#file.close();
    return end;
  }

  #keep(): Promise<void> {
    this.#group.kept ??= Promise.withResolvers();
    this.#schedule();
    return this.#group.kept.promise;
  }

  #schedule(): void {
    if (this.#scheduled) {
      return;
    }
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const group = this.#group;
    const lines = this.#retained + group.opens + group.rest;
    if (lines === "" && group.kept === null) {
      return;
    }
    this.#group = emptyGroup();
    if (this.#ended) {
      this.#loseRest(group.rest);
      return;
    }
    try {
      if (this.#condemned || this.#isGone()) {
        this.#rotate();
      }
      if (lines !== "") {
        this.#file.append(lines);
      }
    } catch (error) {
      this.#failed(group, error);
      return;
    }
    this.#retained = "";
    this.#healed();
    if (this.#options.sync === "full") {
      this.#sync.add(group);
    } else {
      group.kept?.resolve();
    }
    this.#rotateIfLong();
    this.#options.onWritten();
  };

  /** Looked at once a second. Until a new segment can be made, new work is refused. */
  #isGone(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < (this.#options.lookEveryMs ?? 1000)) {
      return false;
    }
    this.#lookedMs = nowMs;
    if (this.#file.isGone) {
      this.#condemned = true;
      const message = `The journal's current segment in ${this.#options.directory} was removed; what was not folded yet is lost`;
      this.#options.onFault({ kind: "outcome_lost", message });
    }
    return this.#condemned;
  }

  #failed(group: JournalGroup, error: unknown): void {
    if (!this.#failing) {
      this.#failing = true;
      const message = `The journal in ${this.#options.directory} cannot be written: ${reason(error)}`;
      this.#options.onFault({ kind: "journal_unwritable", message });
    }
    if (this.#retained.length + group.rest.length <= retainedLimit) {
      this.#retained += group.rest;
    } else {
      this.#loseRest(group.rest);
    }
    group.kept?.reject(unwritable(error));
    this.#retryLater();
  }

  /** Without this, a server whose health check fails would get no request that could show it has healed. */
  #retryLater(): void {
    clearTimeout(this.#retry);
    if (this.#closed) {
      return;
    }
    this.#retry = setTimeout(() => {
      this.#retained ||= "\n";
      this.#flush();
    }, retryMs).unref();
  }

  #healed(): void {
    if (!this.#failing) {
      return;
    }
    this.#failing = false;
    clearTimeout(this.#retry);
    this.#options.onFault({ kind: "journal_healed", message: "The journal is written again" });
  }

  #loseRest(rest: string): void {
    const lines = rest.split("\n").filter((line) => line.startsWith('["c1"')).length;
    if (lines === 0) {
      return;
    }
    const message = `${lines} outcomes could not be written; their rows become estimates`;
    this.#options.onFault({ kind: "outcome_lost", message });
  }

  /**
   * After a failed fdatasync the kernel may have dropped the pages and call the next one a success, so the
   * outcomes are written again, the refused intents are taken back, and a new segment is begun.
   */
  #syncFailed(groups: readonly JournalGroup[], error: Error): void {
    this.#condemned = true;
    for (const group of groups) {
      this.#failed({ ...group, rest: group.openIds.map(encodeVoid).join("") + group.rest }, error);
    }
  }

  #rotateIfLong(): void {
    if (this.#file.offset < this.#options.segmentBytes || this.#sync.busy) {
      return;
    }
    try {
      this.#rotate();
    } catch (error) {
      // A longer segment is no harm, so a disk or a table of open files that is full just now is not either.
      this.#options.onFault({ kind: "segment_kept", message: reason(error) });
    }
  }

  #rotate(): void {
    const end = this.#file.position;
    this.#file.rotate();
    this.#condemned = false;
    this.#spool.rotated(end);
  }
}
