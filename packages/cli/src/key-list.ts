import type { AppKey } from "@claude-relay/contract";
import type { AdminClient } from "./admin-client.ts";
import { Fault } from "./fault.ts";

/** Every app key, page after page, newest first. @throws Fault when the relay answers something else */
export const listKeys = async (client: AdminClient): Promise<readonly AppKey[]> => {
  const keys: AppKey[] = [];
  const seen = new Set<string>();
  let cursor: string | null = null;
  do {
    const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await client.call({ method: "GET", path: `/admin/keys?limit=1000${query}` });
    const { data, next_cursor: next } = page;
    if (!Array.isArray(data) || (typeof next === "string" && seen.has(next))) {
      throw new Fault(
        `The relay at ${client.url} answered without a list of keys: its version does not fit this one.`,
      );
    }
    keys.push(...(data as AppKey[]));
    cursor = typeof next === "string" ? next : null;
    seen.add(cursor ?? "");
  } while (cursor !== null);
  return keys;
};
