import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { answerText } from "./router-reply.ts";

describe("an answer to a router", () => {
  it("is JSON in ASCII that says the same, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (error) => {
        const text = answerText({ success: false, error });
        return /^[\x20-\x7e]*$/.test(text) && JSON.parse(text).error === error;
      }),
    );
  });

  it("longer than a router can read becomes one that says so, under the same seal", () => {
    const seal = (answer: unknown): string => `sealed ${JSON.stringify(answer)}`;
    const fits = { success: true, text: "x".repeat(59_950) };
    assert.equal(answerText(fits, seal), seal(fits));
    const text = answerText({ success: true, text: "x".repeat(60_000) }, seal);
    assert.match(text, /^sealed .*"success":false,"code":"too_large"/);
  });

  it("counts what escaping and the seal make of it, not its characters", () => {
    const text = answerText({ success: true, text: "ü".repeat(10_001) });
    assert.equal(JSON.parse(text).code, "too_large");
  });
});
