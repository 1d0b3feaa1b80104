import type { BudgetId, OrganizationId, PolicyId, UserId } from "@claude-relay/contract";
import type { Scope } from "../pipeline/admission.ts";
import type {
  BudgetRecord,
  BudgetStore,
  OrganizationRecord,
  OrganizationStore,
  PolicyRecord,
  PolicyStore,
  UserRecord,
  UserStore,
} from "../pipeline/owner-ports.ts";

export type OwnerStores = Readonly<{
  organizations: OrganizationStore;
  users: UserStore;
  policies: PolicyStore;
  budgets: BudgetStore;
}>;

/** Rows by their id; tells of every change. */
export class Rows<Id extends string, Row extends Readonly<{ id: Id }>> {
  readonly #byId = new Map<Id, Row>();
  readonly #listeners: (() => void)[] = [];

  /** `listener` is called after every change, at once. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  get(id: Id): Row | null {
    return this.#byId.get(id) ?? null;
  }

  all(): Iterable<Row> {
    return this.#byId.values();
  }

  /** Takes note of a row as the store gave it. */
  keep(row: Row): Row {
    this.#byId.set(row.id, row);
    this.#changed();
    return row;
  }

  forget(id: Id): void {
    this.#byId.delete(id);
    this.#changed();
  }

  replaceAll(rows: readonly Row[]): void {
    this.#byId.clear();
    for (const row of rows) {
      this.#byId.set(row.id, row);
    }
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

/**
 * Organizations, users, policies and budgets in memory, so that no request waits for the database.
 * Changes go to the store first and count here at once after.
 */
export class OwnerIndex {
  readonly #stores: OwnerStores;
  readonly organizations = new Rows<OrganizationId, OrganizationRecord>();
  readonly users = new Rows<UserId, UserRecord>();
  readonly policies = new Rows<PolicyId, PolicyRecord>();
  readonly budgets = new Rows<BudgetId, BudgetRecord>();
  #policyByScope: Map<string, PolicyRecord> | null = null;
  #budgetsByScope: Map<string, BudgetRecord[]> | null = null;
  #hasSessionBudgets: boolean | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(stores: OwnerStores) {
    this.#stores = stores;
    this.policies.onChange(() => {
      this.#policyByScope = null;
    });
    this.budgets.onChange(() => {
      this.#budgetsByScope = null;
      this.#hasSessionBudgets = null;
    });
  }

  static async load(stores: OwnerStores): Promise<OwnerIndex> {
    const index = new OwnerIndex(stores);
    await index.reload();
    return index;
  }

  /** Takes everything from the store anew: another process may have changed it. */
  async reload(): Promise<void> {
    const { organizations, users, policies, budgets } = this.#stores;
    await this.alone(async () => {
      const loaded = await Promise.all([
        organizations.loadAll(),
        users.loadAll(),
        policies.loadAll(),
        budgets.loadAll(),
      ]);
      this.organizations.replaceAll(loaded[0]);
      this.users.replaceAll(loaded[1]);
      this.policies.replaceAll(loaded[2]);
      this.budgets.replaceAll(loaded[3]);
    });
  }

  /** One change after another: what one has checked holds until it is done. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  policyOf(scope: Scope): PolicyRecord | null {
    if (this.#policyByScope === null) {
      const policies = [...this.policies.all()];
      this.#policyByScope = new Map(policies.map((policy) => [keyOf(policy.scope), policy]));
    }
    return this.#policyByScope.get(keyOf(scope)) ?? null;
  }

  /** False when no session's budget can apply to anyone. */
  get hasSessionBudgets(): boolean {
    this.#hasSessionBudgets ??= [...this.budgets.all()].some(
      ({ scope }) => scope.kind === "session",
    );
    return this.#hasSessionBudgets;
  }

  /** Oldest first. */
  budgetsOf(scope: Scope): readonly BudgetRecord[] {
    this.#budgetsByScope ??= byScope(this.budgets.all());
    return this.#budgetsByScope.get(keyOf(scope)) ?? none;
  }
}

const none: readonly BudgetRecord[] = [];

const keyOf = ({ kind, id }: Scope): string => `${kind}:${id}`;

const byScope = (budgets: Iterable<BudgetRecord>): Map<string, BudgetRecord[]> => {
  const oldestFirst = [...budgets].sort(
    (a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1),
  );
  const byKey = new Map<string, BudgetRecord[]>();
  for (const budget of oldestFirst) {
    const key = keyOf(budget.scope);
    byKey.set(key, [...(byKey.get(key) ?? []), budget]);
  }
  return byKey;
};
