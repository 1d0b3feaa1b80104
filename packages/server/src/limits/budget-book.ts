import type { EpochMs } from "@claude-relay/contract";
import type { Budget, SpentOf } from "../pipeline/admission.ts";
import { amountOf } from "./amounts.ts";
import { BudgetCounter } from "./budget-counter.ts";
import type { Hold } from "./holds.ts";

type Page = {
  /** As last asked for: what it counts, and since when. */
  budget: Budget;
  readonly counter: BudgetCounter;
  isFilled: boolean;
  filling: Promise<void> | null;
};

/** The counters of all budgets. One that is new, or counts something else than before, is filled from the ledger. */
export class BudgetBook {
  readonly #pages = new Map<Budget["id"], Page>();
  readonly #spentOf: SpentOf;
  /** Those whose bookings follow a counter that is built anew. */
  readonly #openHolds: () => Iterable<Hold>;

  constructor(spentOf: SpentOf, openHolds: () => Iterable<Hold>) {
    this.#spentOf = spentOf;
    this.#openHolds = openHolds;
  }

  /** The counter of this budget with its window moved to now; null when it must be filled first. */
  find(budget: Budget, now: EpochMs): BudgetCounter | null {
    const page = this.#page(budget, now);
    return page.isFilled ? page.counter : null;
  }

  /** Fills the counter unless it is filled. Those who wait for the same share one load. Rejects when it fails. */
  async fill(budget: Budget, now: EpochMs): Promise<void> {
    const page = this.#page(budget, now);
    if (!page.isFilled) {
      page.filling ??= this.#load(page).finally(() => {
        page.filling = null;
      });
      await page.filling;
    }
  }

  forget(id: Budget["id"]): void {
    this.#pages.delete(id);
  }

  async #load(page: Page): Promise<void> {
    const from = page.counter.windowStart();
    page.counter.fill(await this.#spentOf(page.budget, from), from);
    page.isFilled = true;
  }

  #page(budget: Budget, now: EpochMs): Page {
    const page = this.#pages.get(budget.id);
    if (page === undefined) {
      return this.#begin(budget, now);
    }
    if (page.budget !== budget) {
      if (!countsTheSame(page.budget, budget)) {
        return this.#rebuild(page, budget, now);
      }
      page.budget = budget;
    }
    return page.counter.moveTo(now) ? page : this.#rebuild(page, budget, now);
  }

  #begin(budget: Budget, now: EpochMs): Page {
    const counter = new BudgetCounter(budget, now);
    const page: Page = { budget, counter, isFilled: false, filling: null };
    this.#pages.set(budget.id, page);
    return page;
  }

  #rebuild(old: Page, budget: Budget, now: EpochMs): Page {
    const page = this.#begin(budget, now);
    for (const { bookings, askedAt, worst } of this.#openHolds()) {
      for (const booking of bookings) {
        if (booking.counter === old.counter) {
          booking.counter = page.counter;
          booking.unit = budget.unit;
          booking.slot = page.counter.slotAt(askedAt);
          booking.held = amountOf(budget.unit, worst);
          page.counter.hold(booking.slot, booking.held);
        }
      }
    }
    return page;
  }
}

const countsTheSame = (a: Budget, b: Budget): boolean =>
  a.unit === b.unit &&
  a.scope.kind === b.scope.kind &&
  a.scope.id === b.scope.id &&
  a.window.kind === b.window.kind &&
  (a.window.kind !== "rolling" || b.window.kind !== "rolling" || a.window.hours === b.window.hours);
