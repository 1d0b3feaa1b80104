import assert from "node:assert/strict";
import type { Relay } from "./relay.ts";

/** Mints an app key; gives its secret. */
export const mintAppKey = async (
  relay: Relay,
  label = "test",
  policy: Readonly<Record<string, unknown>> = {},
): Promise<string> => {
  const minted = await relay.admin("/admin/keys", {
    method: "POST",
    body: JSON.stringify({ label, ...policy }),
  });
  assert.equal(minted.status, 201, JSON.stringify(minted.body));
  return minted.body.secret;
};
