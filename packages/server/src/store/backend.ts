import type { Kysely } from "kysely";
import type { CarriedRequest, OpenRequest } from "./open-requests.ts";
import type { Tables } from "./schema.ts";
import type { Position } from "./segments.ts";

/** One step of folding, kept whole or not at all. */
export type FoldBatch = Readonly<{
  /** Values for `ledgerColumns`. A row that is there already stays as it is. */
  rows: readonly (readonly unknown[])[];
  /** Entries of the audit log; see `auditValues`. */
  audit: readonly (readonly unknown[])[];
  /** Ids of outcomes without an open request: each must have its row already. */
  orphans: readonly string[];
  /** Open requests to be written down, and the ids of those to be forgotten. */
  carry: readonly OpenRequest[];
  forget: readonly string[] | "all";
  /** Where the checkpoint is, and where it goes. */
  from: Position;
  to: Position;
}>;

/** What folding needs of a database, about this instance's journal only. SQLite answers without waiting. */
export type FoldTables = Readonly<{
  /** Null before the first fold. */
  checkpoint(): Position | null | Promise<Position | null>;
  openRequests(): readonly CarriedRequest[] | Promise<readonly CarriedRequest[]>;
  /**
   * Keeps a batch. Gives how many of its rows no table can hold, and orphans that have no row.
   * @throws CheckpointMoved when the checkpoint is not at `from`; nothing is kept then.
   */
  commit(batch: FoldBatch): number | Promise<number>;
  /** Makes what was kept survive a power cut. @throws when it cannot now. */
  sync(): void | Promise<void>;
}>;

/**
 * The checkpoint is elsewhere than this process left it: a commit whose answer was lost, or a database that was
 * set back. What to do is to begin again from where it is.
 */
export class CheckpointMoved extends Error {}

/** A database of either kind, open and migrated. */
export type Backend = Readonly<{
  db: Kysely<Tables>;
  /** For reports, which may take long. */
  reports: Kysely<Tables>;
  folding: FoldTables;
  /** True when `reports` does not stand in the way of folding and changes. */
  reportsApart: boolean;
  /** True when asking a database that is away means waiting for it, so that calls are refused meanwhile. */
  remote: boolean;
  /** True for "the database, not the statement": worth pausing for and trying again. */
  isStorageFailure(error: unknown): boolean;
  /** True for a statement that took too long while the database is well. */
  isSlowness(error: unknown): boolean;
  /** What the operator should do about a storage failure, as the end of a sentence. */
  remedy(error: unknown): string;
  /** Ends reports that wait for an answer, for the database is away. */
  endReports(): void;
  close(): void | Promise<void>;
}>;
