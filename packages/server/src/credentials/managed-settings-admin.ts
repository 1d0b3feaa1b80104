import { createHash, randomUUID } from "node:crypto";
import type { OrganizationId, UserId } from "@claude-relay/contract";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type {
  ManagedScope,
  ManagedSettingsAdmin,
  ManagedSettingsStore,
} from "../pipeline/sign-in-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import { createAdminRecord } from "./admin-record.ts";
import type { OwnerIndex } from "./owner-index.ts";

type Options = Readonly<{
  store: ManagedSettingsStore;
  owners: OwnerIndex;
  audit: AuditLog;
  clock: Clock;
}>;

/** In bytes, as JSON. */
const mostBytes = 64 * 1024;

export const createManagedSettingsAdmin = (options: Options): ManagedSettingsAdmin => {
  const { store, owners, audit, clock } = options;
  const record = createAdminRecord(audit, clock);
  return {
    list: () => store.list(),
    put: (given, settings, clientIp) =>
      owners.alone(async () => {
        const scope = checkedScope(owners, given);
        const text = JSON.stringify(settings);
        if (Buffer.byteLength(text) > mostBytes) {
          throw new Refusal("invalid_request", `settings: must be at most ${mostBytes} bytes.`);
        }
        const checksum = `sha256:${createHash("sha256").update(text).digest("hex")}`;
        const wanted = { scope, uuid: randomUUID(), checksum, settings, updatedAt: clock.now() };
        const kept = await store.put(wanted);
        await record("managed_settings.set", nameOf(scope), { checksum }, clientIp);
        return kept;
      }),
    remove: async (given, clientIp) => {
      const scope = checkedScope(owners, given);
      if (!(await store.remove(scope))) {
        throw new Refusal(
          "not_found",
          `${scope.id === "" ? "The relay" : `The ${scope.kind} "${scope.id}"`} has no managed settings. GET /admin/managed-settings lists them.`,
        );
      }
      await record("managed_settings.delete", nameOf(scope), null, clientIp);
    },
  };
};

const nameOf = ({ kind, id }: ManagedScope): string => (id === "" ? kind : `${kind}:${id}`);

/** @throws Refusal `invalid_request` saying what is wrong with `scope_id` */
const checkedScope = (
  owners: OwnerIndex,
  { kind, id }: Parameters<ManagedSettingsAdmin["put"]>[0],
): ManagedScope => {
  if (kind === "relay") {
    if (id !== null) {
      throw fault("the relay has none: leave it out.");
    }
    return { kind, id: "" };
  }
  if (id === null) {
    throw fault(`field required: the ${kind}'s id.`);
  }
  const known =
    kind === "user"
      ? owners.users.get(id as UserId)
      : owners.organizations.get(id as OrganizationId);
  if (known === null) {
    throw fault(`there is no ${kind} "${id}": create it first (POST /admin/${kind}s).`);
  }
  return { kind, id };
};

const fault = (words: string): Refusal => new Refusal("invalid_request", `scope_id: ${words}`);
