/** What an admin does with organizations, users, policies and budgets. Every change counts at once and is audited. */
import type { BudgetId, OrganizationId, PolicyId, UserId } from "@claude-relay/contract";
import type { Budget, BudgetState, BudgetWindow } from "./admission.ts";
import type {
  BudgetRecord,
  OrganizationRecord,
  PolicyRecord,
  PolicyRules,
  UserRecord,
} from "./owner-ports.ts";
import type { Page, PageQuery } from "./ports.ts";
import type { Caller } from "./types.ts";

export interface OwnerAdmin<Id, Row, Settings> {
  /** @throws Refusal `conflict` for an id in use, `invalid_request` for an unknown parent */
  create(id: Id, settings: Settings, clientIp: string): Promise<Row>;
  list(query: PageQuery): Promise<Page<Row>>;
  /** @throws Refusal `not_found` */
  get(id: Id): Row;
  /** @throws Refusal `not_found`, `invalid_request` for an unknown parent */
  change(id: Id, changes: Partial<Settings>, clientIp: string): Promise<Row>;
  /** @throws Refusal `not_found`, `conflict` naming who still belongs to it */
  remove(id: Id, clientIp: string): Promise<Row>;
}

export type OrganizationSettings = Pick<OrganizationRecord, "name">;
export type OrganizationAdmin = OwnerAdmin<
  OrganizationId,
  OrganizationRecord,
  OrganizationSettings
>;

export type UserSettings = Pick<UserRecord, "name" | "organizationId">;
export type UserAdmin = OwnerAdmin<UserId, UserRecord, UserSettings>;

/** A scope as it was given: its id unchecked. */
export type GivenScope<Kind> = Readonly<{ kind: Kind; id: string | null }>;

export interface PolicyAdmin {
  /** @throws Refusal `invalid_request` naming the field, `conflict` when the scope has a policy */
  create(
    scope: GivenScope<PolicyRecord["scope"]["kind"]>,
    rules: Partial<PolicyRules>,
    clientIp: string,
  ): Promise<PolicyRecord>;
  list(query: PageQuery): Promise<Page<PolicyRecord>>;
  /** @throws Refusal `not_found` */
  get(id: PolicyId): PolicyRecord;
  /** @throws Refusal `not_found`, `invalid_request` naming the field */
  change(id: PolicyId, rules: Partial<PolicyRules>, clientIp: string): Promise<PolicyRecord>;
  /** @throws Refusal `not_found` */
  remove(id: PolicyId, clientIp: string): Promise<PolicyRecord>;
}

/** How much, in which unit; undefined where it was not given. */
export type GivenAmount = Readonly<{
  microUsd?: number | undefined;
  tokens?: number | undefined;
}>;

/** A budget as it was set and as it stands; the state is null for a budget of each session. */
export type StandingBudget = Readonly<{ record: BudgetRecord; state: BudgetState | null }>;

export interface BudgetAdmin {
  /** @throws Refusal `invalid_request` naming the field */
  create(
    scope: GivenScope<BudgetRecord["scope"]["kind"]>,
    amount: GivenAmount,
    window: BudgetWindow,
    clientIp: string,
  ): Promise<BudgetRecord>;
  list(query: PageQuery): Promise<Page<StandingBudget>>;
  /**
   * @param sessionId of a budget of each session: the one that is meant
   * @throws Refusal `not_found`, `invalid_request` for a session of a budget that is not of each session
   */
  get(id: BudgetId, sessionId: string | null): Promise<StandingBudget>;
  /** @throws Refusal `not_found`, `invalid_request` naming the field */
  change(
    id: BudgetId,
    amount: GivenAmount,
    window: BudgetWindow | undefined,
    clientIp: string,
  ): Promise<BudgetRecord>;
  /** @throws Refusal `not_found` */
  remove(id: BudgetId, clientIp: string): Promise<BudgetRecord>;
}

/** A budget that binds a caller. `isShared`: others spend from it too, so its amounts are not the caller's to know. */
export type StandingForCaller = Pick<BudgetState, "resetsAt"> &
  Readonly<{ budget: Budget; remaining: number; isShared: boolean }>;

/**
 * Every budget that binds a caller, newest first; without a session id no session's.
 * @throws Refusal `storage_unavailable`
 */
export type BindingBudgets = (
  caller: Caller,
  sessionId: string | null,
) => Promise<readonly StandingForCaller[]>;
