import type { Ask, Budget, Verdict } from "../../pipeline/admission.ts";
import type { BudgetFill } from "./budget-fill.ts";
import { isOurFault, type RedisConnection } from "./connection.ts";
import { type CounterWindow, counterAt } from "./counter-window.ts";
import type { Scripts } from "./lua/scripts.ts";
import type { Membership } from "./membership.ts";
import { Patience } from "./patience.ts";
import type { RedisClock } from "./redis-clock.ts";
import { type AskReply, readAskReply } from "./replies.ts";
import { askArgs } from "./script-args.ts";

type Options = Readonly<{
  connection: RedisConnection;
  scripts: Scripts;
  clock: RedisClock;
  membership: Membership;
  fill: BudgetFill;
  instance: string;
  patienceMs: number;
  /** For the ledger to say how a budget stands that was never asked for here. */
  ledgerPatienceMs: number;
  isKnown: (budget: Budget) => boolean;
}>;

/** What became of asking Redis. */
export type RemoteAnswer =
  | { readonly kind: "verdict"; readonly verdict: Verdict; readonly epoch: string }
  /** `mayBeTaken`: Redis may have granted it, or may still. */
  | {
      readonly kind: "none";
      readonly mayBeTaken: boolean;
      /** Why Redis is to be taken for away; null when it is not. */
      readonly away: string | null;
    };

/** Enough for a new epoch, a new window and a counter to be filled, one after the other. */
const mostTurns = 6;

type Progress = { inFlight: boolean };

/** Asks Redis, in time or not at all. */
export class RemoteAsk {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async ask(ask: Ask): Promise<RemoteAnswer> {
    const patience = new Patience(this.#options.patienceMs);
    const progress: Progress = { inFlight: false };
    const late = patience.over.then(
      (): RemoteAnswer => none(progress.inFlight, progress.inFlight ? "no answer in time" : null),
    );
    try {
      return await Promise.race([this.#turns(ask, patience, progress), late]);
    } catch (error) {
      // A ledger that cannot be read or a script that was refused says nothing of Redis.
      const isAway = progress.inFlight && !isOurFault(error);
      return none(progress.inFlight, isAway ? messageOf(error) : null);
    } finally {
      patience.end();
    }
  }

  async #turns(ask: Ask, patience: Patience, progress: Progress): Promise<RemoteAnswer> {
    const { clock, membership } = this.#options;
    for (let turn = 0; turn < mostTurns && !patience.isOver; turn += 1) {
      const { epoch } = membership;
      const now = clock.now();
      const windows = ask.budgets.map((budget) => counterAt(budget, now));
      progress.inFlight = true;
      const reply = await this.#run(epoch, ask, windows);
      progress.inFlight = false;
      if (reply.kind === "verdict") {
        clock.saw(reply.now);
        return { kind: "verdict", verdict: reply.verdict, epoch };
      }
      if (reply.kind === "rebuilding" || reply.kind === "gone") {
        return none(false, null);
      }
      if (!patience.isOver) {
        await this.#mend(reply, ask, windows, epoch, patience);
      }
    }
    return none(false, null);
  }

  async #run(epoch: string, ask: Ask, windows: readonly CounterWindow[]): Promise<AskReply> {
    const { connection, scripts, instance } = this.#options;
    const reply = await connection.run(scripts.ask, askArgs(epoch, instance, ask, windows));
    return readAskReply(reply, ask, windows);
  }

  /** Does what is missing before Redis can decide. */
  async #mend(
    reply: AskReply,
    ask: Ask,
    windows: readonly CounterWindow[],
    epoch: string,
    patience: Patience,
  ): Promise<void> {
    const { clock, membership, fill, isKnown, ledgerPatienceMs } = this.#options;
    switch (reply.kind) {
      case "time":
        clock.saw(reply.now);
        return;
      case "epoch":
        if (membership.epoch === epoch) {
          await membership.join();
        }
        return;
      case "unknown": {
        const missing = reply.indexes.flatMap((index) => {
          const [budget, window] = [ask.budgets[index], windows[index]];
          return budget === undefined || window === undefined ? [] : [{ budget, window }];
        });
        if (!missing.every(({ budget }) => isKnown(budget))) {
          patience.extend(ledgerPatienceMs);
        }
        await Promise.all(missing.map(({ budget, window }) => fill.fill(budget, window)));
        return;
      }
      case "verdict":
      case "rebuilding":
      case "gone":
        return;
    }
  }
}

const none = (mayBeTaken: boolean, away: string | null): RemoteAnswer => ({
  kind: "none",
  mayBeTaken,
  away,
});

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
