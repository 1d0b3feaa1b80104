import type { RequestId } from "@claude-relay/contract";
import type { Budget, SpentOf, SpentSince } from "../../pipeline/admission.ts";
import { isWhole } from "../amounts.ts";
import type { RedisConnection } from "./connection.ts";
import type { CounterWindow } from "./counter-window.ts";
import type { Scripts } from "./lua/scripts.ts";
import { type Args, fillArgs, ownArgs } from "./script-args.ts";

type Options = Readonly<{
  connection: RedisConnection;
  scripts: Scripts;
  epoch: () => string;
  spentOf: SpentOf;
}>;

/** A request may end while the ledger is read; then it is read again. */
const mostReadings = 8;

/** Fills counters nobody has filled yet from the ledger, each once at a time. */
export class BudgetFill {
  readonly #options: Options;
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Resolves when the counter is filled, or when Redis would not have it now (another epoch, or others' holds are
   * still awaited): ask it again.
   * @throws whatever `spentOf` throws
   */
  fill(budget: Budget, window: CounterWindow): Promise<void> {
    const key = `${this.#options.epoch()} ${window.name}`;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#fill(budget, window).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #fill(budget: Budget, window: CounterWindow): Promise<void> {
    const { connection, scripts, epoch, spentOf } = this.#options;
    for (let reading = 0; reading < mostReadings; reading += 1) {
      const present = epoch();
      const own = await connection.run(scripts.own, ownArgs(present, budget, window));
      if (own[0] !== "ok") {
        return;
      }
      const leftOut = own.slice(1) as RequestId[];
      const since = await spentOf(budget, window.from, new Set(leftOut));
      const args = [...fillArgs(present, budget, window, leftOut), ...amountArgs(since, window)];
      const [answer] = await connection.run(scripts.fill, args);
      if (answer !== "again") {
        return;
      }
    }
    throw new Error(`budget ${budget.id} changed faster than the ledger could be read`);
  }
}

/** The sum, or for a rolling window bucket and amount in turn. */
const amountArgs = (since: SpentSince, { from, bucketMs }: CounterWindow): Args => {
  if (!since.every(({ amount }) => isWhole(amount))) {
    throw new RangeError("the ledger gave an amount that is not whole");
  }
  if (bucketMs === 0) {
    return [since.reduce((sum, { amount }) => sum + amount, 0)];
  }
  const buckets = new Map<number, number>();
  for (const { at, amount } of since) {
    const bucket = Math.floor(Math.max(at, from) / bucketMs);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + amount);
  }
  return [...buckets].flat();
};
