import type { BudgetId, EpochMs, RequestId } from "@claude-relay/contract";
import type { Amounts, Ask } from "../../pipeline/admission.ts";
import type { Log } from "../../pipeline/log.ts";
import { isOurFault, type RedisConnection, type ScriptReply } from "./connection.ts";
import type { Script, Scripts } from "./lua/scripts.ts";
import { type Args, settleArgs, type Told, tellArgs } from "./script-args.ts";

type Options = Readonly<{
  connection: RedisConnection;
  scripts: Scripts;
  instance: string;
  epoch: () => string;
  /** Redis said that our epoch is over. */
  onEpochOver: () => void;
  log: Log;
}>;

type Letter = Readonly<{
  ask: Ask;
  at: EpochMs;
  told: Told;
  /** Redis may have heard of it: its ask had no answer. */
  mayBeKnown: boolean;
}>;

/**
 * What Redis must still be told, until it says that it knows: settlements, and requests that were decided without
 * it. All of it may be sent twice. Nothing waits for it.
 */
export class Outbox {
  readonly #options: Options;
  readonly #settlements = new Map<RequestId, Amounts | null>();
  readonly #letters = new Map<RequestId, Letter>();
  readonly #sent = new WeakSet<Letter>();
  readonly #forgotten = new Set<BudgetId>();
  #silentSince: EpochMs | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether Redis knows everything. */
  get isEmpty(): boolean {
    return this.#settlements.size + this.#letters.size + this.#forgotten.size === 0;
  }

  get isSilent(): boolean {
    return this.#silentSince !== null;
  }

  /** When the first request was asked that is over and nobody tells Redis of; forgets it. Null: there was none. */
  endSilence(): EpochMs | null {
    const since = this.#silentSince;
    this.#silentSince = null;
    return since;
  }

  /** Redis has not heard when it ended. */
  resumeSilence(since: EpochMs | null): void {
    this.#silentSince = since ?? this.#silentSince;
  }

  /** Settles a request Redis granted. */
  settle(id: RequestId, used: Amounts | null): void {
    this.#settlements.set(id, used);
    if (this.#options.connection.up) {
      void this.#sendSettlement(id, used);
    }
  }

  /** Tells of a request that was decided here. */
  tell(letter: Letter): void {
    const { id, budgets } = letter.ask;
    const earlier = this.#letters.get(id);
    if (letter.told !== "open" && budgets.length === 0 && earlier && !this.#mayBeKnown(earlier)) {
      // Redis never heard of it, and it used nothing that Redis counts as far as is known here. There may be many.
      this.#letters.delete(id);
      this.#silentSince ??= letter.at;
      return;
    }
    this.#letters.set(id, letter);
    if (this.#options.connection.up) {
      void this.#sendLetter(letter);
    }
  }

  forget(id: BudgetId): void {
    this.#forgotten.add(id);
    if (this.#options.connection.up) {
      void this.#sendForgotten(id);
    }
  }

  /** A new epoch asks the ledger, which knows what is over. */
  dropWhatIsOver(): void {
    this.#settlements.clear();
    this.#forgotten.clear();
    for (const [id, { told }] of this.#letters) {
      if (told !== "open") {
        this.#letters.delete(id);
      }
    }
  }

  /** Sends everything, at once. Resolves to whether Redis has it. Never rejects. */
  async flush(): Promise<boolean> {
    const sent = await Promise.all([
      ...[...this.#letters.values()].map((letter) => this.#sendLetter(letter)),
      ...[...this.#settlements].map(([id, used]) => this.#sendSettlement(id, used)),
      ...[...this.#forgotten].map((id) => this.#sendForgotten(id)),
    ]);
    return sent.every((known) => known);
  }

  #sendSettlement(id: RequestId, used: Amounts | null): Promise<boolean> {
    const { scripts, epoch } = this.#options;
    return this.#send(scripts.settle, settleArgs(epoch(), id, used), () => {
      if (this.#settlements.get(id) === used) {
        this.#settlements.delete(id);
      }
    });
  }

  #mayBeKnown(letter: Letter): boolean {
    return letter.mayBeKnown || this.#sent.has(letter);
  }

  #sendLetter(letter: Letter): Promise<boolean> {
    this.#sent.add(letter);
    const { scripts, epoch, instance } = this.#options;
    const { ask, at, told } = letter;
    return this.#send(scripts.tell, tellArgs(epoch(), instance, ask, at, told), () => {
      if (this.#letters.get(ask.id) === letter) {
        this.#letters.delete(ask.id);
      }
    });
  }

  #sendForgotten(id: BudgetId): Promise<boolean> {
    const { scripts, epoch } = this.#options;
    return this.#send(scripts.forget, [epoch(), id], () => this.#forgotten.delete(id));
  }

  /** What was not acknowledged stays, and is sent again when the connection is up the next time. */
  async #send(script: Script, args: Args, acknowledged: () => void): Promise<boolean> {
    const { connection, onEpochOver, log } = this.#options;
    let reply: ScriptReply;
    try {
      reply = await connection.run(script, args);
    } catch (error) {
      if (isOurFault(error)) {
        // It would be refused for ever, and nothing else would be heard.
        log.error({ err: error, script: script.name }, "Redis does not understand; dropped");
        acknowledged();
        return true;
      }
      connection.trip(error instanceof Error ? error.message : String(error));
      return false;
    }
    if (reply[0] === "epoch") {
      onEpochOver();
      return false;
    }
    acknowledged();
    return true;
  }
}
