import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  appKeyHash,
  isWellFormedAppKey,
  looksLikeAppKey,
  newAppKeySecret,
} from "./app-key-secret.ts";

describe("an app key's secret", () => {
  it("has the form that secret scanners are told of, and is new each time", () => {
    const keys = Array.from({ length: 100 }, () => newAppKeySecret());
    for (const key of keys) {
      assert.match(key, /^crk_[0-9A-Za-z]{49}$/);
      assert.equal(isWellFormedAppKey(key), true);
    }
    assert.equal(new Set(keys.map(appKeyHash)).size, 100);
  });

  it("is known as mistyped when any one character differs or is missing", () => {
    const key = newAppKeySecret();
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: key.length - 1 }),
        fc.constantFrom(..."0aZ-"),
        (at, other) => {
          fc.pre(key[at] !== other);
          assert.equal(isWellFormedAppKey(key.slice(0, at) + other + key.slice(at + 1)), false);
          assert.equal(isWellFormedAppKey(key.slice(0, at)), false);
        },
      ),
    );
    assert.equal(looksLikeAppKey("eyJhbGciOiJIUzI1NiJ9.e30.x"), false);
  });
});
