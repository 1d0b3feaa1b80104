import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withFewMarks } from "./combining-marks.ts";

describe("combining marks", () => {
  it("stay as they are where people write them", () => {
    for (const text of [
      "",
      "plain",
      "cafe\u0301",
      "שָׁלוֹם",
      "ที่",
      "क्षि",
      `Z${"\u0300".repeat(32)}a`,
    ]) {
      assert.equal(withFewMarks(text), text);
    }
  });

  it("are thirty-two on one letter at most, however the text came", () => {
    const marks = "\u0300\u20d0\u{1d165}";
    const text = `a${marks.repeat(100)}b${marks.repeat(100)}`;
    const shown = withFewMarks(text);
    const most = [...marks.repeat(100)].slice(0, 32).join("");
    assert.equal(shown, `a${most}b${most}`);
    for (let length = 0; length < text.length; length += 7) {
      const beginning = [...text].slice(0, length).join("");
      assert.ok(shown.startsWith(withFewMarks(beginning)));
    }
  });
});
