import assert from "node:assert/strict";
import type { InsideRelay } from "./inside.ts";

/** Creates an organization and a user of it. */
export const createOwners = async (
  relay: Pick<InsideRelay, "admin">,
  organizationId: string,
  userId: string,
): Promise<void> => {
  const organization = await relay.admin("/admin/organizations", { body: { id: organizationId } });
  assert.equal(organization.status, 201, organization.text);
  const body = { id: userId, organization_id: organizationId };
  const user = await relay.admin("/admin/users", { body });
  assert.equal(user.status, 201, user.text);
};
