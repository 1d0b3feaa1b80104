import { type AppKeyId, type EpochMs, epochMs } from "@claude-relay/contract";
import type { UsageQueries } from "../pipeline/ports.ts";

const dayMs = 24 * 3_600_000;

/** The model calls each app key has made this UTC day, from the ledger: a restart grants no new day. */
export const callsToday = async (
  usage: UsageQueries,
  now: EpochMs,
): Promise<ReadonlyMap<AppKeyId, number>> => {
  const calls = new Map<AppKeyId, number>();
  for (const operation of ["messages", "complete"] as const) {
    const { groups } = await usage.summary({
      from: epochMs(now - (now % dayMs)),
      callerKind: "app_key",
      operation,
      groupBy: ["app_key"],
    });
    for (const { group, requests } of groups) {
      const id = group.app_key as AppKeyId;
      calls.set(id, (calls.get(id) ?? 0) + requests);
    }
  }
  return calls;
};
