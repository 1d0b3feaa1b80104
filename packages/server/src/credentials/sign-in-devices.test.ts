import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceId, UserId } from "@claude-relay/contract";
import type { DeviceCaller } from "../pipeline/types.ts";
import { demandPersons } from "./sign-in-devices.ts";

const caller = (id: string, userId: string | null): DeviceCaller => ({
  kind: "device",
  id: id as DeviceId,
  userId: userId as UserId | null,
  organizationId: null,
  policy: { models: null, requestsPerMinute: null },
});

/** Everybody's credential is good; only ann is a user. */
const identifying = (found: DeviceCaller) =>
  demandPersons({ known: () => found, verify: async () => found }, (id) => id === "ann");

test("a sign-in counts as long as its person is a user", async () => {
  const ann = caller("signin-1", "ann");
  assert.equal(identifying(ann).known("token"), ann);
  assert.equal(await identifying(ann).verify("token"), ann);
});

test("a sign-in whose person is gone is nobody, whatever its own row says", async () => {
  for (const gone of [caller("signin-1", "bob"), caller("signin-1", null)]) {
    assert.equal(identifying(gone).known("token"), null);
    await assert.rejects(identifying(gone).verify("token"), { code: "credential_invalid" });
  }
});

test("any other device needs no person", async () => {
  const laptop = caller("laptop-0001", null);
  assert.equal(identifying(laptop).known("token"), laptop);
  assert.equal(await identifying(laptop).verify("token"), laptop);
});
