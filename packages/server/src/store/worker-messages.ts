import type { ErrorCode } from "@claude-relay/contract";
import type { AppKeyStore } from "../pipeline/app-key-ports.ts";
import type {
  BudgetStore,
  OrganizationStore,
  PolicyStore,
  UserStore,
} from "../pipeline/owner-ports.ts";
import type {
  AuditLog,
  DeviceStore,
  EnrollmentCodeStore,
  UsageQueries,
} from "../pipeline/ports.ts";
import type { RouterStore } from "../pipeline/router-ports.ts";
import type {
  DeviceGrantStore,
  ManagedSettingsStore,
  PasswordStore,
  RefreshTokenStore,
  SignInLinkStore,
} from "../pipeline/sign-in-ports.ts";
import type { StoreFault } from "./faults.ts";
import type { PostgresAddress } from "./postgres/address.ts";
import type { Position } from "./segments.ts";

/** What the worker serves, one port each; the main thread's halves only pass calls on. */
export type Ports = {
  devices: DeviceStore;
  enrollmentCodes: EnrollmentCodeStore;
  appKeys: AppKeyStore;
  routers: RouterStore;
  organizations: OrganizationStore;
  users: UserStore;
  policies: PolicyStore;
  budgets: BudgetStore;
  passwords: PasswordStore;
  deviceGrants: DeviceGrantStore;
  refreshTokens: RefreshTokenStore;
  signInLinks: SignInLinkStore;
  managedSettings: ManagedSettingsStore;
  audit: AuditLog;
  usage: UsageQueries;
};

/** Every method of every port, checked for completeness by the compiler. */
export const portMethods = {
  devices: {
    loadAll: true,
    get: true,
    list: true,
    insert: true,
    upsert: true,
    update: true,
    supersedeToken: true,
    takeNonce: true,
    loadSuperseded: true,
    pruneSuperseded: true,
  },
  enrollmentCodes: { create: true, list: true, revoke: true, consume: true },
  appKeys: { loadAll: true, list: true, put: true, touch: true },
  routers: { loadAll: true, list: true, insert: true, replace: true, touch: true },
  organizations: { loadAll: true, list: true, insert: true, replace: true, remove: true },
  users: { loadAll: true, list: true, insert: true, replace: true, remove: true },
  policies: { loadAll: true, list: true, insert: true, replace: true, remove: true },
  budgets: { loadAll: true, list: true, insert: true, replace: true, remove: true },
  passwords: { get: true, put: true, remove: true },
  deviceGrants: {
    insert: true,
    get: true,
    waiting: true,
    decide: true,
    poll: true,
    slowDown: true,
    consume: true,
  },
  refreshTokens: { insert: true, get: true, rotate: true, prune: true },
  signInLinks: { get: true, ofAccount: true, ofUser: true, insert: true, removeOf: true },
  managedSettings: { list: true, first: true, put: true, remove: true },
  audit: { append: true, list: true },
  usage: { summary: true, rows: true },
} as const satisfies { [Port in keyof Ports]: Record<keyof Ports[Port], true> };

export type WorkerStart = Readonly<{
  dataDir: string;
  /** Where the records live instead of in `relay.db`. */
  postgres: PostgresAddress | null;
  durable: boolean;
  busyTimeoutMs: number;
  /** True at the process's start: what an earlier process left open has died. False after a worker's own death. */
  recover: boolean;
}>;

/** `target` is where the journal ends now. */
export type ToWorker =
  | { readonly kind: "fold"; readonly target: Position }
  | {
      readonly kind: "call";
      readonly id: number;
      readonly port: keyof Ports;
      readonly method: string;
      readonly args: readonly unknown[];
      readonly target: Position;
    }
  | { readonly kind: "stop"; readonly target: Position };

export type FromWorker =
  | { readonly kind: "ready"; readonly nextSegment: number; readonly recovered: number }
  | { readonly kind: "refused_start"; readonly message: string }
  | { readonly kind: "folded"; readonly position: Position }
  | { readonly kind: "fault"; readonly fault: StoreFault }
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "failure";
      readonly id: number;
      readonly code: ErrorCode;
      readonly message: string;
    };
