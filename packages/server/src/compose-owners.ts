/** Wires who owns what: organizations, users, policies and budgets, and what an admin does with them. */
import type { AppKeyId, DeviceId, RouterId } from "@claude-relay/contract";
import type { Config } from "./config.ts";
import { createBindingBudgets } from "./credentials/binding-budgets.ts";
import { type BudgetCounters, createBudgetAdmin } from "./credentials/budget-admin.ts";
import { createDirectory } from "./credentials/directory.ts";
import { createOrganizationAdmin, createUserAdmin } from "./credentials/owner-admin.ts";
import { OwnerIndex } from "./credentials/owner-index.ts";
import { createPolicyAdmin } from "./credentials/policy-admin.ts";
import type { Directory } from "./pipeline/owner-ports.ts";
import type { Clock } from "./pipeline/types.ts";
import type { Store } from "./store/store.ts";

export type Owners = Readonly<{ index: OwnerIndex; directory: Directory }>;

export const openOwners = async (config: Config, store: Store): Promise<Owners> => {
  const index = await OwnerIndex.load(store);
  const directory = createDirectory(index, {
    deviceRequests: { max: config.rateLimitMax, windowMs: config.rateLimitWindowMs },
    keyRequestsPerMinute: config.perKeyRpm,
    keyRequestsPerDay: config.perKeyDaily,
    routerRequestsPerMinute: config.routerRequestsPerMinute,
    globalConcurrency: config.globalConcurrency,
    globalDaily: config.globalDaily,
    bootstrap: config.bootstrap,
  });
  return { index, directory };
};

type AdminOptions = Readonly<{
  owners: Owners;
  store: Store;
  clock: Clock;
  isDevice: (id: DeviceId) => boolean;
  isAppKey: (id: AppKeyId) => boolean;
  isRouter: (id: RouterId) => boolean;
  counters: BudgetCounters;
}>;

export const openOwnerAdmin = ({
  owners: { index, directory },
  store,
  clock,
  isDevice,
  isAppKey,
  isRouter,
  counters,
}: AdminOptions) => {
  const options = { stores: store, index, audit: store.audit, clock };
  const scopes = { index, isDevice, isAppKey, isRouter };
  return {
    organizations: createOrganizationAdmin(options),
    users: createUserAdmin(options),
    policies: createPolicyAdmin(options, scopes),
    budgets: createBudgetAdmin(options, scopes, counters),
    bindingBudgets: createBindingBudgets(directory, counters),
  };
};
