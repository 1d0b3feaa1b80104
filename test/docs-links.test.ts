/** The guides: every link between them leads somewhere, and every guide is found from the front pages. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, it } from "node:test";

const root = new URL("..", import.meta.url).pathname;
const notOurs = ["**/node_modules", "**/dist", "**/.git", "**/target", "**/data"];

/** All pages in Markdown, by their path from the checkout's root. */
const pages: ReadonlyMap<string, string> = new Map(
  globSync("**/*.md", { cwd: root, exclude: notOurs }).map((path) => [
    path,
    withoutCode(readFileSync(join(root, path), "utf8")),
  ]),
);

describe("links in the guides", () => {
  for (const [page, text] of pages) {
    it(`of ${page} lead to files and headings that are there`, () => {
      const broken = linksOf(text).filter((link) => faultOf(page, link) !== null);
      assert.deepEqual(broken, []);
    });
  }

  it("lead from README or ARCHITECTURE to every guide and every decision", () => {
    const found = new Set<string>();
    const follow = (page: string): void => {
      if (!found.has(page)) {
        found.add(page);
        targetsOf(page).forEach(follow);
      }
    };
    follow("README.md");
    follow("ARCHITECTURE.md");
    const guides = [...pages.keys()].filter((page) => page.startsWith("docs/"));
    assert.ok(guides.length > 20);
    assert.deepEqual(
      guides.filter((page) => !found.has(page)),
      [],
    );
  });

  it("lead from README itself to every guide, so that nobody has to search", () => {
    const linked = new Set(targetsOf("README.md"));
    const guides = [...pages.keys()].filter((page) => /^docs\/[^/]+\.md$/.test(page));
    assert.deepEqual(
      guides.filter((page) => !linked.has(page)),
      [],
    );
  });

  it("are read as GitHub reads them", () => {
    assert.deepEqual(anchorsOf("# A `b` & C_d\n## A-1: x, y!\n## Twice\n## Twice\n#no\n"), [
      "a-b--c_d",
      "a-1-x-y",
      "twice",
      "twice-1",
    ]);
    const text = withoutCode(
      "[a](b.md) `[no](no)` [c](d.md#e)\n```sh\n[no](no)\n```\n![i](j.png)\n",
    );
    assert.deepEqual(linksOf(text), ["b.md", "d.md#e", "j.png"]);
    assert.equal(faultOf("README.md", "docs/none.md"), "no such file");
    assert.equal(faultOf("README.md", "docs/keys.md#none"), "no such heading");
    assert.equal(faultOf("docs/keys.md", "#app-keys"), null);
    assert.equal(faultOf("README.md", "https://example.com/#x"), null);
  });
});

/** Links in code are no links. What is left keeps its lines. */
function withoutCode(text: string): string {
  return text.replace(/^( *)(```+|~~~+).*\n[\s\S]*?^\1\2 *$/gm, "");
}

const linksOf = (text: string): string[] =>
  [...text.replace(/`[^`\n]*`/g, "").matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(
    ([, link = ""]) => link,
  );

const faultOf = (page: string, link: string): string | null => {
  if (/^[a-z][a-z+.-]*:/i.test(link)) {
    return null;
  }
  const [path = "", anchor] = link.split("#", 2);
  const target = placeOf(page, path);
  if (!existsSync(join(root, target))) {
    return "no such file";
  }
  const text = pages.get(target);
  return anchor === undefined || text === undefined || anchorsOf(text).includes(anchor)
    ? null
    : "no such heading";
};

const placeOf = (page: string, path: string): string =>
  path === "" ? page : relative(root, join(root, dirname(page), decodeURIComponent(path)));

/** A folder shows its files. */
const targetsOf = (page: string): string[] =>
  linksOf(pages.get(page) ?? "").flatMap((link) => {
    if (faultOf(page, link) !== null || /^[a-z]+:/i.test(link)) {
      return [];
    }
    const target = placeOf(page, link.split("#", 1)[0] ?? "");
    return statSync(join(root, target)).isDirectory()
      ? [...pages.keys()].filter((other) => dirname(other) === normalize(target))
      : [target];
  });

/** As github.com makes them: lower case, no punctuation, a dash for each space, a number when taken. */
const anchorsOf = (text: string): string[] => {
  const seen = new Map<string, number>();
  return [...text.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, title = ""]) => {
    const shown = title.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = shown.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
};
