import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { JsonFault, jsonBytes } from "./json-bytes.ts";
import { skipSpace, skipValue } from "./json-scan.ts";

/** Whether the whole text is one JSON value to our scanner. */
const accepts = (text: string | Buffer): boolean => {
  const bytes = Buffer.from(text as string);
  const json = jsonBytes(bytes);
  try {
    return skipSpace(json, skipValue(json, skipSpace(json, 0), 0)) === bytes.length;
  } catch (error) {
    if (error instanceof JsonFault) {
      return false;
    }
    throw error;
  }
};

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const valid = [
  ...["null", "true", "false", "0", "-0", "1", "-1", "10", "123456789012345678901234567890"],
  ...["0.5", "-0.5", "1e5", "1E5", "1e+5", "1e-5", "1.25e-300", "0e0", "0E+1", "1e400", "-1e400"],
  ...['""', '"a"', '"abc"', '"abcd"', '"abcde"', '"\\""', '"\\\\"', '"\\/"', '"\\b\\f\\n\\r\\t"'],
  ...['"\\u0000"', '"\\uD834\\uDD1E"', '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\uFFFF"'],
  ...['"é"', '"€"', '"😀"', '"\u007f"', '"\u2028"', '"\ufeff"', '"abc\\\\"', '"abcd\\\\\\""'],
  ...["[]", "[ ]", "{}", "{ }", "[1]", "[1,2]", "[[],{}]", '{"a":1}', '{"a":1,"a":2}', '{"":0}'],
  ...[" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n", '{ "a" : { "b" : [ null ] } }'],
  ...['{"__proto__":{"constructor":{"prototype":1}}}', '{"a":[{"b":[{"c":{}}]}]}', "[[[[[]]]]]"],
];

const invalid = [
  ...["", " ", "nul", "nulll", "Null", "TRUE", "truefalse", "fals", "tru e", "NaN", "Infinity"],
  ...["-", "+1", "01", "-01", "00", "1.", ".5", "1.e1", "1e", "1e+", "1e-", "0x1", "1_000", "--1"],
  ...["- 1", "1 2", "0.1.2", "1ee1", "-Infinity", "0b1", "1e1.5", "१", "1a", "1\u0000"],
  ...['"', '"a', '"\\"', '"\\', '"\\x"', '"\\u"', '"\\u12"', '"\\u123g"', '"\\u123', '"\\U0041"'],
  ...["'a'", '"a\nb"', '"a\tb"', '"\u0000"', '"\u001f"', '"abc\u0000d"', '"abcdefg\u0001"', "a"],
  ...['"\\a"', '"\\\n"', '"abcdefgh\r"', '"a""b"', '"a" "b"', '"\\u00é0"'],
  ...["[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1,,2]", "[}", "[1}", "[]]", "[[]"],
  ...["{", "}", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{,"a":1}', "{]", '{"a":1]'],
  ...[
    '{"a" 1}',
    '{"a",1}',
    "{a:1}",
    "{1:1}",
    "{'a':1}",
    '{"a":1 "b":2}',
    '{"a"::1}',
    "{:1}",
    "{}{}",
  ],
  ...["[1]x", "{}1", "/* c */1", "1//c", "[1]#", "\u00a0[]", "\ufeff[]", "[]\u0000", "\v1", "\f1"],
];

describe("the JSON scanner", () => {
  for (const text of valid) {
    it(`accepts ${JSON.stringify(text)}`, () => {
      assert.ok(parses(text), "the list itself is right");
      assert.ok(accepts(text));
    });
  }

  for (const text of invalid) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.ok(!parses(text), "the list itself is right");
      assert.ok(!accepts(text));
    });
  }

  it("accepts what JSON.stringify writes", () => {
    fc.assert(
      fc.property(
        fc.json({ stringUnit: "binary", maxDepth: 6 }),
        fc.constantFrom(0, 2, "\t"),
        (text, indent) => accepts(text) && accepts(JSON.stringify(JSON.parse(text), null, indent)),
      ),
      { numRuns: 500 },
    );
  });

  it("agrees with JSON.parse about damaged JSON", () => {
    const bytes = fc.constantFrom(...'{}[]",:\\u0123456789eE+-.truefalsn \n\t\u0001', "é");
    const damaged = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.nat(3),
        fc.string({ unit: bytes, maxLength: 3 }),
      )
      .map(([text, at, removed, put]) => {
        const from = at % (text.length + 1);
        return text.slice(0, from) + put + text.slice(from + removed);
      });
    fc.assert(
      fc.property(damaged, (text) => accepts(text) === parses(text)),
      { numRuns: 5000 },
    );
  });

  it("agrees with JSON.parse about soups of JSON's own characters", () => {
    const soup = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0aef1-.e+tn '), maxLength: 12 });
    fc.assert(
      fc.property(soup, (text) => accepts(text) === parses(text)),
      { numRuns: 20_000 },
    );
  });

  it("finds a string's end wherever the special byte stands in a word", () => {
    for (let length = 0; length < 20; length++) {
      const plain = "é~ !#[]".repeat(5).slice(0, length);
      assert.ok(accepts(`"${plain}"`));
      assert.ok(accepts(`"${plain}\\n${plain}"`));
      assert.ok(!accepts(`"${plain}\n${plain}"`));
      assert.ok(!accepts(`"${plain}\u001f${plain}"`));
      assert.ok(!accepts(`"${plain}`));
    }
  });

  it("scans a slice of a larger buffer without looking beyond it", () => {
    const whole = Buffer.from('xx{"a":"bcd"}"}]');
    assert.equal(skipValue(jsonBytes(whole.subarray(2, 13)), 0, 0), 11);
    assert.throws(() => skipValue(jsonBytes(whole.subarray(2, 11)), 0, 0), JsonFault);
  });
});
