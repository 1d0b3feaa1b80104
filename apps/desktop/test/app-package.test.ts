/** The Debian package: what it holds, says and needs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { describe, it } from "node:test";
import { builtPackage, desktopMissing } from "./harness/missing.ts";

const ask = (...options: readonly string[]): string =>
  execFileSync("dpkg-deb", options, { encoding: "utf8" });

describe("the desktop app's Debian package", { skip: desktopMissing }, () => {
  const path = builtPackage() ?? "";

  it("holds the app, its main process, a menu entry and icons, and nothing else", () => {
    const files = ask("--contents", path)
      .split("\n")
      .filter((line) => /^-/.test(line))
      .map((line) => line.split(/\s+/));
    const names = files.map((fields) => (fields.at(-1) ?? "").replace(/^\.?\//, ""));
    assert.deepEqual(names.toSorted(), [
      "usr/bin/claude-relay-desktop",
      "usr/bin/claude-relay-desktop-main",
      "usr/share/applications/claude-relay-desktop.desktop",
      "usr/share/icons/hicolor/128x128/apps/claude-relay-desktop.png",
      "usr/share/icons/hicolor/256x256@2/apps/claude-relay-desktop.png",
      "usr/share/icons/hicolor/32x32/apps/claude-relay-desktop.png",
    ]);
    for (const [mode = "", owner] of files) {
      assert.match(owner ?? "", /^(root|0)\/(root|0)$/);
      assert.match(mode, /^-rw[x-]r-[x-]r-[x-]$/, "nobody but root may change it");
    }
  });

  it("says what it is, and depends on the system's WebKit", () => {
    const field = (name: string): string => ask("--field", path, name).trim();
    const { version } = JSON.parse(
      readFileSync(new URL("../package.json", import.meta.url), "utf8"),
    );
    assert.equal(field("Package"), "claude-relay-desktop");
    assert.equal(field("Version"), version);
    assert.match(field("Depends"), /libwebkit2gtk-4\.1-0/);
    assert.match(field("Depends"), /libgtk-3-0/);
    assert.match(field("Description"), /^A chat app for Claude that talks to your relay\n/);
  });

  it("is smaller than 60 MB", (t) => {
    const megabytes = statSync(path).size / 1e6;
    t.diagnostic(`${megabytes.toFixed(1)} MB`);
    assert.ok(megabytes < 60);
  });
});
