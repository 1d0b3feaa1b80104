/**
 * The port through which requests are held to limits and budgets, all or nothing. Implemented by limits/:
 * in memory for one process, in Redis for many.
 *
 * A request asks once, before upstream is called, with the most it can use; it is granted or refused whole.
 * When it is over it settles to what it really used. Between the two its worst case is held.
 */
import type { BudgetId, EpochMs, RequestId } from "@claude-relay/contract";

export type ScopeKind =
  | "relay"
  | "organization"
  | "user"
  | "device"
  | "app_key"
  | "router"
  | "session";

/** Whose use is counted. The relay itself has the empty id. */
export type Scope = Readonly<{ kind: ScopeKind; id: string }>;

/**
 * The most of something per time, for one scope: Anthropic's own terms. `requests`, `input_tokens` (cache
 * reads not counted) and `output_tokens` refill evenly over `windowMs` (GCRA); `requests_per_day` is by UTC
 * day; `concurrency` counts what is held now.
 */
export type Limit = Readonly<{ scope: Scope; max: number }> &
  (
    | { readonly kind: "requests" | "input_tokens" | "output_tokens"; readonly windowMs: number }
    | { readonly kind: "requests_per_day" | "concurrency" }
  );

/** Days, weeks (from Monday) and months are UTC; a rolling window forgets what is older than its hours. */
export type BudgetWindow =
  | { readonly kind: "total" | "day" | "week" | "month" }
  | { readonly kind: "rolling"; readonly hours: number };

/** A cap on money or tokens: what is spent and held within the window never exceeds `limit`. */
export type Budget = Readonly<{
  id: BudgetId;
  scope: Scope;
  unit: "micro_usd" | "tokens";
  limit: number;
  window: BudgetWindow;
  /** When it was set: requests that are running since before do not know of it. Absent: nobody knows when. */
  createdAt?: EpochMs;
}>;

/** Amounts of one request: the worst case when asked, what it really was when settled. */
export type Amounts = Readonly<{
  microUsd: number;
  /** Input and cache writes: what Anthropic counts against input tokens per minute. */
  inputTokens: number;
  outputTokens: number;
  /** Everything, cache reads too: what token budgets count. */
  tokens: number;
}>;

/** Each limit (by kind, scope and window) and each budget is listed once. */
export type Ask = Readonly<{
  id: RequestId;
  limits: readonly Limit[];
  budgets: readonly Budget[];
  worst: Amounts;
  /** Whose use it is: a budget of one of these that is set while it runs counts it at once. Absent: nobody's. */
  scopes?: readonly Scope[];
}>;

/** How a budget stands. `resetsAt` is null for `total`; for a rolling window, when the oldest use leaves it. */
export type BudgetState = Readonly<{
  budget: Budget;
  held: number;
  spent: number;
  left: number;
  resetsAt: EpochMs | null;
}>;

/** How a limit stands after a request was granted, or when it was refused. Times are milliseconds from now. */
export type LimitState = Readonly<{
  limit: Limit;
  remaining: number;
  /** Until it is whole again. */
  resetMs: number;
}>;

export type Verdict =
  | {
      readonly kind: "granted";
      /** Every limit and budget that was asked, as it stands now. */
      readonly limits: readonly LimitState[];
      readonly budgets: readonly BudgetState[];
      /** How long it waited for a place; absent when it did not. */
      readonly queuedMs?: number;
    }
  | {
      readonly kind: "over_limit";
      readonly state: LimitState;
      /** Until the same request would pass; for `concurrency` a guess of a second. */
      readonly retryAfterMs: number;
      /** How long it waited for a place in vain. */
      readonly queuedMs?: number;
      /** Its id is spent: asked again, it must come with another. */
      readonly isFinal?: true;
    }
  | {
      readonly kind: "over_budget";
      readonly state: BudgetState;
      /** What the request could have used of it. */
      readonly wanted: number;
    }
  /** The shared store does not answer and the local reserve is used up. */
  | { readonly kind: "unavailable"; readonly retryAfterMs: number };

/** Who waits for a verdict, and may leave before there is one. */
export interface Asker {
  readonly left: boolean;
  /** At most one listener; fires at once when it has left already. */
  onLeave(listener: () => void): void;
}

export interface Admission {
  /**
   * Cheap and synchronous, before a body is read: a limit this caller is known to be over (requests,
   * requests_per_day, concurrency), or null. Takes nothing; may miss what other processes know.
   * @param callerKey whose request it is, where one that is over its concurrency may wait
   */
  refusedAlready(limits: readonly Limit[], callerKey?: string): Verdict | null;
  /**
   * Takes the worst case of everything at once, or nothing. Asking twice for one id takes it once.
   * @param callerKey whose request it is, and `asker` who waits: both are given where it may wait for a place
   */
  ask(ask: Ask, callerKey?: string, asker?: Asker): Verdict | Promise<Verdict>;
  /**
   * Ends a hold: what was held becomes what was used. `null`, when upstream was never called and the fault is not
   * the caller's, gives all of it back, the day's request too; only a rate of requests keeps it. Settling an id twice, or one never granted, changes nothing. Never throws.
   */
  settle(id: RequestId, used: Amounts | null): void;
  /** How budgets stand, for GET /admin/budgets. */
  states(budgets: readonly Budget[]): Promise<readonly BudgetState[]>;
  /** Drops the counters of a budget that was removed; requests that still hold some of it settle to nothing of it. */
  forget(id: BudgetId): void;
  close(): Promise<void>;
}

/**
 * What the ledger knows of a budget's use from a time on: for counters that must be built anew (start, flushed
 * Redis). It must know of every request settled before it was asked, by the times they were asked at. Those in `except`
 * are left out: the counters know them already.
 */
export type SpentOf = (
  budget: Budget,
  from: EpochMs,
  except: ReadonlySet<RequestId>,
) => Promise<SpentSince>;

/** Amounts with the times they were used at, oldest first; whole windows need only the sum. */
export type SpentSince = readonly Readonly<{ at: EpochMs; amount: number }>[];
