import type { Admission, Ask, Asker, Limit, Verdict } from "../pipeline/admission.ts";
import type { Later } from "../pipeline/later.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { FullPlaces, isFull, type OverLimit } from "./full-places.ts";
import { PlaceWaiting } from "./place-waiting.ts";
import { WaitingLines } from "./waiting-lines.ts";

export type PlaceQueueOptions = Readonly<{
  /** How long a request may wait for a place. */
  maxWaitMs: number;
  /** How many may wait at once. */
  maxWaiting: number;
  /**
   * Where other processes free places too: about how often they are looked for. Null when this process is the
   * only one, and so hears of every place.
   */
  pollMs: number | null;
  monotonicMs: () => number;
  later: Later;
  /** From 0 to 1, so that processes do not ask in step. */
  random: () => number;
  /** From then on nobody waits any more. */
  draining: AbortSignal;
}>;

/** The requests that wait for a place, and who gets the next one. */
export class PlaceQueue {
  readonly #admission: Pick<Admission, "ask" | "settle">;
  readonly #options: PlaceQueueOptions;
  readonly #lines: WaitingLines<PlaceWaiting>;
  /** What those who wait wait for, as far as is known. */
  #full = new FullPlaces();
  #isServing = false;
  #mustServeAgain = false;
  #callOffPoll: (() => void) | null = null;

  constructor(admission: Pick<Admission, "ask" | "settle">, options: PlaceQueueOptions) {
    this.#admission = admission;
    this.#options = options;
    this.#lines = new WaitingLines(options.maxWaiting);
    options.draining.addEventListener("abort", () => this.sendAllAway(), { once: true });
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  mayWait(callerKey: string): boolean {
    return !this.#options.draining.aborted && this.#lines.hasRoomFor(callerKey);
  }

  /** What others wait for already, of the places under these limits: nobody overtakes them. */
  refusalOf(limits: readonly Limit[]): OverLimit | null {
    return this.isEmpty ? null : this.#full.find(limits);
  }

  /**
   * Puts a request that was refused a place in line.
   * @throws Refusal `draining`, `invalid_request` when its caller left
   */
  wait(ask: Ask, callerKey: string, asker: Asker, refusal: OverLimit): Verdict | Promise<Verdict> {
    if (this.#options.draining.aborted) {
      return Promise.reject(isDraining());
    }
    if (asker.left || !this.mayWait(callerKey)) {
      return refusal;
    }
    const { later, maxWaitMs, monotonicMs } = this.#options;
    const waiting = new PlaceWaiting({ ask, callerKey, refusal, monotonicMs });
    waiting.atMost(maxWaitMs, later, () => this.#end(waiting, () => waiting.refuse()));
    const loser = this.#lines.join(waiting);
    if (loser !== null) {
      this.#end(loser, () => loser.refuse());
    }
    this.#full.add(refusal);
    asker.onLeave(() => this.#end(waiting, () => waiting.fail(hasLeft())));
    this.#poll();
    return waiting.verdict;
  }

  /** Hands out places until none is left that somebody waits for: in memory all in one turn. */
  serve(): void {
    if (this.isEmpty) {
      return;
    }
    if (this.#isServing) {
      this.#mustServeAgain = true;
      return;
    }
    this.#isServing = true;
    this.#serveNext(new FullPlaces());
  }

  sendAllAway(): void {
    for (const waiting of this.#lines.all()) {
      this.#end(waiting, () => waiting.fail(isDraining()));
    }
  }

  /** @param full what has been found full in this round */
  #serveNext(full: FullPlaces): void {
    for (;;) {
      const next = this.#lines.first(({ places }) => !full.holdsAny(places));
      if (next === null) {
        this.#served(full);
        return;
      }
      next.isAsking = true;
      const verdict = this.#askAgain(next);
      if (verdict instanceof Promise) {
        void verdict
          .then(
            (decided) => this.#took(next, decided, full),
            (error: unknown) => this.#failed(next, error),
          )
          .then(() => this.#serveNext(full));
        return;
      }
      if (verdict !== null) {
        this.#took(next, verdict, full);
      }
    }
  }

  /** Null when it could not be asked, and has been told so. */
  #askAgain(waiting: PlaceWaiting): Verdict | Promise<Verdict> | null {
    try {
      return this.#admission.ask(waiting.ask);
    } catch (error) {
      this.#failed(waiting, error);
      return null;
    }
  }

  #took(waiting: PlaceWaiting, verdict: Verdict, full: FullPlaces): void {
    waiting.isAsking = false;
    if (isFull(verdict)) {
      full.add(verdict);
      waiting.refusal = verdict;
    }
    if (waiting.ending !== null) {
      if (verdict.kind === "granted") {
        this.#admission.settle(waiting.ask.id, null);
        this.#mustServeAgain = true;
      }
      waiting.ending();
    } else if (!isFull(verdict) || verdict.isFinal === true) {
      this.#lines.served(waiting);
      waiting.decide(verdict);
    }
  }

  #failed(waiting: PlaceWaiting, error: unknown): void {
    waiting.isAsking = false;
    this.#end(waiting, waiting.ending ?? (() => waiting.fail(error)));
  }

  /** Takes one out of its line for good. One whose ask is on its way is told when that is back. */
  #end(waiting: PlaceWaiting, tell: () => void): void {
    this.#lines.leave(waiting);
    if (waiting.isAsking) {
      waiting.ending ??= tell;
    } else {
      tell();
    }
    this.#rest();
  }

  #served(full: FullPlaces): void {
    this.#isServing = false;
    this.#full = full;
    const again = this.#mustServeAgain;
    this.#mustServeAgain = false;
    if (again) {
      this.serve();
    }
    this.#poll();
    this.#rest();
  }

  /** Looks again in a while, if others may free a place meanwhile. */
  #poll(): void {
    const { pollMs, later, random } = this.#options;
    if (pollMs !== null && this.#callOffPoll === null && !this.isEmpty) {
      this.#callOffPoll = later(pollMs * (0.75 + random() / 2), () => {
        this.#callOffPoll = null;
        this.serve();
      });
    }
  }

  #rest(): void {
    if (this.isEmpty) {
      this.#callOffPoll?.();
      this.#callOffPoll = null;
      // Places that nobody waits for are freed unseen.
      this.#full = new FullPlaces();
    }
  }
}

const hasLeft = (): Refusal =>
  new Refusal("invalid_request", "The caller left while it waited for a place.");

const isDraining = (): Refusal =>
  new Refusal("draining", "This relay is shutting down. Please retry.", { retryAfterSeconds: 5 });
