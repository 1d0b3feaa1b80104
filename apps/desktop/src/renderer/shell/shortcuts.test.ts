import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shortcutOf } from "./shortcuts.ts";

const press = (
  key: string,
  ...held: readonly ("ctrlKey" | "metaKey" | "shiftKey" | "altKey")[]
) => ({
  key,
  ctrlKey: held.includes("ctrlKey"),
  metaKey: held.includes("metaKey"),
  shiftKey: held.includes("shiftKey"),
  altKey: held.includes("altKey"),
});

describe("a shortcut", () => {
  it("is Ctrl and a key, on a Mac ⌘ and a key", () => {
    assert.equal(shortcutOf(press("n", "ctrlKey"), false), "new");
    assert.equal(shortcutOf(press("K", "metaKey"), true), "search");
    assert.equal(shortcutOf(press("k", "ctrlKey"), true), null, "a Mac's text fields use it");
    assert.equal(shortcutOf(press("C", "ctrlKey", "shiftKey"), false), "copy");
    assert.equal(shortcutOf(press("?", "ctrlKey", "shiftKey"), false), "help");
    assert.equal(shortcutOf(press("Escape"), false), "stop");
  });

  it("is not what one types or copies with", () => {
    for (const each of [press("n"), press("c", "ctrlKey"), press("n", "ctrlKey", "altKey")]) {
      assert.equal(shortcutOf(each, false), null);
    }
  });
});
