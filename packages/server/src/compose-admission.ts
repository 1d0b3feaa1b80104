/** Wires what requests are held to: limits and budgets, their counters, and the ledger they are filled from. */
import { randomBytes } from "node:crypto";
import type {
  AppKeyId,
  DeviceId,
  EpochMs,
  OrganizationId,
  RequestId,
  RouterId,
  UserId,
} from "@claude-relay/contract";
import { epochMs } from "@claude-relay/contract";
import type { SharedRedis } from "./compose-redis.ts";
import { callsToday } from "./limits/calls-today.ts";
import { createMemoryAdmission } from "./limits/memory-admission.ts";
import { queueing } from "./limits/queueing-admission.ts";
import { followLastInstance } from "./limits/redis/last-instance.ts";
import { RedisAdmission, type RedisAdmissionOptions } from "./limits/redis/redis-admission.ts";
import type { Admission, Budget, SpentOf, SpentSince } from "./pipeline/admission.ts";
import { later } from "./pipeline/later.ts";
import type { Log } from "./pipeline/log.ts";
import type { UsageFilter, UsageQueries, UsageTotals } from "./pipeline/ports.ts";
import type { Clock } from "./pipeline/types.ts";

type Options = Readonly<{
  dataDir: string;
  usage: UsageQueries;
  clock: Clock;
  log: Log;
  /** Null: this process keeps them by itself. */
  redis: SharedRedis | null;
  /** Others than usual, only in tests. */
  redisAdmission?: Partial<RedisAdmissionOptions>;
  /** How long a request may wait for a place, and how many may; 0 ms: none does. */
  queue: Readonly<{ maxWaitMs: number; maxWaiting: number }>;
  draining: AbortSignal;
}>;

/** How often a place that another instance freed is looked for. */
const queuePollMs = 200;

export const openAdmission = async (options: Options): Promise<Admission> => {
  const { queue, redis, clock, draining } = options;
  const admission = await openCounters(options);
  return queue.maxWaitMs === 0
    ? admission
    : queueing(admission, {
        ...queue,
        pollMs: redis === null ? null : queuePollMs,
        monotonicMs: clock.monotonicMs,
        later,
        random: Math.random,
        draining,
      });
};

const openCounters = async (options: Options): Promise<Admission> => {
  const { usage, clock, log, redis } = options;
  const spent: SpentOf = (budget, from, except) => spentOf(usage, clock, budget, from, [...except]);
  const inMemory = async (): Promise<Admission> =>
    createMemoryAdmission({
      now: clock.now,
      monotonicMs: clock.monotonicMs,
      spentOf: spent,
      countedToday: await callsToday(usage, clock.now()),
    });
  if (redis === null) {
    return inMemory();
  }
  const fallback = await inMemory();
  const last = followLastInstance(options.dataDir, redis.instance);
  const shared = new RedisAdmission({
    ...redis,
    clock,
    log,
    newNonce: () => randomBytes(12).toString("base64url"),
    spentOf: spent,
    // A report is made of all that was told before it: afterwards every instance can read it.
    ledgerCaughtUp: async () => void (await usage.summary({ from: clock.now() })),
    countedToday: () => callsToday(usage, clock.now()),
    fallback,
    died: last.died,
    onEndedInOrder: last.endedInOrder,
    ...options.redisAdmission,
  });
  shared.start();
  return shared;
};

const hourMs = 3_600_000;

/** What the ledger says a budget has spent; for a rolling window by the hour, each counted as its latest moment. */
const spentOf = async (
  usage: UsageQueries,
  clock: Clock,
  budget: Budget,
  from: EpochMs,
  except: readonly RequestId[],
): Promise<SpentSince> => {
  const filter = { ...filterOf(budget), from, except };
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
    case "router":
      return { callerKind: kind, callerId: id as RouterId };
    case "session":
      return { session: id };
  }
};
