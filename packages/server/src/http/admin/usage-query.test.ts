import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AppKeyId, DeviceId } from "@claude-relay/contract";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Caller } from "../../pipeline/types.ts";
import type { Viewer } from "./access.ts";
import { dimensionsOf, filterOf, narrow } from "./usage-query.ts";

const refusal = (code: string, says: RegExp) => (error: unknown) =>
  error instanceof Refusal && error.code === code && says.test(error.message);

const device: Viewer = {
  kind: "caller",
  caller: {
    kind: "device",
    id: "mac-0001" as DeviceId,
    userId: null,
    organizationId: null,
    policy: { models: null, requestsPerMinute: null },
  },
};

const appKey: Viewer = {
  kind: "caller",
  caller: {
    ...device.caller,
    kind: "app_key",
    id: "mac-0001" as string as AppKeyId,
  } as Caller,
};

describe("the filter of a usage query", () => {
  it("has what was asked for, and nothing else", () => {
    const asked = {
      from: "2026-11-21",
      to: "2026-11-22",
      device: "mac-0001",
      user: "ann",
      org: "lab",
      model: "claude-haiku-4-5",
      operation: "messages",
      upstream: "anthropic",
      status: 529,
    } as const;
    const { org, device, ...rest } = asked;
    assert.deepEqual(filterOf(asked), {
      ...rest,
      organization: org,
      callerKind: "device",
      callerId: device,
      from: Date.UTC(2026, 10, 21),
      to: Date.UTC(2026, 10, 22),
    });
    assert.ok(Object.values(filterOf({})).every((value) => value === undefined));
  });

  it("takes a span of no length, and none that ends before it begins", () => {
    const day = "2026-11-21";
    assert.equal(filterOf({ from: day, to: day }).to, Date.UTC(2026, 10, 21));
    assert.throws(
      () => filterOf({ from: day, to: "2026-11-20T23:59:59.999Z" }),
      refusal("invalid_request", /^from must not be after to/),
    );
    for (const field of ["from", "to"]) {
      const says = new RegExp(`^${field} must be a time`);
      assert.throws(() => filterOf({ [field]: "today" }), refusal("invalid_request", says));
    }
  });
});

describe("what a viewer may see", () => {
  it("is everything for an admin", () => {
    const filter = filterOf({ device: "mac-0001", upstream: "anthropic" });
    assert.deepEqual(narrow(filter, { kind: "admin" }), filter);
  });

  it("is its own rows for a caller, whatever else it asks for", () => {
    const asked = filterOf({ user: "ann", org: "lab", operation: "messages", upstream: "x" });
    assert.deepEqual(narrow(asked, device), {
      ...asked,
      callerKind: "device",
      callerId: "mac-0001",
    });
    assert.equal(narrow(filterOf({ device: "mac-0001" }), device).callerId, "mac-0001");
    assert.equal(narrow(filterOf({ app_key: "mac-0001" }), appKey).callerId, "mac-0001");
    assert.equal(narrow(filterOf({}), appKey).callerKind, "app_key");
  });

  it("is refused where it is another's: another device's, or a device's of the same name", () => {
    const own = refusal("forbidden", /sees only its own usage/);
    for (const id of ["mac-0002", "", "MAC-0001"]) {
      assert.throws(() => narrow(filterOf({ device: id }), device), own);
    }
    assert.throws(() => narrow(filterOf({ device: "mac-0001" }), appKey), own);
    assert.throws(() => narrow(filterOf({ app_key: "mac-0001" }), device), own);
  });
});

describe("the dimensions of a usage query", () => {
  it("are each taken once, in order", () => {
    assert.deepEqual(dimensionsOf("upstream,org,operation,upstream"), [
      "upstream",
      "organization",
      "operation",
    ]);
    assert.deepEqual(dimensionsOf(undefined), []);
  });
});
