import type { EpochMs, RequestId } from "@claude-relay/contract";
import type {
  Admission,
  Amounts,
  Ask,
  Budget,
  BudgetState,
  Limit,
  LimitState,
  Scope,
  SpentOf,
  Verdict,
} from "../pipeline/admission.ts";
import { amountOf, heldOf } from "./amounts.ts";
import { BudgetBook } from "./budget-book.ts";
import type { BudgetCounter } from "./budget-counter.ts";
import { type Booking, type Hold, settleHold } from "./holds.ts";
import type { LimitCounter, Moment } from "./limit-counter.ts";
import { LimitTable } from "./limit-table.ts";

type Options = Readonly<{
  /** The wall clock: UTC days, budget windows. */
  now: () => EpochMs;
  /** A clock that never jumps: what refills evenly. */
  monotonicMs: () => number;
  /** The ledger, for budgets first seen. Its rejection refuses the request as `unavailable`. */
  spentOf: SpentOf;
  /** Requests of the present UTC day that an earlier process counted: a restart grants no new day. */
  countedToday?: Iterable<Readonly<{ scope: Scope; requests: number }>>;
  /** Limits kept at most; beyond, whole ones and then the longest unused are forgotten. */
  maxKeys?: number;
}>;

const retryMs = 1000;
/** A budget may be changed while it is filled; who asks meanwhile tries this often. */
const fillAttempts = 5;

/**
 * Admission for one process, in its own memory. Decisions are synchronous, and so atomic, but for a budget that
 * must be filled from the ledger first.
 */
export const createMemoryAdmission = (options: Options): Admission => new MemoryAdmission(options);

class MemoryAdmission implements Admission {
  readonly #options: Options;
  readonly #holds = new Map<RequestId, Hold>();
  readonly #limits: LimitTable;
  readonly #budgets: BudgetBook;

  constructor(options: Options) {
    this.#options = options;
    this.#limits = new LimitTable(options.maxKeys ?? 100_000);
    this.#budgets = new BudgetBook(options.spentOf, () => this.#holds.values());
    for (const { scope, requests } of options.countedToday ?? []) {
      this.#limits.countToday(scope, requests, this.#moment());
    }
  }

