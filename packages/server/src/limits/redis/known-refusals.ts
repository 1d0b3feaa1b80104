import type { EpochMs } from "@claude-relay/contract";
import type { Ask, Limit, Verdict } from "../../pipeline/admission.ts";
import { limitName, scopeName } from "./script-args.ts";

type OverLimit = Extract<Verdict, { kind: "over_limit" }>;
type Known = Readonly<{ until: number; resetAt: number }>;

/**
 * What this process knows without asking: limits Redis refused until a time nothing can bring forward, and scopes
 * that have all their places taken by this process alone.
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
      this.#known.set(keyOf(state.limit), {
        until: now + retryAfterMs,
        resetAt: now + state.resetMs,
      });
      if (this.#known.size > this.#maxKnown) {
        this.#known.clear();
      }
    }
  }

  started({ limits }: Ask): void {
    this.#count(limits, 1);
  }

  ended({ limits }: Ask): void {
    this.#count(limits, -1);
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
    if (known.until <= now) {
      this.#known.delete(key);
      return null;
    }
    const resetMs = Math.ceil(known.resetAt - now);
    const retryAfterMs = Math.ceil(known.until - now);
    return { kind: "over_limit", state: { limit, remaining: 0, resetMs }, retryAfterMs };
  }
}

/** A day's count is the same whatever its limit, but not who is over it. */
const keyOf = (limit: Limit): string => `${limit.kind}:${limit.max}:${limitName(limit)}`;
