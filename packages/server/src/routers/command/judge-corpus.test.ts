import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeScript } from "./judge.ts";
import { HOSTILE_COMMANDS } from "./testing/hostile-commands.ts";
import { ORDINARY_READS, ORDINARY_WRITES } from "./testing/ordinary-commands.ts";

function show(text: string): string {
  return JSON.stringify(text.length > 90 ? `${text.slice(0, 90)}…` : text);
}

describe("hostile commands", () => {
  it("are at least 200, all different", () => {
    assert.ok(new Set(HOSTILE_COMMANDS).size >= 200);
    assert.equal(new Set(HOSTILE_COMMANDS).size, HOSTILE_COMMANDS.length);
  });

  for (const text of HOSTILE_COMMANDS) {
    it(`never reads ${show(text)}`, () => {
      const { kind, reason } = judgeScript(text);
      assert.notEqual(kind, "read");
      assert.ok(reason.length > 10 && !reason.includes("undefined"), reason);
    });
  }
});

describe("ordinary reads", () => {
  it("are at least 80", () => assert.ok(new Set(ORDINARY_READS).size >= 80));

  for (const text of ORDINARY_READS) {
    it(`reads ${show(text)}`, () => {
      const { kind, reason, commands } = judgeScript(text);
      assert.equal(kind, "read", reason);
      assert.ok(commands.length > 0);
      assert.ok(commands.every((command) => command.kind === "read"));
    });
  }
});

describe("ordinary writes", () => {
  it("are at least 60", () => assert.ok(new Set(ORDINARY_WRITES).size >= 60));

  for (const text of ORDINARY_WRITES) {
    it(`asks for a code before ${show(text)}`, () => {
      const { kind, reason } = judgeScript(text);
      assert.equal(kind, "write", reason);
      assert.ok(reason.length > 10, reason);
    });
  }
});
