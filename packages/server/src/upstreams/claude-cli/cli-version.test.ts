import assert from "node:assert/strict";
import { test } from "node:test";
import { standingOf } from "./cli-version.ts";

test("versions without the locks are refused, ours is tested, newer ones are untested", () => {
  for (const old of [
    "2.1.197",
    "2.1.328",
    "2.0.999",
    "1.9.9",
    "",
    "2.1",
    "2.1.329-beta",
    "latest",
  ]) {
    assert.equal(standingOf(old), "refused", old);
  }
  assert.equal(standingOf("2.1.329"), "tested");
  for (const newer of ["2.1.330", "2.2.0", "3.0.0", "10.0.0"]) {
    assert.equal(standingOf(newer), "untested", newer);
  }
});
