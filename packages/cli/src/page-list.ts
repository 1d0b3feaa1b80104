import type { AdminClient } from "./admin-client.ts";
import { Fault } from "./fault.ts";

/**
 * Every row of a list of the admin API, page after page, newest first.
 * @param what the rows in words, such as `keys`
 * @throws Fault when the relay answers something else
 */
export const listAll = async <Row>(
  client: AdminClient,
  path: string,
  what: string,
): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  const seen = new Set<string>();
  let cursor: string | null = null;
  do {
    const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await client.call({ method: "GET", path: `${path}?limit=1000${query}` });
    const { data, next_cursor: next } = page;
    if (!Array.isArray(data) || (typeof next === "string" && seen.has(next))) {
      throw new Fault(
        `The relay at ${client.url} answered without a list of ${what}: its version does not fit this one.`,
      );
    }
    rows.push(...(data as Row[]));
    cursor = typeof next === "string" ? next : null;
    seen.add(cursor ?? "");
  } while (cursor !== null);
  return rows;
};
