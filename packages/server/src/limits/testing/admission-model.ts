/** What must be true of an admission, worked out the slow way: from every request there ever was. */
import { type EpochMs, epochMs, type RequestId } from "@claude-relay/contract";
import type { Amounts, Ask, Budget, SpentOf } from "../../pipeline/admission.ts";
import { hour } from "./admission-harness.ts";

type Entry = { readonly ask: Ask; readonly at: EpochMs; used: Amounts | null | "open" };
export type Stands = Readonly<{ held: number; spent: number }>;

export class AdmissionModel {
  now: EpochMs;
  readonly #entries = new Map<RequestId, Entry>();

  constructor(startAt: EpochMs) {
    this.now = startAt;
  }

  isGranted(ask: Ask): boolean {
    return ask.budgets.every((budget) => {
      const { held, spent } = this.stands(budget);
      return spent + held + amount(budget, ask.worst) <= budget.limit;
    });
  }

  take(ask: Ask): void {
    this.#entries.set(ask.id, { ask, at: this.now, used: "open" });
  }

  settle(id: RequestId, used: Amounts | null): void {
    const entry = this.#entries.get(id);
    if (entry?.used === "open") {
      entry.used = used;
    }
  }

  openAsks(): readonly Ask[] {
    return [...this.#entries.values()].filter(({ used }) => used === "open").map(({ ask }) => ask);
  }

  stands(budget: Budget): Stands {
    let held = 0;
    let spent = 0;
    for (const { ask, at, used } of this.#entries.values()) {
      if (isOf(ask, budget) && isWithin(budget, at, this.now)) {
        held += used === "open" ? amount(budget, ask.worst) : 0;
        spent += used === "open" || used === null ? 0 : amount(budget, used);
      }
    }
    return { held, spent };
  }

  /** The most that was ever spent in any one window of this budget that begins or ends with a request. */
  worstWindow(budget: Budget): number {
    const times = [...this.#entries.values()].map(({ at }) => at);
    const before = this.now;
    const most = times.map((at) => {
      this.now = at;
      return this.#spentUntil(budget, at);
    });
    this.now = before;
    return Math.max(0, ...most);
  }

  #spentUntil(budget: Budget, end: EpochMs): number {
    let spent = 0;
    for (const { ask, at, used } of this.#entries.values()) {
      if (used !== "open" && used !== null && at <= end && isOf(ask, budget)) {
        spent += isWithin(budget, at, end) ? amount(budget, used) : 0;
      }
    }
    return spent;
  }

  /** The ledger: what is settled, by the times of asking. */
  readonly spentOf: SpentOf = async (budget, from) =>
    [...this.#entries.values()].flatMap(({ ask, at, used }) =>
      used !== "open" && used !== null && at >= from && isOf(ask, budget)
        ? [{ at, amount: amount(budget, used) }]
        : [],
    );
}

const isOf = (ask: Ask, budget: Budget): boolean => ask.budgets.some(({ id }) => id === budget.id);

const amount = ({ unit }: Budget, amounts: Amounts): number =>
  unit === "tokens" ? amounts.tokens : amounts.microUsd;

const isWithin = ({ window }: Budget, at: EpochMs, now: EpochMs): boolean => {
  switch (window.kind) {
    case "total":
      return true;
    case "day":
      return isoDay(at) === isoDay(now);
    case "month":
      return isoDay(at).slice(0, 7) === isoDay(now).slice(0, 7);
    case "week":
      return monday(at) === monday(now);
    case "rolling": {
      const part = (window.hours * hour) / 120;
      return Math.floor(now / part) - Math.floor(at / part) <= 120;
    }
  }
};

const isoDay = (time: EpochMs): string => new Date(time).toISOString().slice(0, 10);

const monday = (time: EpochMs): string => {
  const date = new Date(time);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return isoDay(epochMs(date.getTime()));
};
