import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Refusal } from "../pipeline/refusal.ts";
import { createDemandAppVersion } from "./app-version.ts";

const isRefused = (minimum: string | null, stated: string | null): boolean => {
  try {
    createDemandAppVersion(minimum)(stated);
    return false;
  } catch (error) {
    assert.ok(error instanceof Refusal && error.code === "update_needed");
    return true;
  }
};

describe("the oldest version of an app that gets a token", () => {
  it("keeps lower ones out and lets the same and newer ones in, number by number", () => {
    for (const old of [
      "1.9.9",
      "1.10.0",
      "1.10.1",
      "0.99.99",
      "v1.10.1",
      "1.10",
      "0.0",
      "1.9.0+7",
    ]) {
      assert.ok(isRefused("1.10.2", old), old);
    }
    for (const good of [
      "1.10.2",
      "1.10.3",
      "1.11.0",
      "1.11",
      "2.0.0",
      "10.0.0",
      "v1.10.2",
      "1.10.2+7",
    ]) {
      assert.ok(!isRefused("1.10.2", good), good);
    }
  });

  it("takes a pre-release for older than its release", () => {
    assert.ok(isRefused("2.0.0", "2.0.0-beta.1"));
    assert.ok(!isRefused("2.0.0", "2.0.1-beta.1"));
    assert.ok(isRefused("2.0.0", "1.9.9-rc.1+build.5"));
  });

  it("does not judge what states none, or none of this form", () => {
    for (const stated of [
      null,
      "",
      "1",
      "cli 0.1.0",
      "0.1.0 beta",
      "1.2.3.4",
      "-1.0.0",
      "1.x.0",
      "1.0.0-",
      "dev",
      "1".repeat(64),
    ]) {
      assert.ok(!isRefused("9.9.9", stated), String(stated));
    }
  });

  it("is any where none is set", () => {
    assert.ok(!isRefused(null, "0.0.0"));
  });

  it("names both versions and what to do", () => {
    assert.throws(
      () => createDemandAppVersion("1.10.0")("1.9.2"),
      /1\.9\.2.*1\.10\.0.*Update the app/,
    );
  });

  it("orders any two versions as their numbers do", () => {
    const numbers = fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99));
    const weight = ([a, b, c]: readonly [number, number, number]): number =>
      a * 10_000 + b * 100 + c;
    fc.assert(
      fc.property(numbers, numbers, (least, stated) => {
        assert.equal(isRefused(least.join("."), stated.join(".")), weight(stated) < weight(least));
      }),
    );
  });
});
