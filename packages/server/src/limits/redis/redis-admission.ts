import type { BudgetId, EpochMs, RequestId } from "@claude-relay/contract";
import type {
  Admission,
  Amounts,
  Ask,
  Budget,
  BudgetState,
  Limit,
  Verdict,
} from "../../pipeline/admission.ts";
import type { Log } from "../../pipeline/log.ts";
import type { Clock } from "../../pipeline/types.ts";
import { BudgetFill, type SpentOfExcept } from "./budget-fill.ts";
import { BudgetStates } from "./budget-states.ts";
import { RedisConnection } from "./connection.ts";
import { KnownRefusals } from "./known-refusals.ts";
import { LocalPath } from "./local-path.ts";
import { LocalReserve } from "./local-reserve.ts";
import { createScripts, type Scripts } from "./lua/scripts.ts";
import { Membership } from "./membership.ts";
import { Outbox } from "./outbox.ts";
import { RedisClock } from "./redis-clock.ts";
import { type RemoteAnswer, RemoteAsk } from "./remote-ask.ts";

export type RedisAdmissionOptions = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  /** What all names in Redis begin with, in braces: one node of a cluster holds them all. */
  prefix?: string;
  /** This process and no other, never the same twice, e.g. a host's name and 8 random bytes. Without colons. */
  instance: string;
  clock: Clock;
  newNonce: () => string;
  spentOf: SpentOfExcept;
  /** Resolves when what the ledger was told before can be read by `spentOf` of every instance. */
  ledgerCaughtUp?: () => Promise<void>;
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
  readonly #connection: RedisConnection;
  readonly #clock: RedisClock;
  readonly #membership: Membership;
  readonly #outbox: Outbox;
  readonly #remote: RemoteAsk;
  readonly #states: BudgetStates;
  readonly #reserve: LocalReserve;
  readonly #local: LocalPath;
  readonly #refusals: KnownRefusals;
  readonly #fallback: Admission | null;
  readonly #open = new Map<RequestId, Open>();

  constructor(options: RedisAdmissionOptions) {
    const { clock, instance, log, patienceMs = 40, scripts = createScripts() } = options;
    this.#connection = new RedisConnection({
      url: options.url,
      base: `{${options.prefix ?? "claude-relay"}}:`,
      patienceMs,
      monotonicMs: () => performance.now(),
      log,
    });
    const shared = { connection: this.#connection, scripts, instance };
    this.#clock = new RedisClock(() => clock.now());
    this.#membership = new Membership({
      ...shared,
      clock: this.#clock,
      newNonce: options.newNonce,
      ledgerCaughtUp: options.ledgerCaughtUp ?? (async () => {}),
      tell: (isNewEpoch) => this.#tell(isNewEpoch),
      heartbeatMs: options.heartbeatMs ?? 1_000,
      log,
    });
    const epoch = () => this.#membership.epoch;
    this.#outbox = new Outbox({ ...shared, epoch, onEpochOver: () => this.#rejoin() });
    const fill = new BudgetFill({ ...shared, epoch, spentOf: options.spentOf });
    this.#reserve = new LocalReserve({
      share: options.localShare ?? 0.01,
      instances: () => this.#membership.instances,
    });
    this.#remote = new RemoteAsk({
      ...shared,
      clock: this.#clock,
      membership: this.#membership,
      fill,
      patienceMs,
      ledgerPatienceMs: options.ledgerPatienceMs ?? 1_000,
      isKnown: (budget) => this.#reserve.knows(budget),
    });
    this.#states = new BudgetStates({
      ...shared,
      clock: this.#clock,
      membership: this.#membership,
      fill,
      reserve: this.#reserve,
    });
    this.#fallback = options.fallback;
    this.#local = new LocalPath({ fallback: options.fallback, reserve: this.#reserve });
    this.#refusals = new KnownRefusals(() => this.#clock.now());
  }

  /** Connects in the background: until then every decision is made here. */
  start(): void {
    this.#connection.start(
      () => this.#membership.join(),
      () => void this.#outbox.flush().catch(() => {}),
    );
    this.#membership.startHeartbeat();
  }

  /** Resolves when Redis is there. */
  whenUp(): Promise<void> {
    return this.#connection.whenUp();
  }

  get up(): boolean {
    return this.#connection.up;
  }

  refusedAlready(limits: readonly Limit[]): Verdict | null {
    return this.#connection.up
      ? this.#refusals.find(limits)
      : (this.#fallback?.refusedAlready(limits) ?? null);
  }

  ask(ask: Ask): Verdict | Promise<Verdict> {
    const asked = this.#open.get(ask.id);
    if (asked !== undefined) {
      return asked.verdict;
    }
    const open: Open = {
      ask,
      at: this.#clock.now(),
      place: "asking",
      verdict: pending,
      mayBeKnown: false,
    };
    this.#open.set(ask.id, open);
    open.verdict = this.#connection.up ? this.#askRedis(open) : this.#askHere(open);
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
      this.#refusals.ended(open.ask);
    }
    if (open?.place === "here") {
      this.#local.settle(id, used);
      this.#outbox.tell({ ...open, told: { used } });
    } else {
      this.#outbox.settle(id, used);
    }
  }

  states(budgets: readonly Budget[]): Promise<readonly BudgetState[]> {
    return this.#states.of(budgets);
  }

  forget(id: BudgetId): void {
    for (const open of this.#open.values()) {
      if (open.ask.budgets.some((budget) => budget.id === id)) {
        open.ask = { ...open.ask, budgets: open.ask.budgets.filter((budget) => budget.id !== id) };
      }
    }
    this.#reserve.forget(id);
    this.#outbox.forget(id);
  }

  async close(): Promise<void> {
    this.#membership.stopHeartbeat();
    await this.#connection.close();
  }

  async #askRedis(open: Open): Promise<Verdict> {
    const answer = await this.#remote.ask(open.ask);
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
      if (epoch !== this.#membership.epoch) {
        // Granted by an epoch that is over: the present one has not heard of it.
        open.place = "here";
        this.#outbox.tell({ ...open, told: "open" });
      }
    }
    return verdict;
  }

  #askedInVain(open: Open, answer: Extract<RemoteAnswer, { kind: "none" }>): Verdict {
    if (answer.mayBeTaken) {
      this.#connection.trip(answer.reason);
    }
    open.mayBeKnown = answer.mayBeTaken;
    return this.#askHere(open);
  }

  #askHere(open: Open): Verdict {
    const verdict = this.#local.decide(open.ask);
    if (verdict.kind === "granted") {
      open.place = "here";
      this.#outbox.tell({ ...open, told: "open" });
      this.#granted(open);
    } else {
      this.#open.delete(open.ask.id);
      if (open.mayBeKnown) {
        // Redis may yet take what was refused here.
        const ask = { ...open.ask, limits: [], budgets: [] };
        this.#outbox.tell({ ...open, ask, told: { used: null } });
      }
    }
    return verdict;
  }

  #granted(open: Open): void {
    this.#refusals.started(open.ask);
    if (open.settled !== undefined) {
      this.settle(open.ask.id, open.settled.used);
    }
  }

  #learn(verdict: Verdict): void {
    if (verdict.kind === "granted") {
      for (const state of verdict.budgets) {
        this.#reserve.saw(state);
      }
    } else if (verdict.kind === "over_budget") {
      this.#reserve.saw(verdict.state);
    } else if (verdict.kind === "over_limit") {
      this.#refusals.saw(verdict);
    }
  }

  /** A new epoch knows nothing: it is told of all that is open, and the ledger knows what is over. */
  #tell(isNewEpoch: boolean): Promise<void> {
    if (isNewEpoch) {
      this.#refusals.clear();
      this.#outbox.dropWhatIsOver();
      for (const open of this.#open.values()) {
        if (open.place !== "asking") {
          open.place = "here";
          this.#outbox.tell({ ...open, told: "open" });
        }
      }
    }
    return this.#outbox.flush();
  }

  #rejoin(): void {
    this.#membership.join().catch((error: unknown) => this.#connection.trip(String(error)));
  }
}

const pending = new Promise<never>(() => {});
