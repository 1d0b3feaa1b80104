import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { microUsdOfCents, parseCents } from "./cents.ts";

const microUsd = (text: string) => {
  const exact = parseCents(text);
  return exact === null ? null : microUsdOfCents(exact);
};

test("cents become whole micro-dollars, the nearest", () => {
  assert.equal(microUsd("123.78912"), 1_237_891);
  assert.equal(microUsd("0"), 0);
  assert.equal(microUsd("0.00005"), 1);
  assert.equal(microUsd("0.000049999999"), 0);
  assert.equal(microUsd("-2.5"), -25_000);
  assert.equal(microUsd("41280.000000"), 412_800_000);
});

test("what is no decimal number is none", () => {
  for (const text of ["", " 1", "1e3", "NaN", "1,5", "$1", "1.", ".5", "--1", "9".repeat(16)]) {
    assert.equal(parseCents(text), null, text);
  }
});

test("a sum of parts is exact where floating point is not", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(10 ** 9), { minLength: 1, maxLength: 200 }), (parts) => {
      const text = (part: number) =>
        `${Math.floor(part / 1e6)}.${String(part % 1e6).padStart(6, "0")}`;
      const sum = parts.reduce((total, part) => total + (parseCents(text(part)) ?? 0n), 0n);
      assert.equal(sum, BigInt(parts.reduce((total, part) => total + part, 0)) * 10n ** 6n);
    }),
  );
});
