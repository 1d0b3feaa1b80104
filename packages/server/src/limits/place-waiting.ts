import type { Ask, Verdict } from "../pipeline/admission.ts";
import type { Later } from "../pipeline/later.ts";
import { type OverLimit, placesOf } from "./full-places.ts";

type Options = Readonly<{
  ask: Ask;
  callerKey: string;
  /** What it is told if it gets no place. */
  refusal: OverLimit;
  monotonicMs: () => number;
}>;

/** A request that waits for a place: told once, by whatever comes first. */
export class PlaceWaiting {
  readonly ask: Ask;
  readonly callerKey: string;
  /** The places it needs, by name. */
  readonly places: readonly string[];
  readonly verdict: Promise<Verdict>;
  refusal: OverLimit;
  /** Its ask is on its way. */
  isAsking = false;
  /** How it ended meanwhile: a place it may be given is handed back. */
  ending: (() => void) | null = null;
  readonly #monotonicMs: () => number;
  readonly #sinceMs: number;
  readonly #resolve: (verdict: Verdict) => void;
  readonly #reject: (error: unknown) => void;
  #callOff: (() => void) | null = null;

  constructor({ ask, callerKey, refusal, monotonicMs }: Options) {
    this.ask = ask;
    this.callerKey = callerKey;
    this.refusal = refusal;
    this.places = placesOf(ask.limits);
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
    const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
    this.verdict = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Ends the wait after a while, unless it has ended before. */
  atMost(ms: number, later: Later, over: () => void): void {
    this.#callOff = later(ms, over);
  }

  decide(verdict: Verdict): void {
    this.#callOff?.();
    const isTold = verdict.kind === "granted" || verdict.kind === "over_limit";
    const queuedMs = Math.round(this.#monotonicMs() - this.#sinceMs);
    this.#resolve(isTold ? { ...verdict, queuedMs } : verdict);
  }

  refuse(): void {
    this.decide(this.refusal);
  }

  fail(error: unknown): void {
    this.#callOff?.();
    this.#reject(error);
  }
}
