/** Organizations, users, policies and budgets over stores in memory: for the tests of what becomes of them. */
import {
  type AppKeyId,
  type BudgetId,
  type DeviceId,
  epochMs,
  type OrganizationId,
  type PolicyId,
  type RouterId,
  type UserId,
} from "@claude-relay/contract";
import type { Budget, Scope } from "../../pipeline/admission.ts";
import type {
  OwnerStore,
  PolicyRecord,
  PolicyRules,
  PolicyScope,
  Removal,
  RowStore,
} from "../../pipeline/owner-ports.ts";
import type {
  AppKeyCaller,
  AppKeyPolicy,
  DeviceCaller,
  Policy,
  RouterCaller,
} from "../../pipeline/types.ts";
import { createDirectory, type DirectoryDefaults } from "../directory.ts";
import { OwnerIndex, type OwnerStores } from "../owner-index.ts";

class MemoryRows<Id extends string, Row extends Readonly<{ id: Id }>> {
  readonly rows = new Map<Id, Row>();

  async loadAll(): Promise<readonly Row[]> {
    return [...this.rows.values()];
  }

  async list() {
    return { data: [...this.rows.values()], next_cursor: null };
  }

  async insert(row: Row): Promise<Row> {
    this.rows.set(row.id, row);
    return row;
  }

  async replace(row: Row): Promise<Row | null> {
    if (!this.rows.has(row.id)) {
      return null;
    }
    return this.insert(row);
  }
}

class MemoryRowStore<Id extends string, Row extends Readonly<{ id: Id }>>
  extends MemoryRows<Id, Row>
  implements RowStore<Id, Row>
{
  async remove(id: Id): Promise<boolean> {
    return this.rows.delete(id);
  }
}

class MemoryOwnerStore<Id extends string, Row extends Readonly<{ id: Id }>>
  extends MemoryRows<Id, Row>
  implements OwnerStore<Id, Row>
{
  async remove(id: Id): Promise<Removal> {
    return { kind: this.rows.delete(id) ? "removed" : "unknown" };
  }
}

export const memoryStores = (): OwnerStores => ({
  organizations: new MemoryOwnerStore(),
  users: new MemoryOwnerStore(),
  policies: new MemoryRowStore(),
  budgets: new MemoryRowStore(),
});

export const emptyOwners = (): Promise<OwnerIndex> => OwnerIndex.load(memoryStores());

export const lab = "lab" as OrganizationId;
export const ann = "ann" as UserId;

export const device = (policy: Partial<Policy> = {}): DeviceCaller => ({
  kind: "device",
  id: "mac-00001" as DeviceId,
  userId: ann,
  organizationId: lab,
  policy: { models: null, requestsPerMinute: null, ...policy },
});

export const appKey = (policy: Partial<AppKeyPolicy> = {}): AppKeyCaller => ({
  kind: "app_key",
  id: "my-app" as AppKeyId,
  userId: ann,
  organizationId: lab,
  policy: {
    models: null,
    requestsPerMinute: null,
    requestsPerDay: null,
    concurrency: null,
    doors: null,
    ...policy,
  },
});

export const router = (policy: Partial<Policy> = {}): RouterCaller => ({
  kind: "router",
  id: "office" as RouterId,
  userId: ann,
  organizationId: lab,
  policy: { models: null, requestsPerMinute: null, ...policy },
});

export const relay: Scope & { kind: "relay" } = { kind: "relay", id: "" };
export const ofLab: PolicyScope = { kind: "organization", id: lab };
export const ofAnn: PolicyScope = { kind: "user", id: ann };
export const ofDevice: PolicyScope = { kind: "device", id: device().id };
export const ofAppKey: PolicyScope = { kind: "app_key", id: appKey().id };
export const ofRouter: PolicyScope = { kind: "router", id: router().id };

export const noRules: PolicyRules = {
  models: null,
  requestsPerMinute: null,
  inputTokensPerMinute: null,
  outputTokensPerMinute: null,
  concurrency: null,
  requestsPerDay: null,
  onDisconnect: null,
  bootstrap: null,
};

export const policy = (scope: PolicyScope, rules: Partial<PolicyRules>): PolicyRecord => ({
  ...noRules,
  ...rules,
  id: `pol_${scope.kind}_${scope.id}` as PolicyId,
  scope,
  createdAt: epochMs(0),
});

export const budget = (id: string, scope: Scope, changes: Partial<Budget> = {}) => ({
  id: id as BudgetId,
  scope,
  unit: "micro_usd" as const,
  limit: 1_000_000,
  window: { kind: "day" as const },
  createdAt: epochMs(0),
  ...changes,
});

export const defaults: DirectoryDefaults = {
  deviceRequests: { max: 100, windowMs: 60_000 },
  keyRequestsPerMinute: 60,
  keyRequestsPerDay: 2000,
  routerRequestsPerMinute: 30,
  globalConcurrency: 8,
  globalDaily: 10_000,
  bootstrap: "open",
};

/** A directory where Ann of the lab has a device and an app key; nothing is set yet. */
export const setUpDirectory = async (changes: Partial<DirectoryDefaults> = {}) => {
  const index = await emptyOwners();
  index.organizations.keep({ id: lab, name: null, createdAt: epochMs(0) });
  index.users.keep({ id: ann, name: null, organizationId: lab, createdAt: epochMs(0) });
  return { index, directory: createDirectory(index, { ...defaults, ...changes }) };
};
