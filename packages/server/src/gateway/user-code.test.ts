import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { newUserCode, readUserCode, shownUserCode } from "./user-code.ts";

test("a code is eight of twenty consonants, and is shown in two halves", () => {
  for (let index = 0; index < 200; index += 1) {
    assert.match(newUserCode(), /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
  }
  assert.equal(shownUserCode("BCDFGHJK"), "BCDF-GHJK");
});

test("every letter of the alphabet comes, each as likely", () => {
  const asked: number[] = [];
  newUserCode((below) => asked.push(below) % below);
  assert.deepEqual(asked, Array(8).fill(20));
});

test("a code is read however it is typed: case, dashes, blanks", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(..."BCDFGHJKLMNPQRSTVWXZ"), { minLength: 8, maxLength: 8 }),
      fc.array(fc.constantFrom("", " ", "-", "\t", ".", "–"), { minLength: 8, maxLength: 8 }),
      fc.boolean(),
      (letters, between, lower) => {
        const typed = letters.map((letter, index) => `${between[index]}${letter}`).join("");
        assert.equal(readUserCode(lower ? typed.toLowerCase() : typed), letters.join(""));
      },
    ),
  );
});

test("what is no code is none: vowels, too few, too many, a flood", () => {
  for (const typed of ["", "BCDFGHJ", "BCDFGHJKL", "ABCDFGHJ", "BCDFGHJY", "B".repeat(100_000)]) {
    assert.equal(readUserCode(typed), null);
  }
});
