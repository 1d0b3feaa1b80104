import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  BootstrapRequest,
  DeviceChangesBody,
  DeviceListQuery,
  DeviceParams,
  NewBudgetBody,
  NewEnrollmentCodeBody,
  ReconcileQuery,
  UsageQuery,
  UsageRequestsQuery,
} from "@claude-relay/contract";
import { Type } from "typebox";
import { refusalForSchema, type SchemaFault } from "./schema-faults.ts";
import { compileValidator } from "./schema-validator.ts";

/** What a caller is told who sends this. */
const told = (
  schema: Parameters<typeof compileValidator>[0]["schema"],
  part: "body" | "querystring" | "params",
  value: unknown,
): string => {
  const validate = compileValidator({ schema, httpPart: part, method: "POST", url: "/" });
  const { error } = validate(value) as { error: SchemaFault[] };
  return refusalForSchema(error, part).message;
};

describe("what a schema found wrong, in words", () => {
  it("names missing fields, nested ones too, and unknown ones with what is known", () => {
    assert.equal(
      told(BootstrapRequest, "body", {}),
      "device_id: field required: 8–128 printable ASCII characters: how the device names itself.",
    );
    const nested = Type.Object({ policy: Type.Array(Type.Object({ a: Type.String() })) });
    assert.equal(told(nested, "body", { policy: [{}] }), "policy.0.a: field required.");
    const small = Type.Object(
      { a: Type.Optional(Type.String()), b: Type.Optional(Type.String()) },
      { additionalProperties: false },
    );
    assert.equal(
      told(small, "body", { x: 1 }),
      "x: unknown field: leave it out (known are a and b).",
    );
  });

  it("says what a missing field may be, unless any text would do", () => {
    const { scope, window } = NewBudgetBody.properties;
    assert.equal(
      told(Type.Object({ window }), "body", {}),
      'window: field required: "total", "day", "week", "month" or a JSON object with rolling_hours.',
    );
    assert.match(
      told(Type.Object({ scope }), "body", {}),
      /^scope: field required: "session", .* or "relay"\.$/,
    );
    const plain = Type.Object({ a: Type.String({ minLength: 1 }), b: Type.Boolean() });
    assert.equal(told(plain, "body", {}), "a: field required; b: field required: true or false.");
  });

  it("says of a field that is a word or an object what it may be, or what is wrong inside", () => {
    const body = Type.Object({ window: NewBudgetBody.properties.window });
    const words = '"total", "day", "week", "month" or a JSON object with rolling_hours';
    for (const window of ["year", 1, null, []]) {
      assert.equal(told(body, "body", { window }), `window: must be ${words}.`);
    }
    const inside: readonly [unknown, string][] = [
      [{}, "window.rolling_hours: field required: a whole number."],
      [{ rolling_hours: 0 }, "window.rolling_hours: must be 1 or more."],
      [
        { rolling_hours: 1, days: 2 },
        "window.days: unknown field: leave it out (known are rolling_hours).",
      ],
    ];
    for (const [window, says] of inside) {
      assert.equal(told(body, "body", { window }), says);
    }
  });

  it("leaves capitals that are no first letter of a sentence, and semicolons to stand between fields", () => {
    assert.equal(
      told(ReconcileQuery, "querystring", { from: "x", to: "2026-01-02" }),
      "from: must be YYYY-MM-DD, in UTC, inclusive.",
    );
  });

  it("lists the values a field may have", () => {
    assert.equal(
      told(DeviceChangesBody, "body", { status: "gone" }),
      'status: must be "active", "disabled" or "revoked".',
    );
    assert.equal(
      told(DeviceListQuery, "querystring", { status: "lost" }),
      'status: must be "pending", "active", "disabled" or "revoked".',
    );
  });

  it("says the form of a field instead of showing its pattern", () => {
    const id = "must be 8–128 printable ASCII characters: how the device names itself.";
    assert.equal(told(DeviceParams, "params", { id: "short" }), `id: ${id}`);
    assert.equal(told(BootstrapRequest, "body", { device_id: "gerät-0001" }), `device_id: ${id}`);
    assert.match(
      told(UsageQuery, "querystring", { group_by: "moon" }),
      /^group_by: must be comma-separated: device, .*model, .*accuracy\.$/,
    );
    assert.equal(
      told(DeviceChangesBody, "body", { models: ["a*b"] }),
      "models.0: must be a model id, or its beginning and one * at the end, such as claude-sonnet-*.",
    );
  });

  it("says bounds and types in words, and where null would do", () => {
    assert.equal(
      told(NewEnrollmentCodeBody, "body", {
        expires_in_hours: 0,
        max_uses: 1e9,
        label: "x".repeat(200),
        requests_per_minute: 1.5,
      }),
      "label: must have at most 128 characters (or be null); max_uses: must be 100000 or less; expires_in_hours: must be more than 0; requests_per_minute: must be a whole number or null.",
    );
    assert.equal(
      told(UsageRequestsQuery, "querystring", { limit: "abc" }),
      "limit: must be a whole number.",
    );
    assert.equal(told(BootstrapRequest, "body", undefined), "body: must be a JSON object.");
    assert.equal(told(DeviceChangesBody, "body", {}), "body: is empty: send at least one field.");
    assert.equal(
      told(DeviceChangesBody, "body", { label: "" }),
      "label: must not be empty: give a value or leave it out (or be null).",
    );
  });

  it("hides no field behind another's many allowed values", () => {
    const message = told(UsageQuery, "querystring", {
      operation: "none",
      format: "xml",
      group_by: "moon",
      status: "9",
    });
    for (const field of ["operation", "format", "group_by", "status"]) {
      assert.match(message, new RegExp(`(^|; )${field}: must be `));
    }
  });

  it("shows no caller a pattern or a validator's own words, whatever field is wrong", () => {
    for (const schema of [BootstrapRequest, DeviceChangesBody, NewEnrollmentCodeBody]) {
      for (const wrong of [1, "", "\n", -1, 1e12, true, [], {}, ["*a"], "x".repeat(1000), null]) {
        const fields = Object.keys(schema.properties);
        const body = Object.fromEntries(fields.map((field) => [field, wrong]));
        assert.doesNotMatch(told(schema, "body", body), /\^\[|constant|schema|fewer|>=|<=/);
      }
    }
  });

  it("names unknown fields also where TypeBox stopped before it had said what they are", () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, 1]));
    const closed = Type.Object({}, { additionalProperties: false });
    assert.match(told(closed, "body", many), /^f0: unknown field: leave it out; f1: .*f7: [^;]*$/);
  });

  it("stops at eight fields", () => {
    const fault = { keyword: "type", params: { type: "object" } };
    const many = Array.from({ length: 50 }, (_, n) => ({ ...fault, instancePath: `/f${n}` }));
    assert.equal(refusalForSchema(many, "body").message.split("; ").length, 8);
  });
});
