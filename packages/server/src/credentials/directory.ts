import type { BootstrapPolicy, BudgetId, OnDisconnect } from "@claude-relay/contract";
import type { Budget, Limit, Scope, ScopeKind } from "../pipeline/admission.ts";
import { compileModelList } from "../pipeline/model-pattern.ts";
import type { BudgetRecord, Directory, PolicyRecord } from "../pipeline/owner-ports.ts";
import type { Caller } from "../pipeline/types.ts";
import { callerLimits, type LimitDefaults } from "./caller-limits.ts";
import type { OwnerIndex } from "./owner-index.ts";

export type DirectoryDefaults = LimitDefaults & Readonly<{ bootstrap: BootstrapPolicy }>;

type AllowsModel = (model: string) => boolean;

/** What applies to one caller object, found out once. */
type Answers = Readonly<{
  limits: readonly Limit[];
  requestLimits: readonly Limit[];
  budgets: readonly Budget[];
  scopes: readonly Scope[];
  allows: AllowsModel;
  onDisconnect: OnDisconnect;
}>;

type SessionBudgets = Readonly<{ sessionId: string; budgets: readonly Budget[] }>;
type SessionScopes = Readonly<{ sessionId: string; scopes: readonly Scope[] }>;

const relay: Scope = { kind: "relay", id: "" };
const everySession: Scope = { kind: "session", id: "*" };

export const createDirectory = (index: OwnerIndex, defaults: DirectoryDefaults): Directory => {
  let answers = new WeakMap<Caller, Answers>();
  /** Of each caller the session it was asked for last: a session's requests come one after another. */
  let sessions = new WeakMap<Caller, SessionBudgets>();
  const sessionScopes = new WeakMap<Caller, SessionScopes>();
  const forget = (): void => {
    answers = new WeakMap();
    sessions = new WeakMap();
  };
  // A change of owners makes new callers: only what is set on them is remembered here.
  index.policies.onChange(forget);
  index.budgets.onChange(forget);

  const answersFor = (caller: Caller): Answers => {
    const known = answers.get(caller);
    if (known !== undefined) {
      return known;
    }
    const found = findOut(index, defaults, caller);
    answers.set(caller, found);
    return found;
  };

  const budgetsOf = (caller: Caller, sessionId: string | null): readonly Budget[] => {
    const { budgets } = answersFor(caller);
    if (sessionId === null || !index.hasSessionBudgets) {
      return budgets;
    }
    const known = sessions.get(caller);
    if (known?.sessionId === sessionId) {
      return known.budgets;
    }
    const ofSession = sessionBudgets(index, sessionId);
    const all = ofSession.length === 0 ? budgets : [...budgets, ...ofSession];
    sessions.set(caller, { sessionId, budgets: all });
    return all;
  };

  const scopesOf = (caller: Caller, sessionId: string | null): readonly Scope[] => {
    const { scopes } = answersFor(caller);
    if (sessionId === null) {
      return scopes;
    }
    const known = sessionScopes.get(caller);
    if (known?.sessionId === sessionId) {
      return known.scopes;
    }
    const all: readonly Scope[] = [...scopes, { kind: "session", id: sessionId }];
    sessionScopes.set(caller, { sessionId, scopes: all });
    return all;
  };

  return {
    limitsOf: (caller) => answersFor(caller).limits,
    requestLimitsOf: (caller) => answersFor(caller).requestLimits,
    budgetsOf,
    scopesOf,
    allowsModel: (caller) => answersFor(caller).allows,
    modelDeniedBy: (caller, model) => modelDeniedBy(index, caller, model),
    restrictsModels: (caller) => answersFor(caller).allows !== everyModel,
    onDisconnect: (caller) => answersFor(caller).onDisconnect,
    bootstrapOf: (organizationId) => {
      const scopes: Scope[] =
        organizationId === null ? [relay] : [relay, { kind: "organization", id: organizationId }];
      const said = scopes.map((scope) => index.policyOf(scope)?.bootstrap ?? defaults.bootstrap);
      return [defaults.bootstrap, ...said].reduce((a, b) => (rank[b] > rank[a] ? b : a));
    },
    organizationOf: (userId) =>
      userId === null ? null : (index.users.get(userId)?.organizationId ?? null),
  };
};

/** One session's part of a budget that each session has: an id and a count of its own. */
export const ofOneSession = (budget: BudgetRecord, sessionId: string): Budget => ({
  id: `${budget.id}:${sessionId}` as BudgetId,
  scope: { kind: "session", id: sessionId },
  unit: budget.unit,
  limit: budget.limit,
  window: budget.window,
  createdAt: budget.createdAt,
});

const rank: Readonly<Record<BootstrapPolicy, number>> = { open: 0, code: 1, approve: 2 };

const findOut = (index: OwnerIndex, defaults: DirectoryDefaults, caller: Caller): Answers => {
  const levels = levelsOf(caller);
  const policies = levels.map((scope) => index.policyOf(scope)).filter((policy) => policy !== null);
  const limits = callerLimits(caller, policies, defaults);
  return {
    limits,
    requestLimits: limits.filter(({ kind }) => kind === "requests"),
    budgets: levels.flatMap((scope) => index.budgetsOf(scope)),
    scopes: levels,
    allows: allowsModel(caller, policies),
    onDisconnect:
      policies.find(({ onDisconnect }) => onDisconnect !== null)?.onDisconnect ?? "cancel",
  };
};

/** From the caller itself outwards. */
const levelsOf = ({ kind, id, userId, organizationId }: Caller): Scope[] => [
  { kind, id },
  ...(userId === null ? [] : [{ kind: "user", id: userId } as const]),
  ...(organizationId === null ? [] : [{ kind: "organization", id: organizationId } as const]),
  relay,
];

const everyModel: AllowsModel = () => true;

const allowsModel = (caller: Caller, policies: readonly PolicyRecord[]): AllowsModel => {
  const lists = [caller.policy.models, ...policies.map(({ models }) => models)]
    .filter((models) => models !== null)
    .map(compileModelList);
  const [only, ...others] = lists;
  if (only === undefined) {
    return everyModel;
  }
  return others.length === 0 ? only : (model) => lists.every((allows) => allows(model));
};

const modelDeniedBy = (index: OwnerIndex, caller: Caller, model: string): ScopeKind => {
  const denies = (models: readonly string[] | null | undefined): boolean =>
    models !== null && models !== undefined && !compileModelList(models)(model);
  const level = denies(caller.policy.models)
    ? caller
    : levelsOf(caller).find((scope) => denies(index.policyOf(scope)?.models));
  return level?.kind ?? "relay";
};

const sessionBudgets = (index: OwnerIndex, sessionId: string): readonly Budget[] => {
  const each = index.budgetsOf(everySession).map((budget) => ofOneSession(budget, sessionId));
  // A session that calls itself * is a session like any other.
  return sessionId === everySession.id
    ? each
    : [...index.budgetsOf({ kind: "session", id: sessionId }), ...each];
};
