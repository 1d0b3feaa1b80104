import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { deviceCommand, deviceName, idInCell } from "./device-words.ts";

const posix = process.platform !== "win32";

/** As the relay takes them. */
const anyId = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 8,
  maxLength: 24,
});

describe("a device's name of its own choice", () => {
  it("is shown so that no two devices look the same", () => {
    fc.assert(
      fc.property(anyId, anyId, (one, other) => {
        fc.pre(one !== other && !one.startsWith("'") && !other.startsWith("'"));
        assert.notEqual(idInCell(one), idInCell(other));
      }),
    );
    assert.equal(idInCell("laptop-1 "), posix ? "'laptop-1 '" : '"laptop-1 "');
    const label = "Ann's";
    assert.notEqual(deviceName({ id: "laptop-1", label }), deviceName({ id: "laptop-1 ", label }));
  });

  it("means that device alone in a command that is copied into a shell", { skip: !posix }, () => {
    const ids = [" leading", "trailing ", "        ", "a'; id; '", "$(id) `id` !x", "=python3"];
    for (const id of [...ids, ...fc.sample(anyId, 20)]) {
      const [, words = ""] =
        / devices show (?:-- )?(.*)$/.exec(deviceCommand("show", { id })) ?? [];
      const read = execFileSync("sh", ["-c", `printf %s ${words}`], { encoding: "utf8" });
      assert.equal(read, id);
    }
    assert.match(deviceCommand("show", { id: "=python3" }), / '=python3'$/, "a place to zsh");
  });

  it("is left out of a command where no quotes help", () => {
    for (const id of ["$(calc)-1", 'a" & calc', "%PATH%-1", "a`n-laptop"]) {
      assert.match(deviceCommand("show", { id }, "win32"), / devices show <id>$/);
    }
    assert.match(deviceCommand("show", { id: "laptop-1" }, "win32"), / devices show laptop-1$/);
  });
});
