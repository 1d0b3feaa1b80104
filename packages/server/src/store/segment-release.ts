import { unlinkSync } from "node:fs";
import type { SqliteDatabase } from "./database.ts";
import { listSegments, segmentPath } from "./segments.ts";

/**
 * Deletes the segments before `checkpointSegment`, once the rows they became are synced to the database file:
 * a WAL commit alone may be undone by a power loss, a deleted file may not.
 * @throws when they cannot go now; they then stay.
 */
export const releaseSegments = (
  db: SqliteDatabase,
  directory: string,
  checkpointSegment: number,
): void => {
  const folded = listSegments(directory).filter((segment) => segment < checkpointSegment);
  if (folded.length === 0) {
    return;
  }
  const [result] = db.pragma("wal_checkpoint(FULL)") as { busy: number }[];
  if (result?.busy !== 0) {
    throw new Error("Another program is reading the database just now");
  }
  for (const segment of folded) {
    unlinkSync(segmentPath(directory, segment));
  }
};
