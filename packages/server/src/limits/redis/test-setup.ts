import { type EpochMs, epochMs, type RequestId } from "@claude-relay/contract";
import type { Redis } from "ioredis";
import type {
  Admission,
  Amounts,
  Ask,
  Budget,
  SpentOf,
  Verdict,
} from "../../pipeline/admission.ts";
import type { Log } from "../../pipeline/log.ts";
import { amountOf } from "../amounts.ts";
import { isUseOf } from "../holds.ts";
import { createMemoryAdmission } from "../memory-admission.ts";
import { RedisAdmission, type RedisAdmissionOptions } from "./redis-admission.ts";

const silent = () => {};

export const silentLog: Log = {
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  isLevelEnabled: () => false,
};

type Row = Readonly<{ id: RequestId; at: EpochMs; ask: Ask; used: Amounts }>;

/** What is over, as the ledger knows it. */
export class TestLedger {
  readonly rows: Row[] = [];
  reads = 0;
  /** Runs while the ledger is read, before it answers. */
  onRead: () => Promise<void> = async () => {};

  readonly spentOf: SpentOf = async (budget, from, except) => {
    this.reads += 1;
    await this.onRead();
    return this.#of(budget)
      .filter(({ id, at }) => at >= from && !except.has(id))
      .map(({ at, used }) => ({ at, amount: amountOf(budget.unit, used) }));
  };

  spent(budget: Budget): number {
    return this.#of(budget).reduce((sum, { used }) => sum + amountOf(budget.unit, used), 0);
  }

  #of(budget: Budget): readonly Row[] {
    return this.rows.filter(({ ask }) => isOf(ask, budget));
  }
}

/** Asked for it, or running while it was set. */
const isOf = ({ budgets, scopes = [] }: Ask, budget: Budget): boolean =>
  budgets.some(({ id }) => id === budget.id) || isUseOf({ scopes }, budget);

/** One process of many, with what its requests hold. */
export class TestInstance {
  readonly admission: RedisAdmission;
  readonly open = new Map<RequestId, Ask>();
  readonly #ledger: TestLedger;

  constructor(ledger: TestLedger, options: RedisAdmissionOptions) {
    this.#ledger = ledger;
    this.admission = new RedisAdmission(options);
    this.admission.start();
  }

  async ask(ask: Ask): Promise<Verdict> {
    const verdict = await this.admission.ask(ask);
    if (verdict.kind === "granted") {
      this.open.set(ask.id, ask);
    }
    return verdict;
  }

  /** Ends a request as the line does: first the ledger, then the hold. */
  settle(id: RequestId, used: Amounts | null): void {
    const ask = this.open.get(id);
    this.open.delete(id);
    if (ask !== undefined && used !== null) {
      this.#ledger.rows.push({ id, at: epochMs(Date.now()), ask, used });
    }
    this.admission.settle(id, used);
  }

  settleAll(): void {
    for (const { id, worst } of [...this.open.values()]) {
      this.settle(id, worst);
    }
  }

  held(budget: Budget): number {
    let held = 0;
    for (const ask of this.open.values()) {
      if (isOf(ask, budget)) {
        held += amountOf(budget.unit, ask.worst);
      }
    }
    return held;
  }
}

export const realClock = {
  now: () => epochMs(Date.now()),
  monotonicMs: () => performance.now(),
};

/** Options of one that never takes Redis for away because this machine is busy. */
export const patient = {
  patienceMs: 20_000,
  ledgerPatienceMs: 20_000,
  clock: { now: realClock.now, monotonicMs: () => 0 },
} as const satisfies Partial<RedisAdmissionOptions>;

export const memoryFallback = (): Admission =>
  createMemoryAdmission({ ...realClock, spentOf: async () => [] });

let instances = 0;

/** Options for an instance of its own, over the Redis at `url`. */
export const instanceOptions = (
  url: string,
  ledger: TestLedger,
  more: Partial<RedisAdmissionOptions> = {},
): RedisAdmissionOptions => {
  instances += 1;
  const instance = `${process.pid}-${instances}`;
  let nonces = 0;
  return {
    url,
    instance,
    clock: realClock,
    newNonce: () => {
      nonces += 1;
      return `${instance}-${nonces}`;
    },
    spentOf: ledger.spentOf,
    fallback: memoryFallback(),
    log: silentLog,
    ...more,
  };
};

/** Waits until it is so, looking again and again; gives up after 20 s, so that a failing test ends. */
export const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const givesUpAt = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > givesUpAt) {
      throw new Error(`never came to be: ${isSo}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** Two heartbeats of each after both are alive: the second is sent when the first one's answer is read. */
export const bothKnowEachOther = async (client: Redis, prefix: string): Promise<void> => {
  const beats = () => client.zrange(`{${prefix}}:alive`, "0", "-1", "WITHSCORES");
  await until(async () => (await beats()).length === 4);
  for (let beat = 0; beat < 2; beat += 1) {
    const before = new Set((await beats()).filter((_, index) => index % 2 === 1));
    await until(async () => (await beats()).every((score) => !before.has(score)));
  }
};
