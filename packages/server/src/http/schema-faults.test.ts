import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refusalForSchema } from "./schema-faults.ts";

const words = (faults: Parameters<typeof refusalForSchema>[0], part?: string): string =>
  refusalForSchema(faults, part).message;

describe("what a schema found wrong, in words", () => {
  it("names missing, unknown and nested fields", () => {
    const required = { keyword: "required", params: { requiredProperties: ["a", "b"] } };
    assert.equal(
      words([{ ...required, instancePath: "" }]),
      "a: field required; b: field required.",
    );
    assert.equal(
      words([{ ...required, instancePath: "/policy/0" }]),
      "policy.0.a: field required; policy.0.b: field required.",
    );
    const unknown = { keyword: "additionalProperties", params: { additionalProperties: ["x"] } };
    assert.equal(words([{ ...unknown, instancePath: "" }]), "x: unknown field.");
  });

  it("joins what is said of one field, and leaves out echoes", () => {
    const of = (keyword: string, message: string) => ({ keyword, instancePath: "/n", message });
    assert.equal(
      words([of("type", "must be integer"), of("type", "must be null"), of("anyOf", "must match")]),
      "n: must be integer or must be null.",
    );
  });

  it("says what an id is instead of showing its pattern", () => {
    const fault = { keyword: "pattern", message: 'must match pattern "^[\\x20-\\x7e]{8,128}$"' };
    for (const path of ["device_id", "id"]) {
      assert.equal(
        words([{ ...fault, instancePath: `/${path}` }]),
        `${path}: must be 8–128 printable ASCII characters.`,
      );
    }
  });

  it("names the part when no field is to blame, and stops at eight fields", () => {
    const fault = { keyword: "type", instancePath: "", message: "must be object" };
    assert.equal(words([fault], "querystring"), "querystring: must be object.");
    const many = Array.from({ length: 50 }, (_, n) => ({ ...fault, instancePath: `/f${n}` }));
    assert.equal(words(many).split("; ").length, 8);
  });
});
