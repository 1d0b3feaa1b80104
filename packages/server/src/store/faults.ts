/**
 * Something the store survived but an operator should know. Messages name ids and paths, never content.
 *
 * `journal_unwritable`, `database_unwritable`, `worker_died`: new work is refused until the matching
 * `…_healed`. `lines_skipped`: lines that could not be read, after a power loss. `outcome_lost`: the row
 * becomes `estimated` at the next start.
 */
export type StoreFault = Readonly<{
  kind:
    | "journal_unwritable"
    | "journal_healed"
    | "database_unwritable"
    | "database_healed"
    | "worker_died"
    | "worker_healed"
    | "lines_skipped"
    | "outcome_lost"
    | "audit_lost"
    | "segment_kept";
  message: string;
}>;

export type OnFault = (fault: StoreFault) => void;

export const reason = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
