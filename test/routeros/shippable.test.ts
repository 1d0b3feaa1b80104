import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createGrammar } from "./grammar.ts";
import { parseScript } from "./parser.ts";
import { checkShippable } from "./shippable.ts";

const folder = join(import.meta.dirname, "../../routeros");
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".rsc"),
);

test("a byte-order mark, anything but ASCII and 30 KB keep a file from being shipped", () => {
  assert.deepEqual(checkShippable(Buffer.from(':put "a"\n')), []);
  assert.match(checkShippable(Buffer.from("\uFEFF:put 1")).join(), /byte-order mark/);
  assert.match(checkShippable(Buffer.from('# a\n:put "é"\n')).join(), /line 2/);
  assert.match(checkShippable(Buffer.from("a\r\n")).join(), /line 1/);
  assert.equal(checkShippable(Buffer.alloc(30 * 1024 - 1, "a")).length, 0);
  assert.match(checkShippable(Buffer.alloc(30 * 1024, "a")).join(), /bytes/);
});

describe("the scripts we ship", () => {
  test("are there", () => {
    assert.ok(files.length >= 4, files.join(" "));
  });

  for (const name of files) {
    const bytes = readFileSync(join(folder, name));
    test(`${name} may be shipped`, () => {
      assert.deepEqual(checkShippable(bytes), []);
    });

    for (const version of ["7.15", "7.17", "7.19", "7.22", "7.24"]) {
      test(`${name} parses on RouterOS ${version}`, () => {
        parseScript(bytes.toString("latin1"), createGrammar(version));
      });
    }
  }
});
