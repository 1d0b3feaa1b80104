import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isForeground, terminalSignalsAll } from "./terminal-group.ts";

describe("a process in a terminal", () => {
  it("is in the foreground when its group is the terminal's, whatever its program is called", () => {
    const stat = (group: number, foreground: number): string =>
      `77 (a) 1 2 (odd) name) S 1 ${group} 70 34816 ${foreground} 4194304 1`;
    assert.equal(isForeground(stat(77, 77)), true);
    assert.equal(isForeground(stat(77, 70)), false);
    assert.equal(isForeground(stat(77, -1)), false, "no terminal at all");
    assert.equal(isForeground(""), false);
  });

  it("can be asked everywhere", () => {
    for (const platform of ["darwin", "freebsd", "win32", process.platform]) {
      assert.equal(typeof terminalSignalsAll(platform), "boolean");
    }
  });
});
