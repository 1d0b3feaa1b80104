import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { shownJson } from "./shown-json.ts";

describe("JSON that is printed", () => {
  it("holds nothing that a terminal would act on, and means the same", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (texts) => {
        const shown = shownJson({ texts });
        assert.doesNotMatch(shown, /(?!\n)[\p{C}\u2028\u2029]/u);
        assert.deepEqual(JSON.parse(shown), { texts });
      }),
    );
    assert.equal(shownJson("\u009b2J\u202e\u{e0041}é"), '"\\u009b2J\\u202e\\udb40\\udc41é"');
  });
});
