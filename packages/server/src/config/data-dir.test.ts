import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { dataDirFault, makeDataDir } from "./data-dir.ts";

const folder = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), "claude-relay-data-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

describe("DATA_DIR", () => {
  it("may be a folder, one that is still to be made, or a link to one; looking changes nothing", (t) => {
    const above = folder(t);
    symlinkSync(above, join(above, "link"));
    for (const path of [above, join(above, "a/b/c"), join(above, "link"), join(above, "link/x")]) {
      assert.equal(dataDirFault(path), null, path);
    }
    assert.equal(existsSync(join(above, "a")), false);
  });

  it("may be neither a file nor below one", (t) => {
    const file = join(folder(t), "file");
    writeFileSync(file, "");
    assert.equal(dataDirFault(file), `DATA_DIR (${file}) is a file: name a folder.`);
    assert.equal(
      dataDirFault(`${file}/a/b`),
      `DATA_DIR (${file}/a/b) leads through a file, ${file}: name another folder.`,
    );
  });

  it("is made with the folders above it, for its owner only; what is there keeps its mode", (t) => {
    const above = folder(t);
    mkdirSync(join(above, "there"), { mode: 0o755 });
    makeDataDir(join(above, "there/a/b"));
    const modes = ["there", "there/a", "there/a/b"].map(
      (path) => statSync(join(above, path)).mode & 0o777,
    );
    assert.deepEqual(modes, [0o755, 0o700, 0o700]);
    makeDataDir(join(above, "there"));
  });

  it("that cannot be made is told, and does not hang the start", (t) => {
    const link = join(folder(t), "dangling");
    symlinkSync("/nowhere/at-all", link);
    assert.throws(
      () => makeDataDir(link),
      (error: Error) =>
        error.message.startsWith(`DATA_DIR (${link}) cannot be made: EEXIST`) &&
        error.message.endsWith("name another folder."),
    );
    if (existsSync("/proc/self")) {
      assert.throws(
        () => makeDataDir("/proc/claude-relay/data"),
        /^Error: DATA_DIR .*cannot be made/,
      );
    }
  });
});
