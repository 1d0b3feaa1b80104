/** Audit rows of refusals: every one is counted, but nobody can fill the disk by being refused. */
import type { EpochMs } from "@claude-relay/contract";
import { callerKey } from "./caller-key.ts";
import type { AuditEntry, AuditLog } from "./ports.ts";
import { Refusal } from "./refusal.ts";
import type { Caller, Clock, Ingress } from "./types.ts";

/** A refusal as it goes into the audit log; the fields are those of AuditEntry. */
export type RefusedAct = Readonly<{
  /** `unknown` when nobody is known: then the address tells who. */
  actor: string;
  action: string;
  subject: string | null;
  refusal: Refusal;
  /** More that the row should tell, free of secrets. */
  detail?: Readonly<Record<string, string>>;
  clientIp: string | null;
}>;

export interface RefusalAudit {
  record(act: RefusedAct): void;
  /** Writes what was counted and is due; to be called every few seconds. */
  sweep(): void;
  /** Writes all that was counted: before the store closes. */
  flush(): void;
}

type Options = Readonly<{
  audit: AuditLog;
  clock: Clock;
  /** What counts as one address, e.g. an IPv6 /64. */
  placeOf: (address: string) => string;
  /** Keys watched at a time; refusals of further ones share a row for each action and code. */
  maxKeys?: number;
}>;

type Watch = {
  sinceMs: number;
  /** Rows written since then. */
  rows: number;
  /** Refusals without a row so far; the newest is kept to tell of them all. */
  counted: number;
  newest: RefusedAct;
  newestAt: EpochMs;
};

const periodMs = 60_000;
const rowsEachPeriod = 5;
/** Messages quote what the caller sent: a row must stay small. */
const longestReason = 512;

/**
 * In a minute, the first few refusals of one actor (or address), action and code are a row each. The rest is
 * counted, and one row tells of it when the minute is over: `detail.count` is how many refusals a row stands
 * for (one where it is absent), so that the sum over all rows is exact.
 */
export const createRefusalAudit = (options: Options): RefusalAudit => {
  const { audit, clock, placeOf, maxKeys = 1000 } = options;
  const watched = new Map<string, Watch>();

  const watch = (key: string, act: RefusedAct, nowMs: number): Watch => {
    const known = watched.get(key);
    if (known !== undefined) {
      return known;
    }
    const fresh = { sinceMs: nowMs, rows: 0, counted: 0, newest: act, newestAt: clock.now() };
    watched.set(key, fresh);
    return fresh;
  };

  /** One row for all that was counted; a new minute begins with it. */
  const write = (of: Watch, nowMs: number): void => {
    void audit.append(rowOf(of.newest, of.newestAt, of.counted));
    of.counted = 0;
    if (nowMs - of.sinceMs >= periodMs) {
      of.sinceMs = nowMs;
      of.rows = 0;
    }
    of.rows += 1;
  };

  const record = (act: RefusedAct): void => {
    const what = `${act.action} ${act.refusal.code}`;
    const who = act.actor === "unknown" ? placeOf(act.clientIp ?? "") : act.actor;
    const own = `${what} ${who}`;
    const room = watched.has(own) || watched.size < maxKeys;
    const nowMs = clock.monotonicMs();
    const of = watch(room ? own : what, act, nowMs);
    of.newest = room ? act : ofMany(act);
    of.newestAt = clock.now();
    of.counted += 1;
    const isNewPeriod = nowMs - of.sinceMs >= periodMs;
    if (isNewPeriod || of.rows < rowsEachPeriod) {
      write(of, nowMs);
    }
  };

  const sweep = (): void => {
    const nowMs = clock.monotonicMs();
    for (const [key, of] of watched) {
      const isOver = nowMs - of.sinceMs >= periodMs;
      if (isOver && of.counted > 0) {
        write(of, nowMs);
      } else if (isOver) {
        watched.delete(key);
      }
    }
  };

  const flush = (): void => {
    for (const of of watched.values()) {
      if (of.counted > 0) {
        write(of, clock.monotonicMs());
      }
    }
  };

  return { record, sweep, flush };
};

const rowOf = (act: RefusedAct, at: EpochMs, count: number): AuditEntry => ({
  at,
  actor: act.actor,
  action: act.action,
  subject: act.subject,
  outcome: act.refusal.code,
  detail: {
    reason: act.refusal.message.slice(0, longestReason),
    ...act.detail,
    ...(count > 1 && { count }),
  },
  clientIp: act.clientIp,
});

/** Too many to tell apart: such a row names nobody. */
const ofMany = ({ action, refusal }: RefusedAct): RefusedAct => ({
  actor: "various",
  action,
  subject: null,
  refusal,
  clientIp: null,
});

/** What a caller may not do; a body that is merely wrong, or a fault of ours, is the log's matter. */
const forbidding: ReadonlySet<Refusal["code"]> = new Set([
  "forbidden",
  "model_denied",
  "rate_limited",
  "over_budget",
]);

/** Audits what the line refuses a known caller. */
export const auditCallerRefusals =
  (refusals: Pick<RefusalAudit, "record">) =>
  (error: unknown, caller: Caller, ingress: Pick<Ingress, "id" | "clientIp">): void => {
    if (error instanceof Refusal && forbidding.has(error.code)) {
      refusals.record({
        actor: callerKey(caller),
        action: "request.refuse",
        subject: null,
        refusal: error,
        detail: { request_id: ingress.id },
        clientIp: ingress.clientIp,
      });
    }
  };
