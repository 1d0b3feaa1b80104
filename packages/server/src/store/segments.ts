import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** How far a reader or writer has come: a segment's number and a byte offset in it. */
export type Position = Readonly<{ segment: number; offset: number }>;

const segmentName = /^journal-(\d{6,})\.jsonl$/;

export const journalDirectory = (dataDir: string): string => join(dataDir, "journal");

export const segmentPath = (directory: string, segment: number): string =>
  join(directory, `journal-${String(segment).padStart(6, "0")}.jsonl`);

/** The numbers of the segments that exist, lowest first. */
export const listSegments = (directory: string): number[] =>
  readdirSync(directory)
    .map((name) => segmentName.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);

/** Makes the journal's directory, readable by its owner only. */
export const ensureJournalDirectory = (dataDir: string): string => {
  const directory = journalDirectory(dataDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
};

export const isBefore = (a: Position, b: Position): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
