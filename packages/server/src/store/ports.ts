import type { Kysely } from "kysely";
import type { UsageQueries } from "../pipeline/ports.ts";
import { createAppKeyStore } from "./app-keys.ts";
import { createAuditLog } from "./audit.ts";
import { createBudgetStore } from "./budgets.ts";
import { createDeviceStore } from "./devices.ts";
import { createEnrollmentCodeStore } from "./enrollment-codes.ts";
import { createManagedSettingsStore } from "./managed-settings.ts";
import { createOrganizationStore, createUserStore } from "./owners.ts";
import { createPolicyStore } from "./policies.ts";
import { createRouterStore } from "./routers.ts";
import type { Tables } from "./schema.ts";
import { createSignInLinkStore } from "./sign-in-links.ts";
import {
  createDeviceGrantStore,
  createPasswordStore,
  createRefreshTokenStore,
} from "./sign-ins.ts";
import { listRequestRows } from "./usage-rows.ts";
import { summarizeUsage } from "./usage-summary.ts";
import type { Ports } from "./worker-messages.ts";

/** Every port, over one database: here a new one is registered. Reports may have a connection of their own. */
export const createPorts = (db: Kysely<Tables>, reports: Kysely<Tables>): Ports => ({
  devices: createDeviceStore(db),
  enrollmentCodes: createEnrollmentCodeStore(db),
  appKeys: createAppKeyStore(db),
  routers: createRouterStore(db),
  organizations: createOrganizationStore(db),
  users: createUserStore(db),
  policies: createPolicyStore(db),
  budgets: createBudgetStore(db),
  passwords: createPasswordStore(db),
  deviceGrants: createDeviceGrantStore(db),
  refreshTokens: createRefreshTokenStore(db),
  signInLinks: createSignInLinkStore(db),
  managedSettings: createManagedSettingsStore(db),
  audit: createAuditLog(db),
  usage: createUsageQueries(reports),
});

const createUsageQueries = (db: Kysely<Tables>): UsageQueries => ({
  summary: (query) => summarizeUsage(db, query),
  rows: (query) => listRequestRows(db, query),
});

/** Calls a port's method by its name. @throws Error when there is no such method, and as the method does */
export const invoke = (target: object, method: string, args: readonly unknown[]): unknown => {
  const found: unknown = Object.hasOwn(target, method) ? Reflect.get(target, method) : undefined;
  if (typeof found !== "function") {
    throw new Error(`the store has no ${method}`);
  }
  return Reflect.apply(found, target, args);
};
