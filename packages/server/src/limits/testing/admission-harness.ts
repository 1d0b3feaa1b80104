/** What the admission suite needs of an implementation, and words to write its tests in. */
import assert from "node:assert/strict";
import type { BudgetId, EpochMs, RequestId } from "@claude-relay/contract";
import { epochMs } from "@claude-relay/contract";
import type {
  Admission,
  Amounts,
  Ask,
  Budget,
  BudgetState,
  BudgetWindow,
  Limit,
  Scope,
  SpentOf,
  Verdict,
} from "../../pipeline/admission.ts";

export type OpenOptions = Readonly<{
  /** The wall clock at first. It stands still but for `advance`. */
  startAt: EpochMs;
  spentOf: SpentOf;
}>;

export type Opened = Readonly<{
  /** Empty at first: nothing of another test is left in it. */
  admission: Admission;
  /** Moves every clock on. */
  advance(ms: number): void | Promise<void>;
  /** Sets this process's wall clock forward or back; no time passes. */
  jump?(ms: number): void | Promise<void>;
  /**
   * The process dies and another one starts, at the same time and with the same `spentOf`. The suite then settles
   * what was open to what its ledger estimated, as recovery does.
   */
  restart?(): Promise<Admission>;
  /** Another process over the same state, where there can be one. */
  peer?(): Promise<Admission>;
}>;

export type Open = (options: OpenOptions) => Promise<Opened>;

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** A Thursday, five seconds past a whole minute. */
export const noon = epochMs(Date.UTC(2026, 10, 19, 12, 0, 5));

let asked = 0;
/** A request id never used before, in this process and in others on the same Redis. */
export const newId = (): RequestId => {
  asked += 1;
  return `req_${process.pid}_${Date.now()}_${asked}` as RequestId;
};

export const relay: Scope = { kind: "relay", id: "" };
export const device = (id: string): Scope => ({ kind: "device", id });

export const nothing: Amounts = { microUsd: 0, inputTokens: 0, outputTokens: 0, tokens: 0 };
export const dollars = (microUsd: number): Amounts => ({ ...nothing, microUsd });
export const tokens = (count: number): Amounts => ({ ...nothing, tokens: count });
export const input = (inputTokens: number): Amounts => ({ ...nothing, inputTokens });
export const output = (outputTokens: number): Amounts => ({ ...nothing, outputTokens });

/** A limit that refills evenly. */
export type WindowLimit = Extract<Limit, { windowMs: number }>;

export const requests = (max: number, windowMs = minute, scope = device("a")): WindowLimit => ({
  kind: "requests",
  scope,
  max,
  windowMs,
});
export const inputTokens = (max: number, windowMs = minute, scope = device("a")): WindowLimit => ({
  kind: "input_tokens",
  scope,
  max,
  windowMs,
});
export const outputTokens = (max: number, windowMs = minute, scope = device("a")): WindowLimit => ({
  kind: "output_tokens",
  scope,
  max,
  windowMs,
});
export const daily = (max: number, scope = device("a")): Limit => ({
  kind: "requests_per_day",
  scope,
  max,
});
export const concurrency = (max: number, scope = device("a")): Limit => ({
  kind: "concurrency",
  scope,
  max,
});

export const budget = (
  limit: number,
  options: Readonly<{
    id?: string;
    window?: BudgetWindow;
    unit?: Budget["unit"];
    scope?: Scope;
  }> = {},
): Budget => ({
  id: (options.id ?? "budget") as BudgetId,
  scope: options.scope ?? device("a"),
  unit: options.unit ?? "micro_usd",
  limit,
  window: options.window ?? { kind: "total" },
});

export const askFor = (
  worst: Amounts,
  options: Readonly<{ limits?: readonly Limit[]; budgets?: readonly Budget[] }>,
): Ask => ({ id: newId(), worst, limits: options.limits ?? [], budgets: options.budgets ?? [] });

type Granted = Extract<Verdict, { kind: "granted" }>;
type OverLimit = Extract<Verdict, { kind: "over_limit" }>;
type OverBudget = Extract<Verdict, { kind: "over_budget" }>;

/** Asks, and fails the test unless it is granted. */
export const granted = async (admission: Admission, ask: Ask): Promise<Granted> => {
  const verdict = await admission.ask(ask);
  assert.ok(verdict.kind === "granted", `expected a grant, not ${JSON.stringify(verdict)}`);
  return verdict;
};

export const overLimit = async (admission: Admission, ask: Ask): Promise<OverLimit> => {
  const verdict = await admission.ask(ask);
  assert.ok(verdict.kind === "over_limit", `expected over_limit, not ${JSON.stringify(verdict)}`);
  return verdict;
};

export const overBudget = async (admission: Admission, ask: Ask): Promise<OverBudget> => {
  const verdict = await admission.ask(ask);
  assert.ok(verdict.kind === "over_budget", `expected over_budget, not ${JSON.stringify(verdict)}`);
  return verdict;
};

export const stateOf = async (admission: Admission, of: Budget): Promise<BudgetState> => {
  const [state] = await admission.states([of]);
  assert.ok(state !== undefined);
  return state;
};

/** Fails unless the budget stands so, and what is left agrees. */
export const assertStands = async (
  admission: Admission,
  of: Budget,
  stands: Readonly<{ held: number; spent: number }>,
): Promise<void> => {
  const { held, spent, left } = await stateOf(admission, of);
  assert.deepEqual(
    { held, spent, left },
    { ...stands, left: Math.max(0, of.limit - stands.held - stands.spent) },
  );
};

/** A ledger that has nothing in it. */
export const emptyLedger: SpentOf = async () => [];
