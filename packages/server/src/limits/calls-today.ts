import { type EpochMs, epochMs } from "@claude-relay/contract";
import type { Scope, ScopeKind } from "../pipeline/admission.ts";
import { modelCalls } from "../pipeline/operations.ts";
import { allAppKeys } from "../pipeline/owner-ports.ts";
import type { UsageDimension, UsageFilter, UsageGroup, UsageQueries } from "../pipeline/ports.ts";
import { scopeName } from "./scope-name.ts";

export type Counted = Readonly<{ scope: Scope; requests: number }>;

const dayMs = 24 * 3_600_000;

const dimensions = {
  device: "device",
  app_key: "app_key",
  router: "router",
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
  const tally = new Tally();
  for (const operation of modelCalls) {
    const { totals, groups, truncated } = await usage.summary({ from, operation, groupBy });
    tally.add({ kind: "relay", id: "" }, totals.requests);
    tally.add(
      everyAppKey,
      truncated ? await ofAppKeys(usage, { from, operation }) : keyCalls(groups),
    );
    for (const { group, requests } of groups) {
      for (const scope of scopesOf(group)) {
        tally.add(scope, requests);
      }
    }
  }
  return tally.counts;
};

class Tally {
  readonly #counts = new Map<string, Counted>();

  add(scope: Scope, requests: number): void {
    if (requests > 0) {
      const key = scopeName(scope);
      const before = this.#counts.get(key)?.requests ?? 0;
      this.#counts.set(key, { scope, requests: before + requests });
    }
  }

  get counts(): readonly Counted[] {
    return [...this.#counts.values()];
  }
}

const everyAppKey: Scope = { kind: "app_key", id: allAppKeys };

const keyCalls = (groups: readonly UsageGroup[]): number =>
  groups.reduce(
    (sum, { group, requests }) => sum + (typeof group.app_key === "string" ? requests : 0),
    0,
  );

/** With more callers than the ledger lists. */
const ofAppKeys = async (usage: UsageQueries, filter: UsageFilter): Promise<number> =>
  (await usage.summary({ ...filter, callerKind: "app_key" })).totals.requests;

const scopesOf = (group: UsageGroup["group"]): Scope[] => {
  const scopes: Scope[] = [];
  for (const [kind, dimension] of Object.entries(dimensions)) {
    const id = group[dimension];
    if (typeof id === "string") {
      scopes.push({ kind: kind as ScopeKind, id });
    }
  }
  return scopes;
};
