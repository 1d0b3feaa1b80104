import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type MemberPath, memberText, removeMember, setMember } from "./json-text.ts";

describe("a member of a JSON text", () => {
  it("is added the way its neighbours are laid out", () => {
    assert.equal(setMember('{\n    "a": 1\n}\n', ["b"], "2"), '{\n    "a": 1,\n    "b": 2\n}\n');
    assert.equal(setMember('{\r\n\t"a": 1\r\n}', ["b"], "2"), '{\r\n\t"a": 1,\r\n\t"b": 2\r\n}');
    assert.equal(setMember('{"a":1}', ["b"], "2"), '{"a":1,"b":2}');
    assert.equal(setMember('{ "a" : 1 }', ["b"], "2"), '{ "a" : 1, "b" : 2 }');
  });

  it("is added to an empty object, and into an object that has to be made", () => {
    assert.equal(setMember("{}\n", ["a"], "1"), '{\n  "a": 1\n}\n');
    assert.equal(
      setMember('{\n    "a": 1,\n    "env": {}\n}\n', ["env", "B"], '"x"'),
      '{\n    "a": 1,\n    "env": {\n        "B": "x"\n    }\n}\n',
    );
    assert.equal(
      setMember('{\n  "a": 1\n}\n', ["env", "B"], '"x"'),
      '{\n  "a": 1,\n  "env": {\n    "B": "x"\n  }\n}\n',
    );
    assert.equal(setMember('{"a":1}', ["env", "B"], '"x"'), '{"a":1,"env":{"B":"x"}}');
  });

  it("is changed where it stands, and nothing else is", () => {
    const text = '{"b": [1, {"a": "}"}], "a":   "old\\"}", "c": {"a": 1}}';
    assert.equal(setMember(text, ["a"], '"new"'), text.replace('"old\\"}"', '"new"'));
    assert.equal(setMember(text, ["c", "a"], "2"), text.replace('{"a": 1}', '{"a": 2}'));
  });

  it("that stands twice is the one that counts", () => {
    const text = '{"a":1,"b":2,"a":3}';
    assert.equal(memberText(text, ["a"]), "3");
    assert.equal(setMember(text, ["a"], "4"), '{"a":1,"b":2,"a":4}');
    assert.equal(removeMember(text, ["a"]), '{"b":2}');
  });

  it("is found by its name, however that is written", () => {
    assert.equal(memberText('{"\\u0061b": null}', ["ab"]), "null");
    assert.equal(memberText('{"__proto__": 1}', ["__proto__"]), "1");
    assert.equal(memberText('{"a": 1}', ["a", "b"]), null);
  });

  it("cannot be put into something that is no object", () => {
    assert.throws(() => setMember('{"env": "x"}', ["env", "A"], "1"), /env is not an object/);
  });
});

const name = fc.constantFrom("a", "env", "A", 'q"uote', "\\", "ü", "__proto__");
const object = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
const spaces = fc.constantFrom<string | number | undefined>(undefined, 2, 4, "\t");
const path: fc.Arbitrary<MemberPath> = fc.oneof(
  name.map((one): MemberPath => [one]),
  name.map((one): MemberPath => ["env", one]),
);
const plain = (text: string): unknown => JSON.parse(text);

describe("any JSON object's text", () => {
  it("with a member set reads as the object with that member set", () => {
    fc.assert(
      fc.property(object, spaces, path, fc.jsonValue(), (value, space, at, wanted) => {
        const text = JSON.stringify(value, null, space);
        const [first, second] = at;
        const inner = memberText(text, [first]);
        fc.pre(second === undefined || inner === null || inner.startsWith("{"));
        const changed = setMember(text, at, JSON.stringify(wanted));
        assert.deepEqual(plain(memberText(changed, at) ?? ""), plain(JSON.stringify(wanted)));
        assert.deepEqual(plain(removeMember(changed, [first])), plain(removeMember(text, [first])));
      }),
    );
  });

  it("is byte for byte what it was when what was added is removed again", () => {
    fc.assert(
      fc.property(object, spaces, path, (value, space, at) => {
        const text = JSON.stringify(value, null, space);
        const [first, second] = at;
        fc.pre(memberText(text, at) === null);
        fc.pre(second === undefined || memberText(text, [first])?.startsWith("{") === true);
        assert.equal(removeMember(setMember(text, at, '"x"'), at), text);
      }),
    );
  });
});
