import { unlinkSync } from "node:fs";
import { listSegments, segmentPath } from "./segments.ts";

/**
 * Deletes the segments before `checkpointSegment`, once `sync` has made the rows they became safe from a power
 * cut: what a commit alone keeps may be undone by one, a deleted file may not.
 * @throws when they cannot go now; they then stay.
 */
export const releaseSegments = async (
  directory: string,
  checkpointSegment: number,
  sync: () => void | Promise<void>,
): Promise<void> => {
  const folded = listSegments(directory).filter((segment) => segment < checkpointSegment);
  if (folded.length === 0) {
    return;
  }
  await sync();
  for (const segment of folded) {
    unlinkSync(segmentPath(directory, segment));
  }
};
