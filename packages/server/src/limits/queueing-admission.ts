import type { BudgetId, RequestId } from "@claude-relay/contract";
import type {
  Admission,
  Amounts,
  Ask,
  Asker,
  Budget,
  BudgetState,
  Limit,
  Verdict,
} from "../pipeline/admission.ts";
import { isFull } from "./full-places.ts";
import { PlaceQueue, type PlaceQueueOptions } from "./place-queue.ts";

/**
 * An admission under which a request over its concurrency waits for a place instead of being refused: first come
 * first served within a caller, in rotation between callers. A refused ask takes nothing, so everything else the
 * request is held to is taken once, when it has its place.
 */
export const queueing = (admission: Admission, options: PlaceQueueOptions): Admission =>
  new QueueingAdmission(admission, options);

class QueueingAdmission implements Admission {
  readonly #admission: Admission;
  readonly #queue: PlaceQueue;
  /** All places are this process's: it hears of each that is freed. */
  readonly #isAlone: boolean;

  constructor(admission: Admission, options: PlaceQueueOptions) {
    this.#admission = admission;
    this.#queue = new PlaceQueue(admission, options);
    this.#isAlone = options.pollMs === null;
  }

  refusedAlready(limits: readonly Limit[], callerKey?: string): Verdict | null {
    const verdict = this.#admission.refusedAlready(limits);
    const mayWait =
      verdict !== null &&
      isFull(verdict) &&
      callerKey !== undefined &&
      this.#queue.mayWait(callerKey);
    return mayWait
      ? this.#admission.refusedAlready(limits.filter(({ kind }) => kind !== "concurrency"))
      : verdict;
  }

  ask(ask: Ask, callerKey?: string, asker?: Asker): Verdict | Promise<Verdict> {
    if (callerKey === undefined || asker === undefined) {
      return this.#admission.ask(ask);
    }
    const refusal = this.#queue.refusalOf(ask.limits);
    if (refusal !== null) {
      return this.#queue.wait(ask, callerKey, asker, refusal);
    }
    const verdict = this.#admission.ask(ask);
    return verdict instanceof Promise
      ? verdict.then((decided) => this.#decidedLater(decided, ask, callerKey, asker))
      : this.#decided(verdict, ask, callerKey, asker);
  }

  settle(id: RequestId, used: Amounts | null): void {
    this.#admission.settle(id, used);
    this.#queue.serve();
  }

  states(budgets: readonly Budget[]): Promise<readonly BudgetState[]> {
    return this.#admission.states(budgets);
  }

  forget(id: BudgetId): void {
    this.#admission.forget(id);
  }

  close(): Promise<void> {
    this.#queue.sendAllAway();
    return this.#admission.close();
  }

  #decided(verdict: Verdict, ask: Ask, callerKey: string, asker: Asker) {
    return isFull(verdict) && verdict.isFinal !== true
      ? this.#queue.wait(ask, callerKey, asker, verdict)
      : verdict;
  }

  /** A place may have been freed between the decision and now, when nobody waited for it yet. */
  #decidedLater(verdict: Verdict, ask: Ask, callerKey: string, asker: Asker) {
    const decided = this.#decided(verdict, ask, callerKey, asker);
    if (decided instanceof Promise && this.#isAlone) {
      this.#queue.serve();
    }
    return decided;
  }
}
