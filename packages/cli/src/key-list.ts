import type { AppKey } from "@claude-relay/contract";
import type { AdminClient } from "./admin-client.ts";
import { listAll } from "./page-list.ts";

/** Every app key, newest first. @throws Fault when the relay answers something else */
export const listKeys = (client: AdminClient): Promise<readonly AppKey[]> =>
  listAll<AppKey>(client, "/admin/keys", "keys");
