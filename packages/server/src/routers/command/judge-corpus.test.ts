import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeScript } from "./judge.ts";
import { hiddenCode } from "./testing/hidden-code.ts";
import { hostileCommands } from "./testing/hostile-commands.ts";
import { ordinaryReads, ordinaryWrites } from "./testing/ordinary-commands.ts";

const show = (text: string): string =>
  JSON.stringify(text.length > 90 ? `${text.slice(0, 90)}…` : text);

describe("hostile commands", () => {
  it("are at least 200, all different", () => {
    assert.ok(new Set(hostileCommands).size >= 200);
    assert.equal(new Set(hostileCommands).size, hostileCommands.length);
  });

  for (const text of hostileCommands) {
    it(`never reads ${show(text)}`, () => {
      const { kind, reason } = judgeScript(text);
      assert.notEqual(kind, "read");
      assert.ok(reason.length > 10 && !reason.includes("undefined"), reason);
    });
  }
});

describe("commands that run what cannot be read here", () => {
  it("are at least 80", () => assert.ok(new Set(hiddenCode).size >= 80));

  for (const text of hiddenCode) {
    it(`forbids ${show(text)}`, () => assert.equal(judgeScript(text).kind, "forbidden"));
  }
});

describe("ordinary reads", () => {
  it("are at least 80", () => assert.ok(new Set(ordinaryReads).size >= 80));

  for (const text of ordinaryReads) {
    it(`reads ${show(text)}`, () => {
      const { kind, reason, commands } = judgeScript(text);
      assert.equal(kind, "read", reason);
      assert.ok(commands.length > 0);
      assert.ok(commands.every((command) => command.kind === "read"));
    });
  }
});

describe("ordinary writes", () => {
  it("are at least 60", () => assert.ok(new Set(ordinaryWrites).size >= 60));

  for (const text of ordinaryWrites) {
    it(`asks for a code before ${show(text)}`, () => {
      const { kind, reason } = judgeScript(text);
      assert.equal(kind, "write", reason);
      assert.ok(reason.length > 10, reason);
    });
  }
});
