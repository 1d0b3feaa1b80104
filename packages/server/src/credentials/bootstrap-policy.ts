import type { BootstrapPolicy, OrganizationId } from "@claude-relay/contract";
import type { DeviceRecord } from "../pipeline/ports.ts";
import type { OrganizationOf } from "./device-index.ts";

export type BootstrapPolicies = Readonly<{
  /** BOOTSTRAP, or what is tighter for an organization. */
  policyOf: (organizationId: OrganizationId | null) => BootstrapPolicy;
  organizationOf: OrganizationOf;
}>;

/** How this device gets in: by its own organization's policy, or its user's; null for one that is not known. */
export const policyFor = (
  { policyOf, organizationOf }: BootstrapPolicies,
  device: Pick<DeviceRecord, "userId" | "organizationId"> | null,
): BootstrapPolicy =>
  policyOf(device === null ? null : (device.organizationId ?? organizationOf(device.userId)));
