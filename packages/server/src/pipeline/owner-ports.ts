/**
 * Who owns what, and what is set on each level: relay → organization → user → device, app key or router.
 * Records and stores as credentials/ and store/ share them; `Directory` answers the line.
 */
import type {
  BootstrapPolicy,
  BudgetId,
  EpochMs,
  OnDisconnect,
  OrganizationId,
  PolicyId,
  UserId,
} from "@claude-relay/contract";
import type { Budget, Limit, Scope, ScopeKind } from "./admission.ts";
import type { Page, PageQuery } from "./ports.ts";
import type { Caller } from "./types.ts";

export type OrganizationRecord = Readonly<{
  id: OrganizationId;
  name: string | null;
  createdAt: EpochMs;
}>;

export type UserRecord = Readonly<{
  id: UserId;
  name: string | null;
  organizationId: OrganizationId | null;
  createdAt: EpochMs;
}>;

/** Where a policy can be set. The relay itself has the empty id. */
export type PolicyScope = Readonly<{ kind: Exclude<ScopeKind, "session">; id: string }>;

/** Null: says nothing of it. */
export type PolicyRules = Readonly<{
  /** Exact ids or patterns with one trailing `*`. */
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  inputTokensPerMinute: number | null;
  outputTokensPerMinute: number | null;
  /** Model calls at once. */
  concurrency: number | null;
  /** Model calls by UTC day. */
  requestsPerDay: number | null;
  onDisconnect: OnDisconnect | null;
  /** For the relay and organizations only. */
  bootstrap: BootstrapPolicy | null;
}>;

/** At most one per scope. */
export type PolicyRecord = PolicyRules &
  Readonly<{ id: PolicyId; scope: PolicyScope; createdAt: EpochMs }>;

/** A budget as it was set. For scope `session` the id `*` means each session. */
export type BudgetRecord = Budget & Readonly<{ createdAt: EpochMs }>;

/** Rows of one kind. Lists are newest first. */
export interface RowStore<Id, Row> {
  loadAll(): Promise<readonly Row[]>;
  list(query: PageQuery): Promise<Page<Row>>;
  /** @throws Refusal `conflict` when the id, or what must be the only one, is taken */
  insert(row: Row): Promise<Row>;
  /** Replaces every field but `createdAt`. Gives the row as it now stands, or null for an unknown id. */
  replace(row: Row): Promise<Row | null>;
  /** Gives false for an unknown id. */
  remove(id: Id): Promise<boolean>;
}

/** `members`: who still belongs to it, in words: `device "mac-1"`; the first few, and how many more. */
export type Removal =
  | { readonly kind: "removed" }
  | { readonly kind: "unknown" }
  | { readonly kind: "in_use"; readonly members: readonly string[]; readonly more: number };

/** Organizations and users: they go only when nobody belongs to them, and their policy goes with them. */
export interface OwnerStore<Id, Row> extends Omit<RowStore<Id, Row>, "remove"> {
  /** @param now codes that have expired by then do not count */
  remove(id: Id, now: EpochMs): Promise<Removal>;
}

export type OrganizationStore = OwnerStore<OrganizationId, OrganizationRecord>;
export type UserStore = OwnerStore<UserId, UserRecord>;
export type PolicyStore = RowStore<PolicyId, PolicyRecord>;
export type BudgetStore = RowStore<BudgetId, BudgetRecord>;

/** The id in `Limit.scope` that stands for all app keys together (GLOBAL_DAILY, GLOBAL_CONCURRENCY). */
export const allAppKeys = "*";

/**
 * Everything that applies to a caller, from memory: the answers for one caller object are the same objects
 * until something changes. Levels only ever tighten what others allow.
 */
export interface Directory {
  /**
   * What a model call is held to: `requests` first, then tokens, then `requests_per_day`, then `concurrency`;
   * within each from the caller outwards to the relay.
   */
  limitsOf(caller: Caller): readonly Limit[];
  /** What any other request is held to (count_tokens, the lists of models): the `requests` of `limitsOf`. */
  requestLimitsOf(caller: Caller): readonly Limit[];
  /**
   * From the caller outwards to the relay, and last the session's. A budget of each session gets an id of its
   * own for each. Without a session id no session's budget applies.
   */
  budgetsOf(caller: Caller, sessionId: string | null): readonly Budget[];
  /** Whose use a request is: all whose budgets could ever apply to it, in the order of `budgetsOf`. */
  scopesOf(caller: Caller, sessionId: string | null): readonly Scope[];
  /** Whether every level allows a model; the relay's setting ALLOWED_MODELS is not in it. */
  allowsModel(caller: Caller): (model: string) => boolean;
  /** The level, from the caller outwards, that leaves out a model which `allowsModel` does not allow. */
  modelDeniedBy(caller: Caller, model: string): ScopeKind;
  /** Whether `allowsModel` leaves any model out. */
  restrictsModels(caller: Caller): boolean;
  /** What the most specific level says that says anything; `cancel` when none does. */
  onDisconnect(caller: Caller): OnDisconnect;
  /** The tightest of the relay's setting, its policy and the organization's: open < code < approve. */
  bootstrapOf(organizationId: OrganizationId | null): BootstrapPolicy;
  /** A user's organization; null for a user without one, an unknown user and no user. */
  organizationOf(userId: UserId | null): OrganizationId | null;
}
