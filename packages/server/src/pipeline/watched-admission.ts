import type { BudgetId, RequestId } from "@claude-relay/contract";
import type { Admission, Amounts, Ask, Asker, BudgetState, Verdict } from "./admission.ts";
import type { BudgetWatch } from "./budget-watch.ts";

/** Admission under the eyes of a watch. Requests without budgets pass as if it were not there. */
export const watched = (admission: Admission, watch: BudgetWatch): Admission =>
  new WatchedAdmission(admission, watch);

class WatchedAdmission implements Admission {
  readonly #admission: Admission;
  readonly #watch: BudgetWatch;
  /** Of each request that holds something, how its budgets stood when it was granted. */
  readonly #open = new Map<RequestId, readonly BudgetState[]>();

  constructor(admission: Admission, watch: BudgetWatch) {
    this.#admission = admission;
    this.#watch = watch;
  }

  ask(ask: Ask, callerKey?: string, asker?: Asker): Verdict | Promise<Verdict> {
    const verdict = this.#admission.ask(ask, callerKey, asker);
    if (ask.budgets.length === 0) {
      return verdict;
    }
    return verdict instanceof Promise
      ? verdict.then((decided) => this.#saw(ask.id, decided))
      : this.#saw(ask.id, verdict);
  }

  settle(id: RequestId, used: Amounts | null): void {
    this.#admission.settle(id, used);
    const states = this.#open.get(id);
    if (states !== undefined) {
      this.#open.delete(id);
      if (used !== null) {
        this.#watch.settled(states, used);
      }
    }
  }

  forget(id: BudgetId): void {
    this.#watch.forget(id);
    this.#admission.forget(id);
  }

  refusedAlready(limits: Ask["limits"], callerKey?: string): Verdict | null {
    return this.#admission.refusedAlready(limits, callerKey);
  }

  states(budgets: Ask["budgets"]): Promise<readonly BudgetState[]> {
    return this.#admission.states(budgets);
  }

  close(): Promise<void> {
    return this.#admission.close();
  }

  #saw(id: RequestId, verdict: Verdict): Verdict {
    if (verdict.kind === "granted") {
      this.#open.set(id, verdict.budgets);
      this.#watch.granted(verdict.budgets);
    } else if (verdict.kind === "over_budget") {
      this.#watch.refused(verdict.state, verdict.wanted);
    }
    return verdict;
  }
}
