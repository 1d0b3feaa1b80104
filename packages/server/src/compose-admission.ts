/** Wires what requests are held to: limits and budgets, their counters, and the ledger they are filled from. */
import type { AppKeyId, DeviceId, EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import { epochMs } from "@claude-relay/contract";
import { callsToday } from "./limits/calls-today.ts";
import { createMemoryAdmission } from "./limits/memory-admission.ts";
import type { Admission, Budget, SpentOf } from "./pipeline/admission.ts";
import type { UsageFilter, UsageQueries, UsageTotals } from "./pipeline/ports.ts";
import type { Clock } from "./pipeline/types.ts";

type Options = Readonly<{ usage: UsageQueries; clock: Clock }>;

export const openAdmission = async ({ usage, clock }: Options): Promise<Admission> =>
  createMemoryAdmission({
    now: clock.now,
    monotonicMs: clock.monotonicMs,
    spentOf: spentOf(usage, clock),
    countedToday: await callsToday(usage, clock.now()),
  });

const hourMs = 3_600_000;

/** What the ledger says a budget has spent; for a rolling window by the hour, each counted as its latest moment. */
const spentOf =
  (usage: UsageQueries, clock: Clock): SpentOf =>
  async (budget, from) => {
    const filter = { ...filterOf(budget), from };
    if (budget.window.kind !== "rolling") {
      const { totals } = await usage.summary(filter);
      return [{ at: from, amount: amountOf(budget, totals) }];
    }
    const { groups } = await usage.summary({ ...filter, groupBy: ["hour"] });
    return groups.map((hour) => ({
      at: latestOf(String(hour.group.hour), clock.now()),
      amount: amountOf(budget, hour),
    }));
  };

const latestOf = (hour: string, now: EpochMs): EpochMs =>
  epochMs(Math.min(Date.parse(hour) + hourMs - 1, now));

const amountOf = ({ unit }: Budget, totals: UsageTotals): number =>
  unit === "micro_usd"
    ? totals.cost_micro_usd
    : totals.input_tokens +
      totals.output_tokens +
      totals.cache_read_input_tokens +
      totals.cache_creation_5m_input_tokens +
      totals.cache_creation_1h_input_tokens;

const filterOf = ({ scope: { kind, id } }: Budget): UsageFilter => {
  switch (kind) {
    case "relay":
      return {};
    case "organization":
      return { organization: id as OrganizationId };
    case "user":
      return { user: id as UserId };
    case "device":
      return { callerKind: kind, callerId: id as DeviceId };
    case "app_key":
      return { callerKind: kind, callerId: id as AppKeyId };
    case "session":
      return { session: id };
  }
};
