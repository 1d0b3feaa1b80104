import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Refusal } from "../refusal.ts";
import { base, refused, refusedWith, scan, withMore } from "./test-scan.ts";

describe("a body is refused, and told why,", () => {
  it("when it is empty, has a byte order mark, or is not UTF-8", () => {
    refused("", /empty/);
    refused(`\ufeff{${base}}`, /byte order mark/);
    refused(Buffer.from(`{${base},"a":"\xff"}`, "latin1"), /not valid UTF-8/);
    refused(Buffer.from(`{${base}}`, "utf16le"), /not usable JSON|object/);
  });

  it("when it is not one object", () => {
    for (const body of ["[]", '"a"', "1", "null", " "]) {
      refused(body, /object|too early/);
    }
    refused(`{${base}}{}`, /something follows the object \(byte 43\)/);
    refused(`{${base}},`, /something follows/);
    refused(`{${base},}`, /a key must be a string/);
    refused(`{${base} "a":1}`, /unexpected character/);
  });

  it("when a deciding key is repeated, however it is spelt", () => {
    for (const again of ["model", "\\u006dodel", "mode\\u006C"]) {
      refusedWith(`"${again}":"claude-haiku-5-5"`, /^model: given more than once/);
    }
    for (const key of ["max_tokens", "stream", "speed", "service_tier", "inference_geo", "tools"]) {
      const value = { max_tokens: "1", stream: "true", tools: "[]" }[key] ?? '"x"';
      refusedWith(
        `"${key}":${value},"a":{},"${key}":${value}`,
        new RegExp(`^${key}: given more than once`),
      );
    }
    refusedWith(
      '"fallbacks":[{"model":"a"},{"model":"a","model":"b"}]',
      /^fallbacks\[1\]\.model: given/,
    );
    refusedWith('"tools":[{"type":"a","model":"a","type":"b"}]', /^tools\[0\]\.type: given/);
    refusedWith('"messages":[],"messages":[]', /^messages: given/);
    refusedWith(
      '"messages":[{"content":[{"tool":{"definition":{"model":"a"},"definition":{}}}]}]',
      /^messages\[0\]\.content\[0\]\.tool\.definition: given/,
    );
  });

  it("when a deciding key is spelt in another case, alone or beside the right one", () => {
    for (const key of ["Model", "MODEL", "\\u004dodel"]) {
      refusedWith(`"${key}":"x"`, /^model: written in another case: spell it exactly "model"/);
      refused(`{"${key}":"x","max_tokens":1}`, /^model: written in another case/);
    }
    for (const key of ["max_to\u212aens", "Max_Tokens", "max_token\u017f", "max_token\\u017F"]) {
      refusedWith(`"${key}":1`, /^max_tokens: written in another case/);
    }
    refusedWith('"tools":[{"Model":"x"}]', /^tools\[0\]\.model: written in another case/);
  });

  it("when the model is missing, no string, empty, too long or not printable", () => {
    refused('{"max_tokens":1}', /^model: a model id is required/);
    for (const model of ["null", "1", '""', "[]", '"a\\u0000"', '"é"', `"${"m".repeat(257)}"`]) {
      refused(`{"model":${model},"max_tokens":1}`, /^model: /);
    }
    assert.equal(scan(`{"model":"${"m".repeat(256)}","max_tokens":1}`).model.length, 256);
  });

  it("when max_tokens is not a whole number from 1", () => {
    for (const value of [
      "0",
      "-1",
      "1.0",
      "1e3",
      '"5"',
      "null",
      "true",
      "1000000001",
      "9".repeat(400),
    ]) {
      refused(`{"model":"m","max_tokens":${value}}`, /^max_tokens: /);
    }
  });

  it("when stream is not true or false", () => {
    for (const value of ["1", '"true"', "null", "[]"]) {
      refusedWith(`"stream":${value}`, /^stream: /);
    }
    assert.equal(withMore('"stream":false').stream, false);
  });

  it("when it nests deeper than 128, however deep", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    withMore(`"a":${nested(127)}`);
    refusedWith(`"a":${nested(128)}`, /deeper than 128 levels/);
    refused(Buffer.alloc(4_000_000, "["), /object/);
    refused(Buffer.concat([Buffer.from('{"a":'), Buffer.alloc(4_000_000, "[")]), /deeper/);
    refused(Buffer.from('{"a":'.repeat(1_000_000)), /deeper/);
    refused(Buffer.from(`{"messages":[${'{"content":['.repeat(1_000_000)}`), /deeper/);
  });

  it("when it is cut off anywhere", () => {
    const body = Buffer.from(
      `{${base},"stream":true,"tools":[{"type":"a","max_uses":1}],"a":[1.5e3,"\\u00e9é",{"b":null}]}`,
    );
    scan(body);
    for (let end = 0; end < body.length; end++) {
      refused(body.subarray(0, end), /./);
    }
  });

  it("never quotes the body's text", () => {
    assert.throws(
      () => scan(`{${base},"secret":"hunter2\n"}`),
      (error) => error instanceof Refusal && !/hunter2|secret/.test(error.message),
    );
  });
});
