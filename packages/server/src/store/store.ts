import type { AppKeyStore } from "../pipeline/app-key-ports.ts";
import type {
  BudgetStore,
  OrganizationStore,
  PolicyStore,
  UserStore,
} from "../pipeline/owner-ports.ts";
import type {
  AuditEntry,
  AuditLog,
  DeviceStore,
  EnrollmentCodeStore,
  UsageQueries,
} from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { RouterStore } from "../pipeline/router-ports.ts";
import type {
  DeviceGrantStore,
  ManagedSettingsStore,
  PasswordStore,
  RefreshTokenStore,
  SignInLinkStore,
} from "../pipeline/sign-in-ports.ts";
import type { Ledger } from "../pipeline/types.ts";
import { type OnFault, reason } from "./faults.ts";
import { Journal } from "./journal.ts";
import type { FileCalls } from "./journal-file.ts";
import type { JournalOptions, LedgerSync } from "./journal-options.ts";
import type { PostgresAddress } from "./postgres/address.ts";
import { journalDirectory } from "./segments.ts";
import { startFault } from "./start-fault.ts";
import { WorkerClient } from "./worker-client.ts";
import { type Ports, portMethods } from "./worker-messages.ts";

export type StoreOptions = Readonly<{
  /** Made (0700) if need be. One process at a time. */
  dataDir: string;
  /** Where the records live; null or nothing: in `relay.db` in `dataDir`. The journal is in `dataDir` always. */
  postgres?: PostgresAddress | null;
  /** LEDGER_SYNC, see `LedgerSync`. */
  sync?: LedgerSync;
  /** Told of what the store survived; for the log. */
  onFault?: OnFault;
  /** The journal's most, when the database does not take rows. */
  spoolLimitBytes?: number;
  segmentBytes?: number;
  /** Lines are folded at most this often; queries fold at once. */
  foldDelayMs?: number;
  busyTimeoutMs?: number;
  fileCalls?: FileCalls;
}>;

export type Store = Readonly<{
  ledger: Ledger;
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
  /** How many rows of an earlier process's open requests were made at start. */
  recovered: number;
  /**
   * Resolves when every ledger line given so far is kept, as `sync` defines it.
   * @throws Refusal `storage_unavailable` when it is not; the line is tried again by itself.
   */
  flushed(): Promise<void>;
  /** False while new work is or would be refused: for `/readyz`. */
  healthy(): boolean;
  /** Writes and folds everything, then closes. New intents are refused from here on. */
  close(): Promise<void>;
}>;

const MiB = 1024 * 1024;

/**
 * Opens the store: locks and recovers `dataDir` in a worker thread, which runs every SQL statement; the main
 * thread only appends to the journal.
 * @throws Error naming the directory and the remedy when it is in use or cannot be used.
 */
export const createStore = async (options: StoreOptions): Promise<Store> => {
  const onFault = options.onFault ?? (() => undefined);
  const state: { journal: Journal | null } = { journal: null };
  const client = new WorkerClient({
    start: {
      dataDir: options.dataDir,
      postgres: options.postgres ?? null,
      durable: options.sync === "full",
      busyTimeoutMs: options.busyTimeoutMs ?? 2_000,
    },
    onFault,
    onFolded: (position) => state.journal?.foldedTo(position),
    journalEnd: () => state.journal?.flushNow() ?? { segment: 0, offset: 0 },
  });
  const { nextSegment, recovered } = await client.start();
  const foldSoon = coalesce(options.foldDelayMs ?? 250, () => client.fold(journal.position));
  const journal = await openJournal(options, nextSegment, onFault, foldSoon, client);
  state.journal = journal;
  let closing: Promise<void> | undefined;
  return {
    ledger: journal,
    ...remotePorts(client, journal, onFault),
    recovered,
    flushed: () => journal.flushed(),
    healthy: () => journal.healthy && client.healthy,
    close: () => {
      closing ??= journal.end().then((position) => client.stop(position));
      return closing;
    },
  };
};

const openJournal = async (
  options: StoreOptions,
  firstSegment: number,
  onFault: OnFault,
  onWritten: () => void,
  client: WorkerClient,
): Promise<Journal> => {
  const settings: JournalOptions = {
    directory: journalDirectory(options.dataDir),
    firstSegment,
    sync: options.sync ?? "none",
    segmentBytes: options.segmentBytes ?? 16 * MiB,
    spoolLimitBytes: options.spoolLimitBytes ?? 256 * MiB,
    onFault,
    onWritten,
    ...(options.fileCalls !== undefined && { calls: options.fileCalls }),
  };
  try {
    return new Journal(settings);
  } catch (error) {
    await client.stop({ segment: 0, offset: 0 });
    throw startFault(error, { dataDir: options.dataDir, part: "journal" });
  }
};

const remotePorts = (client: WorkerClient, journal: Journal, onFault: OnFault): Ports => {
  const audit = remote(client, "audit");
  return {
    devices: remote(client, "devices"),
    enrollmentCodes: remote(client, "enrollmentCodes"),
    appKeys: remote(client, "appKeys"),
    routers: remote(client, "routers"),
    organizations: remote(client, "organizations"),
    users: remote(client, "users"),
    policies: remote(client, "policies"),
    budgets: remote(client, "budgets"),
    passwords: remote(client, "passwords"),
    deviceGrants: remote(client, "deviceGrants"),
    refreshTokens: remote(client, "refreshTokens"),
    signInLinks: remote(client, "signInLinks"),
    managedSettings: remote(client, "managedSettings"),
    audit: {
      ...audit,
      append: (entry) =>
        reported(audit.append(entry).catch(spooling(journal, entry)), entry.action, onFault),
    },
    usage: remote(client, "usage"),
  };
};

const remote = <Port extends keyof Ports>(client: WorkerClient, port: Port): Ports[Port] => {
  const methods = Object.keys(portMethods[port]).map((method) => [
    method,
    (...args: unknown[]) => client.call(port, method, args),
  ]);
  // `portMethods` has every method of the port, and the worker's end has the port's own type.
  return Object.fromEntries(methods) as Ports[Port];
};

/** An entry that a database which is away does not take waits in the journal, as the ledger's lines do. */
const spooling =
  (journal: Journal, entry: AuditEntry) =>
  (error: unknown): Promise<void> => {
    if (error instanceof Refusal && error.code === "storage_unavailable") {
      return journal.audit(entry);
    }
    throw error;
  };

/** Makes a promise safe to leave alone: whoever awaits it still sees it fail. */
const reported = (appended: Promise<void>, action: string, onFault: OnFault): Promise<void> => {
  appended.catch((error: unknown) => {
    onFault({
      kind: "audit_lost",
      message: `Audit entry ${action} was not kept: ${reason(error)}`,
    });
  });
  return appended;
};

const coalesce = (delayMs: number, run: () => void): (() => void) => {
  let waiting = false;
  return () => {
    if (waiting) {
      return;
    }
    waiting = true;
    setTimeout(() => {
      waiting = false;
      run();
    }, delayMs).unref();
  };
};
