import type { AppKeyId, EpochMs } from "@claude-relay/contract";
import type { AppLimits } from "../pipeline/app-limits.ts";
import { Refusal } from "../pipeline/refusal.ts";

type Options = Readonly<{
  /** Model calls of all apps by UTC day; null for no limit. */
  globalDaily: number | null;
  /** Model calls of all apps at once. */
  globalConcurrency: number;
  now: () => EpochMs;
  /** What was used of the present day by an earlier process. */
  usedToday: ReadonlyMap<AppKeyId, number>;
}>;

const dayMs = 24 * 3_600_000;

/** The apps' limits in memory. A day is a UTC day; a call refused by any limit counts against none. */
export const createAppLimits = (options: Options): AppLimits => {
  const { globalDaily, globalConcurrency, now } = options;
  let day = dayOf(now());
  let used = new Map(options.usedToday);
  let usedByAll = sum(used);
  let running = 0;
  const runningByKey = new Map<AppKeyId, number>();

  const turnDay = (): void => {
    const today = dayOf(now());
    if (today !== day) {
      day = today;
      used = new Map();
      usedByAll = 0;
    }
  };

  const tomorrow = (): number => Math.max(1, Math.ceil(((day + 1) * dayMs - now()) / 1000));

  return {
    enter: (caller) => {
      if (caller.kind !== "app_key") {
        return null;
      }
      const { id, policy } = caller;
      turnDay();
      if (policy.requestsPerDay !== null && (used.get(id) ?? 0) >= policy.requestsPerDay) {
        throw usedUp("This app key's", policy.requestsPerDay, tomorrow());
      }
      if (globalDaily !== null && usedByAll >= globalDaily) {
        throw usedUp("This relay's (GLOBAL_DAILY)", globalDaily, tomorrow());
      }
      const own = runningByKey.get(id) ?? 0;
      if (policy.concurrency !== null && own >= policy.concurrency) {
        throw busy("This app key has", policy.concurrency);
      }
      if (running >= globalConcurrency) {
        throw busy("This relay's apps have (GLOBAL_CONCURRENCY)", globalConcurrency);
      }
      used.set(id, (used.get(id) ?? 0) + 1);
      usedByAll += 1;
      runningByKey.set(id, own + 1);
      running += 1;
      return once(() => {
        running -= 1;
        const left = (runningByKey.get(id) ?? 1) - 1;
        if (left === 0) {
          runningByKey.delete(id);
        } else {
          runningByKey.set(id, left);
        }
      });
    },
  };
};

/** Midnight is out of any client's patience: `x-should-retry: false` spares it the attempts. */
const usedUp = (whose: string, limit: number, seconds: number): Refusal =>
  new Refusal("rate_limited", `${whose} limit of ${limit} calls a day (UTC) is used up.`, {
    retryAfterSeconds: seconds,
    headers: { "x-should-retry": "false" },
  });

const busy = (who: string, limit: number): Refusal =>
  new Refusal(
    "rate_limited",
    `${who} ${limit} ${limit === 1 ? "call" : "calls"} running, which is the limit. Retry when one is over.`,
    { retryAfterSeconds: 1 },
  );

const dayOf = (time: EpochMs): number => Math.floor(time / dayMs);

const sum = (counts: ReadonlyMap<AppKeyId, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

const once = (act: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      act();
    }
  };
};
