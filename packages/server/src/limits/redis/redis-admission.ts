import type { BudgetId, EpochMs, RequestId } from "@claude-relay/contract";
import type {
  Admission,
  Amounts,
  Ask,
  Budget,
  BudgetState,
  Limit,
  Scope,
  SpentOf,
  Verdict,
} from "../../pipeline/admission.ts";
import type { Log } from "../../pipeline/log.ts";
import type { Clock } from "../../pipeline/types.ts";
import type { Scripts } from "./lua/scripts.ts";
import { createParts, type Parts } from "./parts.ts";
import type { RemoteAnswer } from "./remote-ask.ts";

export type RedisAdmissionOptions = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  /** What all names in Redis begin with, in braces: one node of a cluster holds them all. */
  prefix?: string;
  /** This process and no other, never the same twice, e.g. a host's name and 8 random bytes. Without colons. */
  instance: string;
  clock: Clock;
  newNonce: () => string;
  /** The instance this one follows, when that one died: counters begin anew, from the ledger. */
  died?: string | null;
  /** Called on closing, when Redis knows all that this instance granted and that it is over. */
  onEndedInOrder?: () => void;
  spentOf: SpentOf;
  /** Resolves when what the ledger was told before can be read by `spentOf` of every instance. */
  ledgerCaughtUp?: () => Promise<void>;
  /** Requests of the present UTC day the ledger knows of: a flushed Redis grants no new day. */
  countedToday?: () => Promise<readonly Readonly<{ scope: Scope; requests: number }>[]>;
  /** Keeps limits of this process while Redis is away; null refuses requests that have limits. Not closed here. */
  fallback: Admission | null;
  /** The part of what is left of a budget that may be granted while Redis is away; 0 grants nothing. */
  localShare?: number;
  /** Until a decision is made without Redis. */
  patienceMs?: number;
  /** The same while the ledger is read for a budget never seen here. */
  ledgerPatienceMs?: number;
  heartbeatMs?: number;
  log: Log;
  /** Others only in tests. */
  scripts?: Scripts;
}>;

type Open = {
  ask: Ask;
  at: EpochMs;
  /** Who counts it: nobody yet, Redis, or this process (Redis was or will be told). */
  place: "asking" | "redis" | "here";
  verdict: Promise<Verdict> | Verdict;
  /** Settled before it was decided. */
  settled?: Readonly<{ used: Amounts | null }>;
  /** Redis may have taken it, though it did not say so. */
  mayBeKnown: boolean;
};

/**
 * Limits and budgets of many processes, in Redis: one round trip a request. While Redis is away limits are kept by
 * this process alone and money comes from a small reserve; every decision takes less than 50 ms.
 */
export class RedisAdmission implements Admission {
  readonly #parts: Parts;
  readonly #fallback: Admission | null;
  readonly #onEndedInOrder: () => void;
  readonly #open = new Map<RequestId, Open>();

  constructor(options: RedisAdmissionOptions) {
    this.#parts = createParts(options, (isNewEpoch) => this.#tell(isNewEpoch));
    this.#fallback = options.fallback;
    this.#onEndedInOrder = options.onEndedInOrder ?? (() => undefined);
  }

