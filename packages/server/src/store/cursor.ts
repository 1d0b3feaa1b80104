import { Refusal } from "../pipeline/refusal.ts";

/** Where the next page begins: the last row's place in the order. Opaque to callers. */
export type Cursor = readonly [time: number, id: string];

const encodeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify(cursor)).toString("base64url");

/** @throws Refusal `invalid_request` for anything that `encodeCursor` did not make. */
export const decodeCursor = (cursor: string): Cursor => {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (isCursor(parsed)) {
      return parsed;
    }
  } catch {
    // Falls through to the refusal.
  }
  throw new Refusal(
    "invalid_request",
    "cursor: not a cursor of this list: leave it out to start anew.",
  );
};

const isCursor = (value: unknown): value is Cursor =>
  Array.isArray(value) &&
  value.length === 2 &&
  Number.isSafeInteger(value[0]) &&
  typeof value[1] === "string";

/** Checks a page's size. @throws Refusal `invalid_request`. */
export const pageLimit = (limit: number): number => {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) {
    return limit;
  }
  throw new Refusal("invalid_request", "limit: must be a whole number from 1 to 1000");
};

/** Cuts the one row too many that tells whether there is a next page. */
export const toPage = <Row, Shown>(
  rows: readonly Row[],
  limit: number,
  show: (row: Row) => Shown,
  cursorOf: (row: Row) => Cursor,
): { data: Shown[]; next_cursor: string | null } => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { data: shown.map(show), next_cursor: more ? encodeCursor(cursorOf(last)) : null };
};
