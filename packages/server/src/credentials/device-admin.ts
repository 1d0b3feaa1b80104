import type { DeviceId, EpochMs } from "@claude-relay/contract";
import type { DeviceAdmin } from "../pipeline/credential-ports.ts";
import { deviceKeyFingerprint } from "../pipeline/device-key-fingerprint.ts";
import type { AuditLog, DeviceChanges, DeviceRecord, DeviceStore } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { approvedKey } from "./approval.ts";
import type { DeviceIndex } from "./device-index.ts";
import { checkOwners } from "./owner-checks.ts";
import type { OwnerIndex } from "./owner-index.ts";

type Options = Readonly<{
  store: DeviceStore;
  index: DeviceIndex;
  owners: OwnerIndex;
  audit: AuditLog;
  clock: Clock;
}>;

export const createDeviceAdmin = ({ store, index, owners, audit, clock }: Options): DeviceAdmin => {
  const get = (id: DeviceId): DeviceRecord => {
    const device = index.get(id);
    if (device === null) {
      throw new Refusal("not_found", `No device is called "${id}". GET /admin/devices lists them.`);
    }
    return device;
  };

  const apply = async (
    id: DeviceId,
    action: string,
    changes: DeviceChanges,
    clientIp: string,
  ): Promise<DeviceRecord> => {
    get(id);
    const changed = await store.update(id, changes);
    if (changed === null) {
      throw new Refusal("not_found", `No device is called "${id}".`);
    }
    index.keep(changed);
    const entry = { at: clock.now(), actor: "admin", action, subject: id, outcome: "ok", clientIp };
    await audit.append({ ...entry, detail: { ...changes } });
    return changed;
  };

  /** No owner goes while a device is given to it. */
  const aloneWithOwners = (
    id: DeviceId,
    work: () => Promise<DeviceRecord>,
  ): Promise<DeviceRecord> => owners.alone(() => index.alone(id, work));

  return {
    list: (query) => store.list(query),
    get,
    change: (id, changes, clientIp) =>
      aloneWithOwners(id, async () => {
        const known = get(id);
        checkOwners(owners, changes);
        const { action, ...brings } = statusChange(known, changes, clock.now());
        return apply(id, action, { ...changes, ...brings }, clientIp);
      }),
    approve: (id, fingerprint, clientIp) =>
      index.alone(id, async () => {
        const device = get(id);
        if (device.status === "disabled" || device.status === "revoked") {
          throw new Refusal(
            "conflict",
            `This device is ${device.status}: set its status to active first.`,
          );
        }
        const waiting = deviceKeyFingerprint(approvedKey(device));
        if (fingerprint !== null && fingerprint !== waiting) {
          throw new Refusal(
            "conflict",
            `Another key waits by now (${waiting ?? "none"}): compare it with what the device shows, then approve again.`,
          );
        }
        const approval = { status: "active" as const, approvedAt: clock.now() };
        return apply(id, "device.approve", approval, clientIp);
      }),
    revokeTokens: (id, clientIp) =>
      index.alone(id, () =>
        apply(id, "device.revoke_tokens", { tokensValidAfter: clock.now() }, clientIp),
      ),
  };
};

/** What a change of status is called in the audit log, and what it brings about. */
const statusChange = (
  known: DeviceRecord,
  { status }: DeviceChanges,
  now: EpochMs,
): Pick<DeviceChanges, "tokensValidAfter" | "approvedAt"> & Readonly<{ action: string }> => {
  switch (status) {
    case "disabled":
      return { action: "device.disable" };
    case "revoked":
      // Its tokens stay dead even if the device is made active again.
      return { action: "device.revoke", tokensValidAfter: now };
    case "active":
      // One that only ever waited is let in. One that was turned away may ask again.
      return known.status === "pending"
        ? { action: "device.approve", approvedAt: now }
        : { action: "device.enable" };
    default:
      return { action: "device.change" };
  }
};
