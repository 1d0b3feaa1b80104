import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createIsAdmin } from "./admin-token.ts";
import { enrollmentCodeHash, newEnrollmentCode } from "./enrollment-code.ts";

describe("an enrollment code", () => {
  it("is four groups of five letters and digits that nobody mistakes, drawn evenly", () => {
    assert.equal(
      newEnrollmentCode(() => 0),
      "00000-00000-00000-00000",
    );
    assert.equal(
      newEnrollmentCode((max) => max - 1),
      "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ",
    );
    const many = Array.from({ length: 500 }, () => newEnrollmentCode());
    assert.equal(new Set(many).size, many.length);
    assert.equal(new Set(many.join("").replaceAll("-", "")).size, 32);
    assert.doesNotMatch(many.join(""), /[ILOU]/);
  });

  it("is known again however it is written down", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(31)), (numbers) => {
        const code = newEnrollmentCode(() => numbers.next().value ?? 0);
        const written = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o");
        assert.equal(enrollmentCodeHash(written.replaceAll("1", "l")), enrollmentCodeHash(code));
        assert.equal(
          enrollmentCodeHash(` ${code.replaceAll("-", "")}\n`),
          enrollmentCodeHash(code),
        );
      }),
    );
  });

  it("is stored as a digest that does not tell it", () => {
    assert.match(enrollmentCodeHash("AAAAA-AAAAA-AAAAA-AAAAA"), /^[0-9a-f]{64}$/);
    assert.notEqual(enrollmentCodeHash("AAAAA"), enrollmentCodeHash("AAAAB"));
  });
});

describe("the admin token", () => {
  it("is that one and no other, of whatever length", () => {
    const isAdmin = createIsAdmin("the-admin-token-0123");
    assert.equal(isAdmin("the-admin-token-0123"), true);
    for (const wrong of [
      "",
      "the-admin-token-012",
      "the-admin-token-0123 ",
      "the-admin-token-0124",
    ]) {
      assert.equal(isAdmin(wrong), false);
    }
  });
});
