import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { withCharacters } from "./character-references.ts";
import { safeLink } from "./safe-link.ts";

describe("a link's target", () => {
  it("is a whole web or mail address, spelled out", () => {
    assert.equal(safeLink("https://Example.com/a b?x=1#y"), "https://example.com/a%20b?x=1#y");
    assert.equal(safeLink("mailto:a@b.co"), "mailto:a@b.co");
    assert.equal(safeLink("http://bücher.example"), "http://xn--bcher-kva.example/");
  });

  it("is nothing else", () => {
    for (const href of [
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      " javascript:alert(1)",
      "java\nscript:alert(1)",
      "data:text/html,<script>alert(1)</script>",
      "vbscript:x",
      "file:///etc/passwd",
      "blob:https://a/b",
      "//example.com",
      "/path",
      "#part",
      "relative",
      "",
      "https://",
      "https://a b",
      `https://example.com/${"a".repeat(5000)}`,
    ]) {
      assert.equal(safeLink(href), null, href);
    }
  });

  it("has one of three schemes, whatever is written", () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string()), (href) => {
        const url = safeLink(href);
        assert.ok(url === null || ["http:", "https:", "mailto:"].includes(new URL(url).protocol));
      }),
    );
  });
});

describe("character references", () => {
  it("are read as the characters they stand for", () => {
    assert.equal(withCharacters("a &amp; b &lt;i&gt; &#65;&#x42; &hellip;"), "a & b <i> AB …");
  });

  it("that stand for nothing stay as written", () => {
    for (const text of ["&", "&;", "&nosuch;", "&constructor;", "&#0;", "&#xd800;", "&#9999999;"]) {
      assert.equal(withCharacters(text), text);
    }
  });

  it("are read once only", () => {
    assert.equal(withCharacters("&amp;lt;"), "&lt;");
  });
});
