import type { EpochMs } from "@claude-relay/contract";
import type { Budget, BudgetState, SpentSince } from "../pipeline/admission.ts";
import { isWhole } from "./amounts.ts";
import { type Calendar, calendarOf } from "./budget-calendar.ts";

/** What is held and spent of the requests that were asked in one slot of time. */
export type Slot = { readonly index: number; held: number; spent: number };

/**
 * What is held and spent of one budget, by the times of asking. Older slots are kept for as long again, for a
 * wall clock that is set back. Whole numbers only.
 */
export class BudgetCounter {
  readonly #calendar: Calendar;
  readonly #isRolling: boolean;
  readonly #slots = new Map<number, Slot>();
  /** The slot of now and its bounds. */
  #index: number;
  #start: number;
  #end: number;
  /** Sums over the window of now. */
  #held = 0;
  #spent = 0;
  /** From this slot on everything is known. */
  #knownFrom: number;
  #newest: number;
  /** The oldest slot of the window with anything in it when last looked; Infinity when there was none. */
  #oldest = Infinity;

  constructor({ window }: Budget, now: EpochMs) {
    this.#calendar = calendarOf(window);
    this.#isRolling = window.kind === "rolling";
    this.#index = this.#calendar.indexOf(now);
    this.#start = this.#calendar.startOf(this.#index);
    this.#end = this.#calendar.startOf(this.#index + 1);
    this.#knownFrom = this.#from();
    this.#newest = this.#index;
  }

  /** Where the window of now starts. */
  windowStart(): EpochMs {
    return this.#calendar.startOf(this.#from());
  }

  /** Adds what the ledger knows since `from`, a `windowStart()`. @throws RangeError for an amount that is not whole. */
  fill(since: SpentSince, from: EpochMs): void {
    if (!since.every(({ amount }) => isWhole(amount))) {
      throw new RangeError("the ledger gave an amount that is not whole");
    }
    this.#knownFrom = Math.max(this.#knownFrom, this.#calendar.indexOf(from));
    for (const { at, amount } of since) {
      this.settle(this.slotAt(this.#isRolling ? at : from), 0, amount);
    }
  }

  /** Moves the window to now. False when part of it is not known: the clock went back too far. */
  moveTo(now: EpochMs): boolean {
    if (now < this.#start || now >= this.#end) {
      this.#index = this.#calendar.indexOf(now);
      this.#start = this.#calendar.startOf(this.#index);
      this.#end = this.#calendar.startOf(this.#index + 1);
      this.#forget();
      this.#sum();
    }
    return this.#from() >= this.#knownFrom;
  }

  fits(wanted: number, limit: number): boolean {
    return isWhole(wanted) && this.#spent + this.#held + wanted <= limit;
  }

  /** The slot of requests asked at this time. */
  slotAt(at: EpochMs): Slot {
    const index = at >= this.#start && at < this.#end ? this.#index : this.#calendar.indexOf(at);
    let slot = this.#slots.get(index);
    if (slot === undefined) {
      slot = { index, held: 0, spent: 0 };
      this.#slots.set(index, slot);
    }
    return slot;
  }

  hold(slot: Slot, amount: number): void {
    slot.held += amount;
    if (this.#isCounted(slot)) {
      this.#held += amount;
      this.#oldest = Math.min(this.#oldest, slot.index);
    }
  }

  settle(slot: Slot, held: number, spent: number): void {
    slot.held -= held;
    slot.spent += spent;
    if (this.#isCounted(slot)) {
      this.#held -= held;
      this.#spent += spent;
      this.#oldest = Math.min(this.#oldest, slot.index);
    }
  }

  state(budget: Budget): BudgetState {
    const [held, spent] = [this.#held, this.#spent];
    const left = Math.max(0, budget.limit - held - spent);
    return { budget, held, spent, left, resetsAt: this.#resetsAt() };
  }

  #from(): number {
    return this.#index - this.#calendar.span + 1;
  }

  /** What was asked later than now, before the clock went back, was asked within the last hours all the same. */
  #isCounted({ index }: Slot): boolean {
    return this.#isRolling ? index >= this.#from() : index === this.#index;
  }

  #resetsAt(): EpochMs | null {
    if (!this.#isRolling) {
      return Number.isFinite(this.#end) ? (this.#end as EpochMs) : null;
    }
    const oldest = this.#slots.get(this.#oldest);
    if (oldest === undefined || isEmpty(oldest)) {
      this.#findOldest();
    }
    return this.#oldest === Infinity
      ? null
      : this.#calendar.startOf(this.#oldest + this.#calendar.span);
  }

  #findOldest(): void {
    this.#oldest = Infinity;
    for (const slot of this.#slots.values()) {
      if (!isEmpty(slot) && this.#isCounted(slot)) {
        this.#oldest = Math.min(this.#oldest, slot.index);
      }
    }
  }

  #forget(): void {
    this.#newest = Math.max(this.#newest, this.#index);
    const kept = this.#newest - 2 * this.#calendar.span;
    for (const index of this.#slots.keys()) {
      if (index < kept) {
        this.#slots.delete(index);
      }
    }
    this.#knownFrom = Math.max(this.#knownFrom, kept);
  }

  #sum(): void {
    this.#held = 0;
    this.#spent = 0;
    this.#findOldest();
    for (const slot of this.#slots.values()) {
      if (this.#isCounted(slot)) {
        this.#held += slot.held;
        this.#spent += slot.spent;
      }
    }
  }
}

const isEmpty = ({ held, spent }: Slot): boolean => held === 0 && spent === 0;
