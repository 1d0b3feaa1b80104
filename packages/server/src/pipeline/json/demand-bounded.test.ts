import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { demandBounded, nestsTooDeep } from "./demand-bounded.ts";

const check =
  (text: string, maxNestedBytes = 1000) =>
  () =>
    demandBounded(Buffer.from(text), maxNestedBytes);
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("a body, before it is parsed,", () => {
  it("is JSON exactly when JSON.parse takes it", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.string(), fc.stringMatching(/^[{}[\]",:1 \n]*$/)),
        (text) => {
          let parses = true;
          try {
            JSON.parse(text);
          } catch {
            parses = false;
          }
          const judge = check(text, 100_000);
          parses ? assert.doesNotThrow(judge) : assert.throws(judge, { name: "JsonFault" });
        },
      ),
    );
  });

  it("may have 64 fields, each with 125 levels and so many bytes; strings may be longer", () => {
    const fields = (count: number) =>
      `{${Array.from({ length: count }, (_, n) => ` "f${n}" : 1 `).join()}}`;
    assert.doesNotThrow(check(fields(64)));
    assert.throws(check(fields(65)), { code: "invalid_request", message: /more than 64 fields/ });
    assert.doesNotThrow(check(`{"a":${nested(125)}}`));
    assert.throws(check(`{"a":${nested(126)}}`), {
      code: "invalid_request",
      message: "a: nests too deep: at most 125 levels are taken.",
    });
    assert.doesNotThrow(check(`{"a":"${"x".repeat(5000)}","b":[${" ".repeat(998)}]}`));
    assert.throws(check(`{"a":1,"b":[${" ".repeat(999)}]}`), {
      code: "too_large",
      message: "b: has 1001 bytes; at most 1000 are taken.",
    });
    assert.throws(check(nested(100_000)), { message: /^body: nests too deep/ });
  });
});

describe("an answer's text", () => {
  it("nests too deep beyond 128, also when it has no end", () => {
    assert.equal(nestsTooDeep(nested(128)), false);
    assert.equal(nestsTooDeep(nested(129)), true);
    assert.equal(nestsTooDeep("[".repeat(129)), true);
    assert.equal(nestsTooDeep(`"${nested(500)}"`), false);
    assert.equal(nestsTooDeep(`words ${nested(500)}`), false);
  });
});
