import type { IncomingHttpHeaders } from "node:http";
import type { Amounts as Used } from "../../pipeline/admission.ts";
import type { Later } from "../../pipeline/later.ts";
import type { UpstreamFailure } from "../../pipeline/types.ts";
import { Callers, type Sharer } from "./callers.ts";
import type { CallWatch, SharedCall } from "./shared-call.ts";
import type { Supply } from "./supply.ts";
import { type Amounts, add, noAmounts } from "./told-limits.ts";

export type PoolOptions = Readonly<{
  /** How long a call may wait for its turn. */
  maxWaitMs: number;
  /** How many may wait at once, for one model. */
  maxWaiting: number;
  monotonicMs: () => number;
  later: Later;
}>;

/** At most this part of a limit is left for callers that are away. */
const reservedPart = 0.25;
/** The cost of a call, in parts of a limit, while no limit is known. */
const unknownCost = 0.001;
const oneCall: Amounts = [1, 0, 0, 0];
/** Turns are handed out at most this often by time alone. */
const shortestMs = 5;

/**
 * One model's callers, and what upstream gives them. While it is scarce the next turn is of the caller that was
 * served least; a caller alone is never held back.
 */
export class SharePool implements CallWatch {
  readonly supply: Supply;
  readonly #options: PoolOptions;
  readonly #callers = new Callers<SharedCall>();
  #average: Amounts = oneCall;
  #callOff: (() => void) | null = null;

  constructor(supply: Supply, options: PoolOptions) {
    this.supply = supply;
    this.#options = options;
  }

  get waiting(): number {
    return this.#callers.waiting;
  }

  isIdle(now: number): boolean {
    return this.#callers.isIdle(now);
  }

  /** Lets a call through, now or in its turn, or refuses it. */
  enter(call: SharedCall): void {
    const now = this.#options.monotonicMs();
    const sharer = this.#callers.touch(call.callerKey, now);
    if (this.#callers.isAlone(sharer, now)) {
      this.#letThrough(sharer, call);
      return;
    }
    this.#callers.join(sharer, call);
    this.#serve();
    if (call.taken === null) {
      this.#hold(sharer, call, now);
    }
  }

  heard(callerKey: string, key: string, status: number, headers: IncomingHttpHeaders): boolean {
    this.#callers.touch(callerKey, this.#options.monotonicMs());
    const isNews = this.supply.heard(key, status, headers);
    if (this.#callers.waiting > 0) {
      this.#serve();
    }
    return isNews;
  }

  left(call: SharedCall): void {
    this.#callers.leave(call);
    this.#serve();
  }

  answered(call: SharedCall, status: number | null, isLate: boolean): void {
    const { taken } = call;
    if (taken !== null) {
      if (!isLate) {
        this.supply.answered(taken.amounts);
      }
      const sharer = this.#callers.get(call.callerKey);
      if (status === 429 && sharer !== undefined) {
        // It got nothing.
        this.#callers.correct(sharer, -taken.cost);
      }
      this.#serve();
    }
  }

  late({ taken }: SharedCall): void {
    if (taken !== null) {
      this.supply.presume(taken.amounts);
      this.#serve();
    }
  }

  used(call: SharedCall, { inputTokens, outputTokens }: Used): void {
    const sharer = this.#callers.get(call.callerKey);
    if (call.taken !== null && sharer !== undefined && inputTokens + outputTokens > 0) {
      const used: Amounts = [1, inputTokens, outputTokens, inputTokens + outputTokens];
      sharer.average = mean(sharer.average ?? used, used);
      this.#average = mean(this.#average, used);
      this.#callers.correct(sharer, this.#costOf(used) - call.taken.cost);
    }
  }

