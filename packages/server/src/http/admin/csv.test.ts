import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { csv } from "./csv.ts";

/** RFC 4180, read back. */
const parse = (text: string): string[][] => {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g,
  )) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") {
      rows.push([]);
    }
  }
  rows.pop();
  return rows;
};

describe("CSV", () => {
  it("has the columns as its head, nulls and what is missing as nothing, objects as JSON", () => {
    assert.equal(
      csv(
        ["a", "b", "c"],
        [
          { c: "x", a: 1, b: null, hidden: "no column" },
          { a: -2.5, b: true, c: [{ d: 1 }] },
          { c: 0 },
        ],
      ),
      'a,b,c\r\n1,,x\r\n-2.5,true,"[{""d"":1}]"\r\n,,0\r\n',
    );
  });

  it("has its head without rows too", () => {
    assert.equal(csv(["a", "b"], []), "a,b\r\n");
  });

  it("gives back every text, but for the apostrophe before a formula", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (texts) => {
        const [, ...rows] = parse(
          csv(
            ["text"],
            texts.map((text) => ({ text })),
          ),
        );
        assert.deepEqual(
          rows.map(([cell]) => cell),
          texts.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)),
        );
      }),
    );
  });

  it("disarms what a spreadsheet would run", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]) {
      const [, [cell = ""] = []] = parse(csv(["text"], [{ text }]));
      assert.equal(cell, `'${text}`);
    }
  });
});
