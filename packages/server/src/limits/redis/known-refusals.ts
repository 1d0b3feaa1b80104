import type { EpochMs } from "@claude-relay/contract";
import type { Ask, Limit, LimitState, Verdict } from "../../pipeline/admission.ts";
import { scopeName } from "../scope-name.ts";
import { limitName } from "./script-args.ts";

type OverLimit = Extract<Verdict, { kind: "over_limit" }>;
type Known = Readonly<{ until: number; resetAt: number; believedUntil: number }>;

/** A day's request may be given back by any instance: whoever is refused asks again so soon. */
const dayBelievedMs = 1_000;

/**
 * What this process knows without asking: limits that Redis refused, or said are used up, until a time that little can
 * bring forward, and scopes that have all their places taken by this process alone.
 */
export class KnownRefusals {
  readonly #now: () => EpochMs;
  readonly #maxKnown: number;
  readonly #known = new Map<string, Known>();
  readonly #running = new Map<string, number>();

  constructor(now: () => EpochMs, maxKnown = 100_000) {
    this.#now = now;
    this.#maxKnown = maxKnown;
  }

  find(limits: readonly Limit[]): Verdict | null {
    for (const limit of limits) {
      const refusal = limit.kind === "concurrency" ? this.#full(limit) : this.#refused(limit);
      if (refusal !== null) {
        return refusal;
      }
    }
    return null;
  }

  saw({ state, retryAfterMs }: OverLimit): void {
    const { kind } = state.limit;
    if (kind === "requests" || kind === "requests_per_day") {
      const now = this.#now();
      const until = now + retryAfterMs;
      this.#known.set(keyOf(state.limit), {
        until,
        resetAt: now + state.resetMs,
        believedUntil: kind === "requests" ? until : Math.min(until, now + dayBelievedMs),
      });
      if (this.#known.size > this.#maxKnown) {
        this.#known.clear();
      }
    }
  }

  /** What a grant has left of limits: one that is used up refuses the next request before its body is read. */
  sawLeft(states: readonly LimitState[]): void {
    for (const state of states) {
      const retryAfterMs = state.remaining === 0 ? untilNext(state) : 0;
      if (retryAfterMs > 0) {
        this.saw({ kind: "over_limit", state, retryAfterMs });
      }
    }
  }

  started({ limits }: Ask): void {
    this.#count(limits, 1);
  }

  /** @param isUnsent Upstream was never called: the day's request is given back. */
  ended({ limits }: Ask, isUnsent: boolean): void {
    this.#count(limits, -1);
    if (isUnsent && this.#known.size > 0) {
      for (const limit of limits) {
        if (limit.kind === "requests_per_day") {
          this.#known.delete(keyOf(limit));
        }
      }
    }
  }

  /** The counters are others now. */
  clear(): void {
    this.#known.clear();
  }

  #count(limits: readonly Limit[], by: number): void {
    for (const limit of limits) {
      if (limit.kind === "concurrency") {
        const key = scopeName(limit.scope);
        const running = (this.#running.get(key) ?? 0) + by;
        if (running > 0) {
          this.#running.set(key, running);
        } else {
          this.#running.delete(key);
        }
      }
    }
  }

  #full(limit: Limit): Verdict | null {
    const running = this.#running.get(scopeName(limit.scope)) ?? 0;
    return running < limit.max
      ? null
      : { kind: "over_limit", state: { limit, remaining: 0, resetMs: 0 }, retryAfterMs: 1_000 };
  }

  #refused(limit: Limit): Verdict | null {
    const key = keyOf(limit);
    const known = this.#known.get(key);
    if (known === undefined) {
      return null;
    }
    const now = this.#now();
    if (known.believedUntil <= now) {
      this.#known.delete(key);
      return null;
    }
    const resetMs = Math.ceil(known.resetAt - now);
    const retryAfterMs = Math.ceil(known.until - now);
    return { kind: "over_limit", state: { limit, remaining: 0, resetMs }, retryAfterMs };
  }
}

/** Until one more request fits into a limit that is used up. */
const untilNext = ({ limit, resetMs }: LimitState): number =>
  limit.kind === "requests"
    ? Math.ceil(resetMs + limit.windowMs / limit.max - limit.windowMs)
    : resetMs;

/** A day's count is the same whatever its limit, but not who is over it. */
const keyOf = (limit: Limit): string => `${limit.kind}:${limit.max}:${limitName(limit)}`;
