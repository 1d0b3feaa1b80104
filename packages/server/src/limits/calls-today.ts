import { type EpochMs, epochMs } from "@claude-relay/contract";
import type { Scope, ScopeKind } from "../pipeline/admission.ts";
import { allAppKeys } from "../pipeline/owner-ports.ts";
import type { UsageDimension, UsageGroup, UsageQueries } from "../pipeline/ports.ts";

export type Counted = Readonly<{ scope: Scope; requests: number }>;

const dayMs = 24 * 3_600_000;

const dimensions = {
  device: "device",
  app_key: "app_key",
  user: "user",
  organization: "organization",
} as const satisfies Partial<Record<ScopeKind, UsageDimension>>;

/** The model calls of this UTC day by everyone who may have a limit of them, from the ledger: a restart grants no new day. */
export const callsToday = async (
  usage: UsageQueries,
  now: EpochMs,
): Promise<readonly Counted[]> => {
  const from = epochMs(now - (now % dayMs));
  const groupBy = Object.values(dimensions);
  const counts = new Map<string, { scope: Scope; requests: number }>();
  for (const operation of ["messages", "complete"] as const) {
    const { groups } = await usage.summary({ from, operation, groupBy });
    for (const { group, requests } of groups) {
      for (const scope of scopesOf(group)) {
        const key = `${scope.kind}:${scope.id}`;
        const before = counts.get(key)?.requests ?? 0;
        counts.set(key, { scope, requests: before + requests });
      }
    }
  }
  return [...counts.values()];
};

const scopesOf = (group: UsageGroup["group"]): Scope[] => {
  const scopes: Scope[] = [{ kind: "relay", id: "" }];
  for (const [kind, dimension] of Object.entries(dimensions)) {
    const id = group[dimension];
    if (typeof id === "string") {
      scopes.push({ kind: kind as ScopeKind, id });
    }
  }
  return typeof group.app_key === "string"
    ? [...scopes, { kind: "app_key", id: allAppKeys }]
    : scopes;
};