  /** Connects in the background: until then every decision is made here. */
  start(): void {
    this.#parts.connection.start(
      () => this.#parts.membership.join(),
      () => this.#parts.onUp(),
    );
    this.#parts.membership.startHeartbeat();
  }

  /** Resolves when Redis is there. */
  whenUp(): Promise<void> {
    return this.#parts.connection.whenUp();
  }

  get up(): boolean {
    return this.#parts.connection.up;
  }

  refusedAlready(limits: readonly Limit[]): Verdict | null {
    return this.#parts.connection.up
      ? this.#parts.refusals.find(limits)
      : (this.#fallback?.refusedAlready(limits) ?? null);
  }

  ask(ask: Ask): Verdict | Promise<Verdict> {
    const asked = this.#open.get(ask.id);
    if (asked !== undefined) {
      return asked.verdict;
    }
    const open: Open = {
      ask,
      at: this.#parts.clock.now(),
      place: "asking",
      verdict: pending,
      mayBeKnown: false,
    };
    this.#open.set(ask.id, open);
    open.verdict = this.#parts.connection.up ? this.#askRedis(open) : this.#askHere(open);
    return open.verdict;
  }

  settle(id: RequestId, used: Amounts | null): void {
    const open = this.#open.get(id);
    if (open?.place === "asking") {
      open.settled ??= { used };
      return;
    }
    this.#open.delete(id);
    if (open !== undefined) {
      this.#parts.refusals.ended(open.ask, used === null);
    }
    if (open?.place === "here") {
      this.#parts.local.settle(id, used);
      this.#parts.outbox.tell({ ...open, told: { used } });
    } else {
      this.#parts.outbox.settle(id, used);
    }
  }

  states(budgets: readonly Budget[]): Promise<readonly BudgetState[]> {
    return this.#parts.states.of(budgets);
  }

  forget(id: BudgetId): void {
    for (const open of this.#open.values()) {
      if (open.ask.budgets.some((budget) => budget.id === id)) {
        open.ask = { ...open.ask, budgets: open.ask.budgets.filter((budget) => budget.id !== id) };
      }
    }
    this.#parts.reserve.forget(id);
    this.#parts.outbox.forget(id);
  }

  async close(): Promise<void> {
    this.#parts.membership.stopHeartbeat();
    await this.#parts.connection.close();
    if (this.#open.size === 0 && this.#parts.hasToldAll()) {
      this.#onEndedInOrder();
    }
  }

  async #askRedis(open: Open): Promise<Verdict> {
    const answer = await this.#parts.remote.ask(open.ask);
    if (answer.kind === "none") {
      return this.#askedInVain(open, answer);
    }
    const { verdict, epoch } = answer;
    this.#learn(verdict);
    if (verdict.kind !== "granted") {
      this.#open.delete(open.ask.id);
    } else {
      open.place = "redis";
      this.#granted(open);
      if (epoch !== this.#parts.membership.epoch) {
        // Granted by an epoch that is over: the present one has not heard of it.
        open.place = "here";
        this.#parts.outbox.tell({ ...open, told: "open" });
      }
    }
    return verdict;
  }

  #askedInVain(open: Open, answer: Extract<RemoteAnswer, { kind: "none" }>): Verdict {
    if (answer.away !== null) {
      this.#parts.connection.trip(answer.away);
    }
    open.mayBeKnown = answer.mayBeTaken;
    return this.#askHere(open);
  }

  #askHere(open: Open): Verdict {
    const verdict = this.#parts.local.decide(open.ask);
    if (verdict.kind === "granted") {
      open.place = "here";
      this.#parts.outbox.tell({ ...open, told: "open" });
      this.#granted(open);
    } else {
      this.#open.delete(open.ask.id);
      if (open.mayBeKnown) {
        // Redis may yet take what was refused here.
        const ask = { ...open.ask, limits: [], budgets: [] };
        this.#parts.outbox.tell({ ...open, ask, told: { used: null } });
        return verdict.kind === "over_limit" ? { ...verdict, isFinal: true } : verdict;
      }
    }
    return verdict;
  }

  #granted(open: Open): void {
    this.#parts.refusals.started(open.ask);
    if (open.settled !== undefined) {
      this.settle(open.ask.id, open.settled.used);
    }
  }

  #learn(verdict: Verdict): void {
    if (verdict.kind === "granted") {
      for (const state of verdict.budgets) {
        this.#parts.reserve.saw(state);
      }
      this.#parts.refusals.sawLeft(verdict.limits);
    } else if (verdict.kind === "over_budget") {
      this.#parts.reserve.saw(verdict.state);
    } else if (verdict.kind === "over_limit") {
      this.#parts.refusals.saw(verdict);
    }
  }

  /** A new epoch knows nothing: it is told of all that is open, and the ledger knows what is over. */
  #tell(isNewEpoch: boolean): Promise<boolean> {
    if (isNewEpoch) {
      this.#parts.refusals.clear();
      this.#parts.outbox.dropWhatIsOver();
      for (const open of this.#open.values()) {
        if (open.place !== "asking") {
          open.place = "here";
          this.#parts.outbox.tell({ ...open, told: "open" });
        }
      }
    }
    return this.#parts.outbox.flush();
  }
}

const pending = new Promise<never>(() => {});
