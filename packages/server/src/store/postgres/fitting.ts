/**
 * A row whose values Postgres can hold: it has no NUL in texts, no half of a surrogate pair, and whole numbers
 * of 64 bits only. Rare: upstream or a caller sent something odd.
 */
export const fitting = (row: readonly unknown[]): unknown[] => row.map(fit);

const fit = (value: unknown): unknown => {
  if (typeof value === "string") {
    return value.toWellFormed().replaceAll("\0", "\uFFFD");
  }
  return typeof value === "number"
    ? Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.round(value)))
    : value;
};
