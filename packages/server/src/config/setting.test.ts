import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  byteCount,
  duration,
  Fault,
  httpUrl,
  list,
  oneOf,
  seconds,
  secret,
  wholeNumber,
} from "./setting.ts";

const refuses = (parse: (text: string) => unknown, ...texts: readonly string[]): void => {
  for (const text of texts) {
    assert.throws(() => parse(text), Fault, JSON.stringify(text));
  }
};

describe("a setting", () => {
  it("that is a whole number takes its range and nothing that merely looks like a number", () => {
    const parse = wholeNumber(1, 100);
    assert.equal(parse("1"), 1);
    assert.equal(parse("100"), 100);
    refuses(parse, "0", "101", "-1", "1.5", "1e2", "0x10", " 1", "ten", "Infinity", "");
  });

  it("that is a duration takes milliseconds or a unit", () => {
    const parse = duration(10, 3_600_000);
    assert.deepEqual(
      ["90000", "90s", "90000ms", "10m", "1h"].map(parse),
      [90_000, 90_000, 90_000, 600_000, 3_600_000],
    );
    refuses(parse, "9", "2h", "1d", "1.5s", "-1s", "s", "1 s");
  });

  it("that is a duration in seconds says so when it is wrong", () => {
    const parse = seconds(1, 3600);
    assert.deepEqual(["90", "90s", "1500ms", "1h"].map(parse), [90_000, 90_000, 1500, 3_600_000]);
    refuses(parse, "0", "3601", "2h", "x");
    assert.throws(() => parse("x"), /must be seconds or .*, from 1 to 3600 s, not "x"/);
  });

  it("that is a size takes bytes, KiB or MiB in any case", () => {
    const parse = byteCount(1024, 512 * 1024 ** 2);
    assert.deepEqual(
      ["33554432", "32MiB", "32 mib", "1KiB"].map(parse),
      [33_554_432, 33_554_432, 33_554_432, 1024],
    );
    refuses(parse, "1023", "513MiB", "32MB", "1GiB", "-1", "1.5MiB");
  });

  it("that is a choice names the choices", () => {
    assert.equal(oneOf("a", "b")("a"), "a");
    assert.throws(() => oneOf("a", "b")("c"), /must be one of a, b, not "c"/);
  });

  it("that is an address takes http and https without credentials, query or fragment", () => {
    assert.equal(httpUrl("https://relay.example.com/"), "https://relay.example.com");
    assert.equal(httpUrl("http://localhost:3001/base//"), "http://localhost:3001/base");
    refuses(
      httpUrl,
      "relay.example.com",
      "ftp://a",
      "https://u:p@a",
      "https://a?b",
      "https://a#b",
      "//a",
      "javascript:alert(1)",
    );
  });

  it("that is a list drops blanks", () => {
    assert.deepEqual(list(" a, b ,,c, "), ["a", "b", "c"]);
  });

  it("that is a secret counts bytes, and its faults never hold it", () => {
    const parse = secret(32);
    assert.equal(parse("ü".repeat(16)), "ü".repeat(16));
    refuses(parse, "x".repeat(31), `$(${"x".repeat(40)})`, `<${"x".repeat(40)}>`);
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 31, unit: "grapheme-ascii" }), (text) => {
        try {
          parse(text);
          return false;
        } catch (error) {
          return error instanceof Fault && !error.message.includes(text);
        }
      }),
    );
  });
});
