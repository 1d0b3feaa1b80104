import type { AppKeyId, DeviceId, OrganizationId, RouterId, UserId } from "@claude-relay/contract";
import type { Scope, ScopeKind } from "../pipeline/admission.ts";
import type { GivenScope } from "../pipeline/owner-admin-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { OwnerIndex } from "./owner-index.ts";

type Owners = Readonly<{
  userId?: UserId | null | undefined;
  organizationId?: OrganizationId | null | undefined;
}>;

/** @throws Refusal `invalid_request` naming the field of an owner that does not exist */
export const checkOwners = (index: OwnerIndex, { userId, organizationId }: Owners): void => {
  if (userId !== undefined && userId !== null && index.users.get(userId) === null) {
    throw unknown("user_id", `there is no user "${userId}": create it first (POST /admin/users).`);
  }
  if (
    organizationId !== undefined &&
    organizationId !== null &&
    index.organizations.get(organizationId) === null
  ) {
    throw unknown("organization_id", noOrganization(organizationId));
  }
};

/** What policies and budgets can be set on. */
export type Scopes = Readonly<{
  index: OwnerIndex;
  isDevice: (id: DeviceId) => boolean;
  isAppKey: (id: AppKeyId) => boolean;
  isRouter: (id: RouterId) => boolean;
}>;

/**
 * The scope that is meant, known to exist.
 * @throws Refusal `invalid_request` saying what is wrong with `scope_id`
 */
export const checkedScope = <Kind extends ScopeKind>(
  scopes: Scopes,
  { kind, id }: GivenScope<Kind>,
): Readonly<{ kind: Kind; id: string }> => {
  if (kind === "relay") {
    if (id !== null) {
      throw unknown("scope_id", "the relay has none: leave it out.");
    }
    return { kind, id: "" };
  }
  if (id === null) {
    throw unknown("scope_id", `field required: ${whose[kind as Exclude<ScopeKind, "relay">]}.`);
  }
  const fault = scopeFault(scopes, { kind, id });
  if (fault !== null) {
    throw unknown("scope_id", fault);
  }
  return { kind, id };
};

const whose: Readonly<Record<Exclude<ScopeKind, "relay">, string>> = {
  organization: "the organization's id",
  user: "the user's id",
  device: "the device's id",
  app_key: "the app key's label",
  router: "the router's id",
  session: "the session's id, or * for each session",
};

const scopeFault = (
  { index, isDevice, isAppKey, isRouter }: Scopes,
  { kind, id }: Scope,
): string | null => {
  switch (kind) {
    case "relay":
      return null;
    case "organization":
      return index.organizations.get(id as OrganizationId) === null ? noOrganization(id) : null;
    case "user":
      return index.users.get(id as UserId) === null
        ? `there is no user "${id}": create it first (POST /admin/users).`
        : null;
    case "device":
      return isDevice(id as DeviceId)
        ? null
        : `no device is called "${id}": it must have been at POST /bootstrap (GET /admin/devices lists them).`;
    case "app_key":
      return isAppKey(id as AppKeyId)
        ? null
        : `no app key has the label "${id}": mint it first (POST /admin/keys).`;
    case "router":
      return isRouter(id as RouterId)
        ? null
        : `no router is called "${id}": add it first (POST /admin/routers).`;
    case "session":
      return /^[\x21-\x7e]{1,128}$/.test(id)
        ? null
        : "must be a session's id as in x-claude-code-session-id (1–128 printable ASCII characters), or * for each session.";
  }
};

const noOrganization = (id: string): string =>
  `there is no organization "${id}": create it first (POST /admin/organizations).`;

const unknown = (field: string, fault: string): Refusal =>
  new Refusal("invalid_request", `${field}: ${fault}`);

/** @throws Refusal `not_found` for a user nobody made */
export const demandUser = (owners: OwnerIndex, userId: UserId): void => {
  if (owners.users.get(userId) === null) {
    throw new Refusal("not_found", `There is no user "${userId}". GET /admin/users lists them.`);
  }
};
