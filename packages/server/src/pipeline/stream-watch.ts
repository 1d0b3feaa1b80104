import type { PriceBook } from "./price/pricing.ts";
import type { Intent, Ledger } from "./types.ts";
import type { UsageMeter } from "./usage/usage.ts";

type WatchDeps = Readonly<{ ledger: Ledger; prices: PriceBook; pingIntervalMs: number }>;

/** At most so often a stream's count goes into the journal. */
const markIntervalMs = 1000;

/** Watches one running stream: how long it has been silent, and how far its count has come. */
export class StreamWatch {
  readonly #deps: WatchDeps;
  readonly #intent: Intent;
  readonly #meter: UsageMeter;
  #heardMs: number;
  #markedMs: number;
  #markedOutput = 0;

  /** Monotonic times: when the request came in, and when its answer began. */
  constructor(
    deps: WatchDeps,
    intent: Intent,
    meter: UsageMeter,
    startedMs: number,
    begunMs: number,
  ) {
    this.#deps = deps;
    this.#intent = intent;
    this.#meter = meter;
    this.#markedMs = startedMs;
    this.#heardMs = begunMs;
  }

  /** Upstream spoke, or we did for it: the silence begins anew. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** Silent for too long, and between two events, where a ping may stand. */
  needsPing(nowMs: number): boolean {
    return nowMs - this.#heardMs >= this.#deps.pingIntervalMs && this.#meter.atEventBoundary;
  }

  /** Notes in the ledger what has been counted, when that is more than at the last mark. */
  markProgress(nowMs: number): void {
    if (nowMs - this.#markedMs < markIntervalMs) {
      return;
    }
    this.#markedMs = nowMs;
    const { started, usage, responseModel } = this.#meter.report();
    if (started && usage.outputTokens !== this.#markedOutput) {
      this.#markedOutput = usage.outputTokens;
      const { id, model, startedAt } = this.#intent;
      const { ledger, prices } = this.#deps;
      const { costMicroUsd } = prices.price({
        model: responseModel ?? model ?? "",
        usage,
        at: startedAt,
      });
      ledger.progress({ id, usage, costMicroUsd });
    }
  }
}
