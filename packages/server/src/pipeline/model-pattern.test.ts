import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileModelList, modelPatternFault } from "./model-pattern.ts";

describe("a model list", () => {
  it("allows everything when there is none, and nothing when it is empty", () => {
    assert.ok(compileModelList(null)("anything"));
    assert.ok(!compileModelList([])("anything"));
  });

  it("matches exact ids exactly", () => {
    const allows = compileModelList(["claude-opus-5"]);
    assert.ok(allows("claude-opus-5"));
    for (const other of [
      "claude-opus-5-5",
      "Claude-opus-5",
      "claude-opus-",
      "",
      "xclaude-opus-5",
    ]) {
      assert.ok(!allows(other), other);
    }
  });

  it("matches a prefix before a trailing star", () => {
    const allows = compileModelList(["claude-haiku-*", "claude-opus-5"]);
    assert.ok(allows("claude-haiku-5-5"));
    assert.ok(allows("claude-haiku-"));
    assert.ok(allows("claude-opus-5"));
    assert.ok(!allows("claude-haiku"));
    assert.ok(!allows("claude-sonnet-5"));
    assert.ok(compileModelList(["*"])("default"));
  });

  it("takes nothing in a pattern for a regular expression", () => {
    assert.ok(!compileModelList(["claude.opus.5"])("claude-opus-5"));
  });

  it("says what is wrong with a bad pattern", () => {
    assert.equal(modelPatternFault("claude-*"), null);
    assert.match(modelPatternFault("") ?? "", /empty/);
    assert.match(modelPatternFault("a*b") ?? "", /before its end/);
    assert.match(modelPatternFault("a**") ?? "", /before its end/);
    assert.match(modelPatternFault("a b") ?? "", /printable ASCII, without spaces/);
    assert.match(modelPatternFault("m".repeat(257)) ?? "", /longer than 256/);
    assert.throws(() => compileModelList(["a*b"]), RangeError);
  });
});