  /** It did not get its turn at once: it waits, if it is worth it, or is told when to come again. */
  #hold(sharer: Sharer<SharedCall>, call: SharedCall, now: number): void {
    const { maxWaitMs, maxWaiting, later } = this.#options;
    const waitMs = this.#waitOf(sharer, call, now);
    if (waitMs > maxWaitMs) {
      this.#refuse(call, waitMs);
      return;
    }
    if (this.#callers.waiting > maxWaiting) {
      const loser = this.#callers.newestBeyond(sharer) ?? call;
      this.#refuse(loser, this.#waitOf(this.#callers.get(loser.callerKey) ?? sharer, loser, now));
    }
    if (call.taken === null) {
      call.callOff = later(maxWaitMs, () =>
        this.#refuse(call, this.#waitOf(sharer, call, this.#options.monotonicMs())),
      );
    }
  }

  #refuse(call: SharedCall, waitMs: number): void {
    if (this.#callers.leave(call)) {
      call.refuse(overShare(waitMs));
      this.#serve();
    }
  }

  /** About how long until its turn: when upstream has given what all before it need, in rotation, and it itself. */
  #waitOf(sharer: Sharer<SharedCall>, call: SharedCall, now: number): number {
    const place = sharer.waiting.indexOf(call) + 1;
    let needed = scaled(this.#amountsOf(sharer), place);
    for (const other of this.#callers.othersOf(sharer, now)) {
      needed = add(needed, scaled(this.#amountsOf(other), Math.min(place, other.waiting.length)));
    }
    return this.supply.msUntil(add(needed, this.#reserveFrom(sharer, now)), now);
  }

  /** Hands out turns while upstream has something to give. */
  #serve(): void {
    this.#callOff?.();
    this.#callOff = null;
    const now = this.#options.monotonicMs();
    for (let next = this.#callers.next(); next !== null; next = this.#callers.next()) {
      const [call] = next.waiting;
      if (call === undefined) {
        return;
      }
      const isAlone = this.#callers.isAlone(next, now);
      const waitMs = isAlone ? 0 : this.#msUntilTurn(next, now);
      if (waitMs > 0) {
        this.#serveIn(waitMs);
        return;
      }
      this.#callers.leave(call);
      this.#letThrough(next, call);
    }
  }

  #msUntilTurn(sharer: Sharer<SharedCall>, now: number): number {
    return this.supply.awaitsAnswer
      ? Number.POSITIVE_INFINITY
      : this.supply.msUntil(add(this.#amountsOf(sharer), this.#reserveFrom(sharer, now)), now);
  }

  /** An answer that is waited for has this called by itself. */
  #serveIn(ms: number): void {
    if (Number.isFinite(ms)) {
      this.#callOff = this.#options.later(Math.max(shortestMs, Math.ceil(ms)), () => this.#serve());
    }
  }

  #letThrough(sharer: Sharer<SharedCall>, call: SharedCall): void {
    const amounts = this.#amountsOf(sharer);
    const cost = this.#costOf(amounts);
    this.#callers.charge(sharer, cost);
    this.supply.sent(amounts);
    call.taken = { amounts, cost };
    try {
      call.go(this.#options.later);
    } catch {
      // A fault of ours: it was not sent, and its sender hears of it as of any other failure.
      call.onFailure({ kind: "unreachable", message: "the relay failed", sent: false });
    }
  }

  #amountsOf({ average }: Sharer<SharedCall>): Amounts {
    return average ?? this.#average;
  }

  /** One call of each that is away and was served less: it shall pass at once when it comes. */
  #reserveFrom(sharer: Sharer<SharedCall>, now: number): Amounts {
    let reserve = noAmounts;
    const start = this.#callers.startOf(sharer);
    for (const other of this.#callers.othersOf(sharer, now)) {
      if (other.waiting.length === 0 && this.#callers.startOf(other) < start) {
        reserve = add(reserve, this.#amountsOf(other));
      }
    }
    const limits = this.supply.limits();
    const capped = reserve.map((amount, kind) =>
      Math.min(amount, (limits[kind] ?? 0) * reservedPart),
    );
    return [capped[0] ?? 0, capped[1] ?? 0, capped[2] ?? 0, capped[3] ?? 0];
  }

  /** The largest part of any limit. */
  #costOf(amounts: Amounts): number {
    let cost = 0;
    const limits = this.supply.limits();
    for (let kind = 0; kind < limits.length; kind += 1) {
      const limit = limits[kind];
      if (limit !== null && limit !== undefined) {
        cost = Math.max(cost, (amounts[kind] ?? 0) / limit);
      }
    }
    return cost === 0 ? unknownCost : cost;
  }
}

const scaled = ([a, b, c, d]: Amounts, by: number): Amounts => [a * by, b * by, c * by, d * by];

const mean = (a: Amounts, b: Amounts): Amounts => scaled(add(a, b), 0.5);

/** The caller's fault is only that others want to be served too. */
const overShare = (waitMs: number): UpstreamFailure => {
  const retryAfterSeconds = Math.max(1, Math.ceil(Math.min(waitMs, 3_600_000) / 1000));
  return { kind: "limited", retryAfterSeconds, sent: false };
};
