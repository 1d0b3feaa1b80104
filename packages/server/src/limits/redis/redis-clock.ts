import { type EpochMs, epochMs } from "@claude-relay/contract";

/** Redis's clock, as far as its last answer and our own clock tell. */
export class RedisClock {
  readonly #now: () => EpochMs;
  #ahead = 0;

  constructor(now: () => EpochMs) {
    this.#now = now;
  }

  now(): EpochMs {
    return epochMs(this.#now() + this.#ahead);
  }

  saw(redisNow: number): void {
    this.#ahead = redisNow - this.#now();
  }
}
