import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxPageUrlLength } from "@claude-relay/contract";
import { Links } from "./links.ts";
import { renderPage } from "./render-page.ts";

const page = "https://example.com/a/b";

describe("links", () => {
  it("are resolved against the base, or the page where it names none that can be", () => {
    const tooLong = `https://x.test/${"a".repeat(maxPageUrlLength)}/`;
    for (const [base, expected] of [
      [null, "https://example.com/a/y"],
      ["/docs/", "https://example.com/docs/y"],
      ["https://", "https://example.com/a/y"],
      [tooLong, "https://example.com/a/y"],
      [`/${"ü".repeat(3_000)}/`, "https://example.com/a/y"],
    ] as const) {
      assert.equal(new Links(base, page).resolve(" y "), expected, String(base).slice(0, 20));
    }
  });

  it("longer than a page's address are left out", () => {
    const links = new Links(null, page);
    assert.equal(links.resolve("x".repeat(maxPageUrlLength + 1)), null);
    assert.equal(links.resolve("x".repeat(maxPageUrlLength))?.length, maxPageUrlLength + 22);
  });

  it("are left out from where they are more than any text holds", () => {
    const links = new Links(`https://example.com/${"a".repeat(8_000)}/`, page);
    const resolved = Array.from({ length: 90_000 }, () => links.resolve("x"));
    const bytes = resolved.reduce((sum, link) => sum + (link?.length ?? 0), 0);
    assert.ok(bytes > 4 * 2 ** 20 && bytes <= 8 * 2 ** 20, String(bytes));
    assert.equal(links.resolve("https://s.test/"), null);
  });
});

describe("a page of many links on a long base", () => {
  const anchors = "<a href=x>b".repeat(90_000);
  for (const length of [2_500_000, 8_000]) {
    for (const format of ["markdown", "text"] as const) {
      it(`of ${length} characters costs no more than a page, as ${format}`, () => {
        const html = `<base href="http://x/${"a".repeat(length)}/">${anchors}`;
        const before = process.resourceUsage().maxRSS;
        const { text } = renderPage({
          bytes: new TextEncoder().encode(html),
          kind: "html",
          charset: "utf-8",
          url: page,
          format,
          strip: true,
          maxBytes: 2_000_000,
        });
        const grownMiB = (process.resourceUsage().maxRSS - before) / 1024;
        assert.ok(text.length > 0);
        assert.ok(grownMiB < 600, `${grownMiB} MiB`);
      });
    }
  }
});
