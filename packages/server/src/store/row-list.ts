import { type RawBuilder, sql } from "kysely";
import { decodeCursor } from "./cursor.ts";

/**
 * The rows after a cursor in a list that is newest first (`created_at`, then `id`, both falling).
 * @throws Refusal `invalid_request` for a cursor that is none
 */
export const after = (cursor: string | undefined): RawBuilder<boolean> => {
  if (cursor === undefined) {
    return sql<boolean>`1 = 1`;
  }
  const [time, id] = decodeCursor(cursor);
  return sql<boolean>`(created_at < ${time} or (created_at = ${time} and id < ${id}))`;
};
