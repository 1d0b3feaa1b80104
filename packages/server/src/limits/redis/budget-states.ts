import { setTimeout as sleep } from "node:timers/promises";
import type { Budget, BudgetState } from "../../pipeline/admission.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { BudgetFill } from "./budget-fill.ts";
import { isOurFault, type RedisConnection, type ScriptReply } from "./connection.ts";
import { counterAt } from "./counter-window.ts";
import type { LocalReserve } from "./local-reserve.ts";
import type { Script, Scripts } from "./lua/scripts.ts";
import type { Membership } from "./membership.ts";
import type { RedisClock } from "./redis-clock.ts";
import { budgetState } from "./replies.ts";
import type { Args } from "./script-args.ts";

type Options = Readonly<{
  connection: RedisConnection;
  scripts: Scripts;
  clock: RedisClock;
  membership: Membership;
  fill: BudgetFill;
  reserve: LocalReserve;
}>;

/** The first turns follow each other: a new epoch, a window, counters to fill. Then holds of others are awaited. */
const quickTurns = 4;
const mostTurns = 100;
const pauseMs = 50;

/** How budgets stand: by Redis, or while it is away as it last said. */
export class BudgetStates {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws Refusal `storage_unavailable` when neither knows; whatever the ledger throws */
  async of(budgets: readonly Budget[]): Promise<readonly BudgetState[]> {
    for (let turn = 0; turn < mostTurns && this.#options.connection.up; turn += 1) {
      const states = await this.#ask(budgets);
      if (states !== null) {
        return states;
      }
      if (turn >= quickTurns) {
        await sleep(pauseMs, null, { ref: false });
      }
    }
    return budgets.map((budget) => {
      const state = this.#options.reserve.stateOf(budget);
      if (state === null) {
        throw new Refusal("storage_unavailable", "Redis is away; how budgets stand is not known.");
      }
      return state;
    });
  }

  /** Null: ask again. */
  async #ask(budgets: readonly Budget[]): Promise<readonly BudgetState[] | null> {
    const { scripts, clock, membership, fill } = this.#options;
    const now = clock.now();
    const asked = budgets.map((budget) => ({ budget, window: counterAt(budget, now) }));
    const { epoch } = membership;
    const reply = await this.#run(scripts.stands, [
      epoch,
      ...asked.flatMap(({ window: { name, bucketMs, from, to } }) => [name, bucketMs, from, to]),
    ]);
    if (reply === null) {
      return null;
    }
    if (reply[0] === "epoch") {
      await membership.join();
      return null;
    }
    clock.saw(Number(reply[1]));
    if (reply[0] === "time") {
      return null;
    }
    const unknown = asked.filter((_, index) => Number(reply[2 + index * 3]) < 0);
    await Promise.all(unknown.map(({ budget, window }) => fill.fill(budget, window)));
    return unknown.length > 0
      ? null
      : asked.map(({ budget, window }, index) => budgetState(budget, window, reply, 2 + index * 3));
  }

  /** Null when Redis is away. */
  async #run(script: Script, args: Args): Promise<ScriptReply | null> {
    const { connection } = this.#options;
    try {
      return await connection.run(script, args);
    } catch (error) {
      if (isOurFault(error)) {
        throw error;
      }
      connection.trip(error instanceof Error ? error.message : String(error));
      return null;
    }
  }
}
