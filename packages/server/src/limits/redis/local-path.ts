import type { RequestId } from "@claude-relay/contract";
import type { Admission, Amounts, Ask, BudgetState, Verdict } from "../../pipeline/admission.ts";
import type { LocalReserve } from "./local-reserve.ts";

type Options = Readonly<{
  /** Keeps limits for this process alone; null when requests with limits shall be refused instead. */
  fallback: Admission | null;
  reserve: LocalReserve;
}>;

/** Redis is back within five seconds of answering again. */
const retryAfterMs = 2_000;

const unavailable: Verdict = { kind: "unavailable", retryAfterMs };

/** Decides without Redis: limits by this process's own count, budgets from the local reserve. */
export class LocalPath {
  readonly #fallback: Admission | null;
  readonly #reserve: LocalReserve;

  constructor({ fallback, reserve }: Options) {
    this.#fallback = fallback;
    this.#reserve = reserve;
  }

  /** Grants or refuses at once. */
  decide(ask: Ask): Verdict {
    if (!this.#reserve.fits(ask)) {
      return this.#fallback?.refusedAlready(ask.limits) ?? unavailable;
    }
    const limits = this.#askLimits(ask);
    if (limits.kind === "granted") {
      this.#reserve.take(ask);
      return { ...limits, budgets: ask.budgets.flatMap((budget) => this.#state(budget)) };
    }
    return limits;
  }

  settle(id: RequestId, used: Amounts | null): void {
    this.#fallback?.settle(id, used);
    this.#reserve.settle(id, used);
  }

  #askLimits(ask: Ask): Verdict {
    if (ask.limits.length === 0) {
      return { kind: "granted", limits: [], budgets: [] };
    }
    const verdict = this.#fallback?.ask({ ...ask, budgets: [] }) ?? unavailable;
    // Without budgets an admission in memory has nothing to wait for.
    return verdict instanceof Promise ? unavailable : verdict;
  }

  #state(budget: BudgetState["budget"]): readonly BudgetState[] {
    const state = this.#reserve.stateOf(budget);
    return state === null ? [] : [state];
  }
}
