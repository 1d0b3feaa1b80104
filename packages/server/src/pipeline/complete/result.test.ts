import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answerFault, demandUsableSchema, resultOf, schemaFault } from "./result.ts";

describe("an answer's result", () => {
  it("is its JSON value, bare or in a code fence", () => {
    const answers = [
      '{"a":1}',
      ' \n{"a":1}\n ',
      '```json\n{"a":1}\n```',
      '```\n{"a":1}\n```',
      '\n```json \r\n{\n"a": 1\n}\r\n  ```\n\n',
    ];
    for (const answer of answers) {
      assert.deepEqual(resultOf(answer), { a: 1 }, JSON.stringify(answer));
    }
    assert.deepEqual(["5", "null", '"x"', "[]"].map(resultOf), [5, null, "x", []]);
  });

  it("is the text as it stands where that is not JSON", () => {
    const texts = [
      "",
      " red ",
      'Here it is: {"a":1}',
      '```json\n{"a":1}\n``` and more',
      '```js\n{"a":1}\n```',
      "```",
      "```\n```",
      "```json\n{\n```",
      '``` {"a":1} ```',
    ];
    for (const text of texts) {
      assert.equal(resultOf(text), text);
    }
  });

  it("is found at once in a text made to be slow to search", () => {
    // The pattern that once stood here took 6.5 s over 3,000 such lines, growing with their cube.
    const text = `\`\`\`\n${"\n".repeat(200_000)}x`;
    assert.equal(resultOf(text), text);
  });

  it("is the text as it stands where it is nested deeper than what reads it can follow", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    assert.equal(JSON.stringify(resultOf(nested(128))), nested(128));
    for (const depth of [129, 100_000]) {
      assert.equal(resultOf(nested(depth)), nested(depth));
      assert.equal(answerFault({}, nested(depth)), "misfit");
    }
    assert.equal(answerFault({}, nested(128)), null);
  });
});

/** Checking a reference doubles it, forty times over. */
const doubling = {
  $ref: "#/$defs/a0",
  $defs: Object.fromEntries(
    Array.from({ length: 41 }, (_, n) => {
      const next = { $ref: `#/$defs/a${n + 1}` };
      return [`a${n}`, n === 40 ? {} : { allOf: [next, next] }];
    }),
  ),
};

describe("a schema", () => {
  it("is fitted or not", () => {
    const schema = {
      type: "object",
      properties: { a: { type: "integer" } },
      required: ["a"],
      additionalProperties: false,
    };
    assert.equal(schemaFault(schema, { a: 1 }), null);
    for (const value of [{ a: "1" }, {}, { a: 1, b: 2 }, null, [], "{}"]) {
      assert.equal(schemaFault(schema, value), "misfit");
    }
  });

  it("asks for own properties only", () => {
    for (const name of ["constructor", "__proto__"]) {
      assert.equal(schemaFault({ required: [name] }, {}), "misfit");
    }
    const value = JSON.parse('{"__proto__":{"a":1}}');
    assert.equal(schemaFault({ additionalProperties: false }, value), "misfit");
  });

  it("may refer to itself for a value that ends", () => {
    const list = {
      $ref: "#/$defs/l",
      $defs: { l: { type: "array", items: { $ref: "#/$defs/l" } } },
    };
    assert.equal(schemaFault(list, [[], [[]]]), null);
    assert.equal(schemaFault(list, [[], [5]]), "misfit");
    assert.doesNotThrow(() => demandUsableSchema(list));
  });

  it("that would be checked for ever is cut off", () => {
    // Without the limit these two take longer than anyone has lived.
    assert.equal(schemaFault({ pattern: "^(a+)+$" }, `${"a".repeat(60)}!`), "slow_schema");
    assert.equal(schemaFault(doubling, 1), "slow_schema");
    // Which comes first, the end of the stack or of the time, depends on the machine.
    assert.match(schemaFault({ $ref: "#" }, 1) ?? "", /^(unusable|slow)_schema$/);
  });

  it("runs nothing of what it holds", () => {
    const text = "globalThis.ran = true";
    for (const keyword of ["~guard", "~refine", "check", "format", "$ref"]) {
      schemaFault({ [keyword]: text, properties: { [`"]; ${text}; ["`]: {} } }, {});
    }
    assert.equal("ran" in globalThis, false);
  });
});

describe("a schema is refused before upstream is asked", () => {
  const refused = (schema: object, message: RegExp) =>
    assert.throws(() => demandUsableSchema(schema), { code: "invalid_request", message });

  it("when it is none, however deep the slip", () => {
    const slips = [
      { type: "objcet" },
      { properties: 5 },
      { required: "a" },
      { allOf: [] },
      { pattern: "(" },
      { properties: { a: { items: { type: "strnig" } } } },
      { $schema: 5 },
    ];
    for (const schema of slips) {
      refused(schema, /is not a JSON Schema/);
    }
  });

  it("when checking any value against it takes too long", () => {
    refused(doubling, /takes too long/);
    refused({ $ref: "#" }, /takes too long|is not a JSON Schema/);
  });

  it("and is taken when it is one: of any draft, with keywords unknown, large", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [`p${n}`, { type: "string", enum: ["a", "b"] }]),
    );
    const schemas = [
      {},
      { type: ["string", "null"], "x-note": 1, nullable: true },
      { $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: "string" }] },
      { $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [true] },
      { $schema: "https://example.com/own", type: "object" },
      { type: "object", properties, additionalProperties: false },
    ];
    for (const schema of schemas) {
      assert.doesNotThrow(() => demandUsableSchema(schema), JSON.stringify(schema).slice(0, 80));
    }
  });
});
