import type { Limit, Scope } from "../pipeline/admission.ts";
import { DayCount } from "./day-count.ts";
import { Gcra } from "./gcra.ts";
import type { LimitCounter, Moment } from "./limit-counter.ts";
import { OpenCount } from "./open-count.ts";

/** How exactly the order of use is kept: moving a key at every use would cost more than the limit itself. */
const orderMs = 1000;

/** The counters of all limits by whose they are, bounded: idle ones are forgotten first, then the longest unused. */
export class LimitTable {
  readonly #counters = new Map<string, LimitCounter>();
  readonly #maxKeys: number;
  #sweepAbove: number;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
    this.#sweepAbove = maxKeys;
  }

  get size(): number {
    return this.#counters.size;
  }

  /** The counter of this limit, if anything was ever taken of it. */
  find(limit: Limit): LimitCounter | undefined {
    return this.#counters.get(keyOf(limit));
  }

  /** The counter of this limit; a new, whole one when there is none. */
  get(limit: Limit, now: Moment): LimitCounter {
    const key = keyOf(limit);
    const counter = this.#counters.get(key);
    if (counter === undefined) {
      return this.#add(key, createCounter(limit, now), now);
    }
    if (now.monotonic - counter.seenAt > orderMs) {
      counter.seenAt = now.monotonic;
      this.#counters.delete(key);
      this.#counters.set(key, counter);
    }
    return counter;
  }

  /** Begins the present day with requests that an earlier process counted. */
  countToday(scope: Scope, requests: number, now: Moment): void {
    const key = keyOf({ kind: "requests_per_day", scope, max: 0 });
    this.#add(key, new DayCount(now, requests), now);
  }

  #add(key: string, counter: LimitCounter, now: Moment): LimitCounter {
    this.#counters.set(key, counter);
    if (this.#counters.size > this.#sweepAbove) {
      this.#sweep(counter, now);
    }
    return counter;
  }

  #sweep(newest: LimitCounter, now: Moment): void {
    for (const [key, counter] of this.#counters) {
      if (counter !== newest && counter.isIdle(now)) {
        this.#counters.delete(key);
      }
    }
    for (const [key, counter] of this.#counters) {
      if (this.#counters.size <= this.#maxKeys * 0.75) {
        break;
      }
      if (counter !== newest && !counter.isPinned()) {
        this.#counters.delete(key);
      }
    }
    // When all are pinned: sweep again only after as many have come as stay.
    this.#sweepAbove = Math.max(this.#maxKeys, 2 * this.#counters.size);
  }
}

const createCounter = (limit: Limit, now: Moment): LimitCounter => {
  switch (limit.kind) {
    case "requests":
    case "input_tokens":
    case "output_tokens":
      return new Gcra(limit.max, limit.windowMs, now.monotonic);
    case "requests_per_day":
      return new DayCount(now);
    case "concurrency":
      return new OpenCount(now);
  }
};

/** A caller's limits are the same objects until something is changed. */
const keys = new WeakMap<Limit, string>();

const keyOf = (limit: Limit): string => {
  let key = keys.get(limit);
  if (key === undefined) {
    key = newKey(limit);
    keys.set(limit, key);
  }
  return key;
};

/** A rate that is changed is another limit; what was counted today, or is open, is so whatever the limit. */
const newKey = (limit: Limit): string => {
  const { kind, scope } = limit;
  switch (kind) {
    case "requests":
    case "input_tokens":
    case "output_tokens":
      return `${kind} ${limit.max}/${limit.windowMs} ${scope.kind} ${scope.id}`;
    case "requests_per_day":
    case "concurrency":
      return `${kind} ${scope.kind} ${scope.id}`;
  }
};
