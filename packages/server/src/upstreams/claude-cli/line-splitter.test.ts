import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "./line-splitter.ts";

test("lines come whole and in order, however the bytes are cut", () => {
  const line = fc
    .string({ unit: "grapheme", maxLength: 40 })
    .map((text) => text.replaceAll("\n", ""));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 7 })), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(""));
      const splitter = new LineSplitter(1_000);
      const heard: string[] = [];
      let from = 0;
      for (const size of [...cuts, bytes.length]) {
        assert.ok(splitter.push(bytes.subarray(from, from + size), (each) => heard.push(each)));
        from += size;
      }
      assert.deepEqual(heard, lines);
    }),
  );
});

test("a line of the limit is taken, a longer one ends it, finished or not", () => {
  const take = (...chunks: readonly string[]) => {
    const splitter = new LineSplitter(5);
    const heard: string[] = [];
    const fits = chunks.map((chunk) =>
      splitter.push(Buffer.from(chunk), (line) => heard.push(line)),
    );
    return [fits.at(-1), heard];
  };
  assert.deepEqual(take("12345\n12345\n"), [true, ["12345", "12345"]]);
  assert.deepEqual(take("123", "456"), [false, []]);
  assert.deepEqual(take("1\n123456\n2\n"), [false, ["1"]]);
  assert.deepEqual(take("123", "456\n"), [false, []]);
});
