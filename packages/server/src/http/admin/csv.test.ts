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
  it("has the keys as its head, nulls as nothing, objects as JSON", () => {
    assert.equal(
      csv([
        { a: 1, b: null, c: "x" },
        { a: -2.5, b: true, c: [{ d: 1 }] },
      ]),
      'a,b,c\r\n1,,x\r\n-2.5,true,"[{""d"":1}]"\r\n',
    );
    assert.equal(csv([]), "");
  });

  it("gives back every text, but for the apostrophe before a formula", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (texts) => {
        const [, ...rows] = parse(csv(texts.map((text) => ({ text }))));
        assert.deepEqual(
          rows.map(([cell]) => cell),
          texts.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)),
        );
      }),
    );
  });

  it("disarms what a spreadsheet would run", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]) {
      const [, [cell = ""] = []] = parse(csv([{ text }]));
      assert.equal(cell, `'${text}`);
    }
  });
});