  refusedAlready(limits: readonly Limit[]): Verdict | null {
    const now = this.#moment();
    let longest = 0;
    let refusing: Limit | null = null;
    for (const limit of limits) {
      if (limit.kind !== "input_tokens" && limit.kind !== "output_tokens") {
        const waitMs = this.#limits.find(limit)?.waitFor(1, limit.max, now) ?? 0;
        if (waitMs > longest) {
          longest = waitMs;
          refusing = limit;
        }
      }
    }
    return refusing === null
      ? null
      : overLimit(refusing, this.#limits.get(refusing, now), longest, now);
  }

  ask(ask: Ask): Verdict | Promise<Verdict> {
    return this.#decide(ask) ?? this.#decideWhenFilled(ask);
  }

  settle(id: RequestId, used: Amounts | null): void {
    const hold = this.#holds.get(id);
    if (hold !== undefined) {
      this.#holds.delete(id);
      settleHold(hold, used, this.#moment());
    }
  }

  async states(budgets: readonly Budget[]): Promise<readonly BudgetState[]> {
    for (let attempt = 0; attempt < fillAttempts; attempt += 1) {
      await this.#fill(budgets);
      const counters = this.#countersOf(budgets, this.#options.now());
      if (counters !== null) {
        return budgets.map((budget, index) => (counters[index] as BudgetCounter).state(budget));
      }
    }
    throw new Error("budgets changed faster than they could be read");
  }

  forget(id: Budget["id"]): void {
    this.#budgets.forget(id);
  }

  async close(): Promise<void> {
    // Nothing is open outside of this process.
  }

  /** Null when a budget must be filled first; nothing is taken then. */
  #decide(ask: Ask): Verdict | null {
    const now = this.#moment();
    const limits = ask.limits.map((limit) => this.#limits.get(limit, now));
    const isRepeated = this.#holds.has(ask.id);
    const limited = isRepeated ? null : longestWait(ask, limits, now);
    if (limited !== null) {
      return limited;
    }
    const budgets = this.#countersOf(ask.budgets, now.wall);
    if (budgets === null) {
      return null;
    }
    const spent = isRepeated ? null : leastLeft(ask, budgets);
    if (spent !== null) {
      return spent;
    }
    if (!isRepeated) {
      const hold = takeAll(ask, limits, budgets, now);
      this.#holds.set(ask.id, hold);
      this.#budgets.attach(hold);
    }
    return granted(ask, limits, budgets, now);
  }

  async #decideWhenFilled(ask: Ask): Promise<Verdict> {
    for (let attempt = 0; attempt < fillAttempts; attempt += 1) {
      try {
        await this.#fill(ask.budgets);
      } catch {
        break;
      }
      const verdict = this.#decide(ask);
      if (verdict !== null) {
        return verdict;
      }
    }
    return { kind: "unavailable", retryAfterMs: retryMs };
  }

  async #fill(budgets: readonly Budget[]): Promise<void> {
    const now = this.#options.now();
    await Promise.all(budgets.map((budget) => this.#budgets.fill(budget, now)));
  }

  /** Of each budget the counter, its window moved to now; null when one of them is not filled. */
  #countersOf(budgets: readonly Budget[], now: EpochMs): readonly BudgetCounter[] | null {
    const counters: BudgetCounter[] = [];
    for (const budget of budgets) {
      const counter = this.#budgets.find(budget, now);
      if (counter === null) {
        return null;
      }
      counters.push(counter);
    }
    return counters;
  }

  #moment(): Moment {
    return { wall: this.#options.now(), monotonic: this.#options.monotonicMs() };
  }
}

const nobody: readonly Scope[] = [];

type LimitCounters = readonly LimitCounter[];
type BudgetCounters = readonly BudgetCounter[];

const longestWait = (ask: Ask, counters: LimitCounters, now: Moment): Verdict | null => {
  let longest = 0;
  let at = -1;
  for (let index = 0; index < counters.length; index += 1) {
    const limit = ask.limits[index] as Limit;
    const waitMs = (counters[index] as LimitCounter).waitFor(
      heldOf(limit, ask.worst),
      limit.max,
      now,
    );
    if (waitMs > longest) {
      longest = waitMs;
      at = index;
    }
  }
  const [limit, counter] = [ask.limits[at], counters[at]];
  return limit === undefined || counter === undefined
    ? null
    : overLimit(limit, counter, longest, now);
};

const leastLeft = (ask: Ask, counters: BudgetCounters): Verdict | null => {
  let least: Extract<Verdict, { kind: "over_budget" }> | null = null;
  for (let index = 0; index < counters.length; index += 1) {
    const budget = ask.budgets[index] as Budget;
    const counter = counters[index] as BudgetCounter;
    const wanted = amountOf(budget.unit, ask.worst);
    if (!counter.fits(wanted, budget.limit)) {
      const state = counter.state(budget);
      if (least === null || state.left < least.state.left) {
        least = { kind: "over_budget", state, wanted };
      }
    }
  }
  return least;
};

const takeAll = (ask: Ask, limits: LimitCounters, budgets: BudgetCounters, now: Moment): Hold => {
  for (let index = 0; index < limits.length; index += 1) {
    limits[index]?.take(heldOf(ask.limits[index] as Limit, ask.worst), now);
  }
  const bookings = budgets.map((counter, index): Booking => {
    const { unit } = ask.budgets[index] as Budget;
    const [slot, held] = [counter.slotAt(now.wall), amountOf(unit, ask.worst)];
    counter.hold(slot, held);
    return { counter, unit, slot, held };
  });
  const { id, worst, scopes = nobody } = ask;
  return { id, scopes, askedAt: now.wall, worst, limits: ask.limits, counters: limits, bookings };
};

const granted = (
  ask: Ask,
  limits: LimitCounters,
  budgets: BudgetCounters,
  now: Moment,
): Verdict => ({
  kind: "granted",
  limits: limits.map((counter, index) => limitState(ask.limits[index] as Limit, counter, now)),
  budgets: budgets.map((counter, index) => counter.state(ask.budgets[index] as Budget)),
});

const overLimit = (
  limit: Limit,
  counter: LimitCounter,
  retryAfterMs: number,
  now: Moment,
): Verdict => ({ kind: "over_limit", state: limitState(limit, counter, now), retryAfterMs });

const limitState = (limit: Limit, counter: LimitCounter, now: Moment): LimitState => ({
  limit,
  remaining: counter.remaining(limit.max, now),
  resetMs: counter.resetMs(now),
});
