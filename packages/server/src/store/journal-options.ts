import type { OnFault } from "./faults.ts";
import type { FileCalls } from "./journal-file.ts";

/**
 * `none`: a line counts as kept once the kernel has it. A killed process loses nothing; a power loss may lose
 * the last seconds. `full`: a line counts as kept once fdatasync returns; a power loss loses nothing kept.
 */
export type LedgerSync = "none" | "full";

export type JournalOptions = Readonly<{
  directory: string;
  /** The number of the first segment to write; no file of this number or above may exist. */
  firstSegment: number;
  sync: LedgerSync;
  /** A segment is left for the next one once it is this long. */
  segmentBytes: number;
  /** New intents are refused while more than this is waiting to be folded. */
  spoolLimitBytes: number;
  onFault: OnFault;
  /** Told after each group, with where the journal now ends. */
  onWritten: () => void;
  /** How often it is looked whether the current segment still has a name; each second by default. */
  lookEveryMs?: number;
  calls?: FileCalls;
}>;
