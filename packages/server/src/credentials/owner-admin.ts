import type { EpochMs, OrganizationId, UserId } from "@claude-relay/contract";
import type { OrganizationAdmin, OwnerAdmin, UserAdmin } from "../pipeline/owner-admin-ports.ts";
import type { OwnerStore, Removal } from "../pipeline/owner-ports.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { createAdminRecord } from "./admin-record.ts";
import { checkOwners } from "./owner-checks.ts";
import type { OwnerIndex, OwnerStores, Rows } from "./owner-index.ts";

export type OwnerAdminOptions = Readonly<{
  stores: OwnerStores;
  index: OwnerIndex;
  audit: AuditLog;
  clock: Clock;
}>;

export const createOrganizationAdmin = (options: OwnerAdminOptions): OrganizationAdmin =>
  createOwnerAdmin(options, {
    kind: "organization",
    store: options.stores.organizations,
    rows: options.index.organizations,
    check: () => undefined,
    row: (id: OrganizationId, { name }, createdAt) => ({ id, name, createdAt }),
  });

export const createUserAdmin = (options: OwnerAdminOptions): UserAdmin =>
  createOwnerAdmin(options, {
    kind: "user",
    store: options.stores.users,
    rows: options.index.users,
    check: (settings) => checkOwners(options.index, { organizationId: settings.organizationId }),
    row: (id: UserId, { name, organizationId }, createdAt) => ({
      id,
      name,
      organizationId,
      createdAt,
    }),
  });

type Kind<Id extends string, Row extends Readonly<{ id: Id }>, Settings> = Readonly<{
  kind: "organization" | "user";
  store: OwnerStore<Id, Row>;
  rows: Rows<Id, Row>;
  /** @throws Refusal `invalid_request` */
  check: (settings: Partial<Settings>) => void;
  row: (id: Id, settings: Settings, createdAt: EpochMs) => Row;
}>;

const createOwnerAdmin = <
  Id extends string,
  Row extends Settings & Readonly<{ id: Id }>,
  Settings extends object,
>(
  { index, audit, clock }: OwnerAdminOptions,
  { kind, store, rows, check, row }: Kind<Id, Row, Settings>,
): OwnerAdmin<Id, Row, Settings> => {
  const record = createAdminRecord(audit, clock);
  const missing = (id: Id): Refusal =>
    new Refusal("not_found", `There is no ${kind} "${id}". GET /admin/${kind}s lists them.`);

  const get = (id: Id): Row => {
    const known = rows.get(id);
    if (known === null) {
      throw missing(id);
    }
    return known;
  };

  return {
    create: (id, settings, clientIp) =>
      index.alone(async () => {
        if (rows.get(id) !== null) {
          throw new Refusal(
            "conflict",
            `There is ${article[kind]} "${id}" already: change it (PATCH /admin/${kind}s/${id}), or choose another id.`,
          );
        }
        check(settings);
        const kept = rows.keep(await store.insert(row(id, settings, clock.now())));
        await record(`${kind}.create`, id, settings, clientIp);
        return kept;
      }),
    list: (query) => store.list(query),
    get,
    change: (id, changes, clientIp) =>
      index.alone(async () => {
        const before = get(id);
        check(changes);
        const changed = await store.replace({ ...before, ...changes });
        if (changed === null) {
          throw missing(id);
        }
        rows.keep(changed);
        await record(`${kind}.change`, id, changes, clientIp);
        return changed;
      }),
    remove: (id, clientIp) =>
      index.alone(async () => {
        const before = get(id);
        const removal = await store.remove(id, clock.now());
        refuseInUse(kind, id, removal);
        const policy = index.policyOf({ kind, id });
        rows.forget(id);
        if (policy !== null) {
          index.policies.forget(policy.id);
        }
        await record(`${kind}.delete`, id, policy && { policy: policy.id }, clientIp);
        return before;
      }),
  };
};

const article = { organization: "an organization", user: "a user" } as const;

const refuseInUse = (kind: string, id: string, removal: Removal): void => {
  if (removal.kind === "in_use") {
    const { members, more } = removal;
    const named = `${members.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
    throw new Refusal(
      "conflict",
      `The ${kind} "${id}" still has ${named}: give them to someone else, or delete or revoke them, first.`,
    );
  }
};
