import type { IncomingHttpHeaders } from "node:http";
import { type Amounts, add, noAmounts, resetInMs, retryAfterMs, toldOf } from "./told-limits.ts";
import { Window } from "./window.ts";

/** Keys of one organization share its limits; those that name none are each on their own. */
type Source = { readonly windows: (Window | null)[]; blockedUntil: number };

type Clock = Readonly<{ now(): number; monotonicMs(): number }>;

/** Below this part of a limit callers are watched. */
const scarcePart = 0.25;
/** So long after a 429 upstream is taken to be scarce. */
const wary = 60_000;
/** Upstream's limits are by the minute. */
const minuteMs = 60_000;
/** Rest after a 429 that does not say how long. */
const defaultRestMs = 1_000;
/** Calls out at once without an answer, beyond which nobody counts them any more. */
const wideOpen = 64;

/** A key that upstream does not take gives nothing. */
const rejected: Source = { windows: [], blockedUntil: Number.POSITIVE_INFINITY };

const kinds = [0, 1, 2, 3] as const;

/** What upstream still gives for one model, as far as its answers tell. */
export class Supply {
  readonly #clock: Clock;
  readonly #keyCount: number;
  readonly #sources = new Map<string, Source>();
  readonly #sourceOfKey = new Map<string, Source>();
  #scarceUntil = 0;
  /** Passed since the last answer, uncounted otherwise. */
  #unheard = 0;
  /** How many more of them leave upstream plentiful. */
  #headroom = Number.POSITIVE_INFINITY;
  /** Counted calls without an answer yet, and the most there may be: after a 429 it opens again call by call. */
  #pending: Amounts = noAmounts;
  #open = Number.POSITIVE_INFINITY;

  /** @param keyCount how many keys there are; as long as one has not been heard of, there may be room */
  constructor(clock: Clock, keyCount: number) {
    this.#clock = clock;
    this.#keyCount = keyCount;
  }

  /** /!\ Hot path. */
  isScarce(now: number): boolean {
    return now < this.#scarceUntil || (this.#unheard > 0 && this.#unheard >= this.#headroom);
  }

  /** A call passed while there was plenty. */
  passed(): void {
    this.#unheard += 1;
  }

  /** A call was let through while it is scarce; `answered` follows. */
  sent(amounts: Amounts): void {
    this.#pending = add(this.#pending, amounts);
  }

  answered([requests, input, output, tokens]: Amounts): void {
    this.#pending = add(this.#pending, [-requests, -input, -output, -tokens]);
  }

  /** Its answer is long in coming, but what it takes upstream has counted by now. */
  presume(amounts: Amounts): void {
    this.answered(amounts);
    this.#open += 1;
    for (const { windows } of this.#sources.values()) {
      for (const kind of kinds) {
        windows[kind]?.spend(amounts[kind] / this.#sources.size, this.#clock.monotonicMs());
      }
    }
  }

  /** The most of each kind; null where unknown. */
  limits(): readonly (number | null)[] {
    return kinds.map((kind) => {
      let sum: number | null = null;
      for (const { windows } of this.#sources.values()) {
        const window = windows[kind];
        if (window) {
          sum = (sum ?? 0) + window.limit;
        }
      }
      return sum;
    });
  }

  /** After a refusal, an answer that is on its way is waited for: it brings better knowledge. */
  get awaitsAnswer(): boolean {
    return this.#pending[0] >= this.#open;
  }

  /** Until so much more would pass, in milliseconds, as far as can be told; 0 when it passes now. */
  msUntil(amounts: Amounts, now: number): number {
    if (this.#sourceOfKey.size < this.#keyCount) {
      return 0;
    }
    let least = Number.POSITIVE_INFINITY;
    for (const source of this.#sources.values()) {
      least = Math.min(least, this.#msUntilOf(source, amounts, now));
    }
    return least;
  }

  /** What an answer tells. Gives true when upstream has just become scarce by refusing. */
  heard(key: string, status: number, headers: IncomingHttpHeaders): boolean {
    const now = this.#clock.monotonicMs();
    this.#unheard = 0;
    if (status === 401) {
      this.#sourceOfKey.set(key, rejected);
      return false;
    }
    const source = this.#sourceOf(key, headers);
    const isLimit = status === 429;
    const wasScarce = now < this.#scarceUntil;
    const hasRoom = this.#learn(source, headers, isLimit, now);
    if (!isLimit) {
      this.#open = this.#open + 1 > wideOpen ? Number.POSITIVE_INFINITY : this.#open + 1;
      return false;
    }
    if (hasRoom) {
      // That call alone was too large: it must not stop the others'.
      return false;
    }
    const rest = retryAfterMs(headers, this.#clock.now()) ?? defaultRestMs;
    source.blockedUntil = Math.max(source.blockedUntil, now + rest);
    if (this.#isBlocked(now)) {
      this.#open = 1;
      this.#scarceUntil = Math.max(this.#scarceUntil, now + rest + wary);
    }
    return !wasScarce && now < this.#scarceUntil;
  }

  /** Gives true when every limit that is told has something left. */
  #learn(source: Source, headers: IncomingHttpHeaders, isLimit: boolean, now: number): boolean {
    const isAlone = this.#sources.size === 1;
    let hasRoom: boolean | null = null;
    this.#headroom = Number.POSITIVE_INFINITY;
    for (const kind of kinds) {
      const told = toldOf(headers, kind);
      if (told === null) {
        continue;
      }
      const { limit, remaining } = told;
      const spare = remaining - limit * scarcePart;
      const isWatched = spare < 0 || isLimit || now < this.#scarceUntil;
      // While there is plenty it is not worth reading when it is whole.
      const inMs = isWatched
        ? resetInMs(headers, kind, this.#clock.now())
        : ((limit - remaining) / limit) * minuteMs;
      source.windows[kind] ??= new Window();
      source.windows[kind].tell(limit, remaining, now, now + inMs);
      hasRoom = (hasRoom ?? true) && remaining >= 1;
      if (isAlone && kind === 0) {
        this.#headroom = spare;
      }
      if (isAlone && spare < 0) {
        this.#scarceUntil = Math.max(this.#scarceUntil, now + inMs);
      }
    }
    return hasRoom ?? false;
  }

  #msUntilOf({ windows, blockedUntil }: Source, amounts: Amounts, now: number): number {
    let wait = Math.max(0, blockedUntil - now);
    for (const kind of kinds) {
      const window = windows[kind];
      if (window) {
        const wanted = Math.min(window.limit, amounts[kind] + this.#pending[kind]);
        wait = Math.max(wait, window.msUntil(wanted, now));
      }
    }
    return wait;
  }

  #sourceOf(key: string, headers: IncomingHttpHeaders): Source {
    const known = this.#sourceOfKey.get(key);
    if (known !== undefined && known !== rejected) {
      return known;
    }
    const name = String(headers["anthropic-organization-id"] ?? key);
    const source = this.#sources.get(name) ?? {
      windows: [null, null, null, null],
      blockedUntil: 0,
    };
    this.#sources.set(name, source);
    this.#sourceOfKey.set(key, source);
    return source;
  }

  #isBlocked(now: number): boolean {
    return (
      this.#sourceOfKey.size >= this.#keyCount &&
      [...this.#sources.values()].every(({ blockedUntil }) => blockedUntil > now)
    );
  }
}
