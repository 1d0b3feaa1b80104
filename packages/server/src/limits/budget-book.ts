import type { EpochMs, RequestId } from "@claude-relay/contract";
import type { Budget, SpentOf } from "../pipeline/admission.ts";
import { amountOf, isWhole } from "./amounts.ts";
import { BudgetCounter } from "./budget-counter.ts";
import { type Hold, isUseOf } from "./holds.ts";
import { scopeName } from "./scope-name.ts";

type Page = {
  /** As last asked for: what it counts, and since when. */
  budget: Budget;
  readonly counter: BudgetCounter;
  /** Running when the page was begun, and booked on it from then on: the ledger leaves them out. */
  readonly except: Set<RequestId>;
  isFilled: boolean;
  filling: Promise<void> | null;
};

/**
 * The counters of all budgets. One that is new, or counts something else than before, is filled from the ledger, and
 * what is running of its scope is held on it.
 */
export class BudgetBook {
  readonly #pages = new Map<Budget["id"], Page>();
  readonly #byScope = new Map<string, Set<Page>>();
  readonly #spentOf: SpentOf;
  /** All that is running. */
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

  /** Books a request that was just granted on budgets of its scopes that it had not heard of. /!\ Hot path. */
  attach(hold: Hold): void {
    if (this.#pages.size === 0) {
      return;
    }
    let count = 0;
    for (const scope of hold.scopes) {
      count += this.#byScope.get(scopeName(scope))?.size ?? 0;
    }
    if (count > hold.bookings.length) {
      for (const scope of hold.scopes) {
        for (const page of this.#byScope.get(scopeName(scope)) ?? []) {
          this.#book(page, hold);
        }
      }
    }
  }

  /** Of a budget that each session has, those of all sessions too. */
  forget(id: Budget["id"]): void {
    for (const page of this.#pages.values()) {
      if (page.budget.id === id || page.budget.id.startsWith(`${id}:`)) {
        this.#drop(page);
      }
    }
  }

  async #load(page: Page): Promise<void> {
    const from = page.counter.windowStart();
    page.counter.fill(await this.#spentOf(page.budget, from, page.except), from);
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
    const page = this.#open(budget, now);
    for (const hold of this.#openHolds()) {
      if (isUseOf(hold, budget)) {
        this.#book(page, hold);
      }
    }
    return page;
  }

  /** Those who know of the budget follow it, whatever their scopes. */
  #rebuild(old: Page, budget: Budget, now: EpochMs): Page {
    this.#drop(old);
    const page = this.#open(budget, now);
    for (const hold of this.#openHolds()) {
      const booking = hold.bookings.find(({ counter }) => counter === old.counter);
      if (booking !== undefined) {
        hold.bookings.splice(hold.bookings.indexOf(booking), 1);
      }
      if (booking !== undefined || isUseOf(hold, budget)) {
        this.#book(page, hold);
      }
    }
    return page;
  }

  #open(budget: Budget, now: EpochMs): Page {
    const counter = new BudgetCounter(budget, now);
    const page: Page = { budget, counter, except: new Set(), isFilled: false, filling: null };
    this.#pages.set(budget.id, page);
    const key = scopeName(budget.scope);
    const ofScope = this.#byScope.get(key) ?? new Set();
    this.#byScope.set(key, ofScope.add(page));
    return page;
  }

  #drop(page: Page): void {
    const key = scopeName(page.budget.scope);
    const ofScope = this.#byScope.get(key);
    ofScope?.delete(page);
    if (ofScope?.size === 0) {
      this.#byScope.delete(key);
    }
    this.#pages.delete(page.budget.id);
  }

  #book({ budget: { unit }, counter, except, isFilled }: Page, hold: Hold): void {
    if (hold.bookings.some((booking) => booking.counter === counter)) {
      return;
    }
    const worst = amountOf(unit, hold.worst);
    const [slot, held] = [counter.slotAt(hold.askedAt), isWhole(worst) ? worst : 0];
    counter.hold(slot, held);
    hold.bookings.push({ counter, unit, slot, held });
    if (!isFilled) {
      except.add(hold.id);
    }
  }
}

const countsTheSame = (a: Budget, b: Budget): boolean =>
  a.unit === b.unit &&
  a.scope.kind === b.scope.kind &&
  a.scope.id === b.scope.id &&
  a.window.kind === b.window.kind &&
  (a.window.kind !== "rolling" || b.window.kind !== "rolling" || a.window.hours === b.window.hours);
