import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { cutText } from "./cut-text.ts";
import { type RenderJob, renderPage } from "./render-page.ts";

const render = (html: string, more: Partial<RenderJob> = {}) =>
  renderPage({
    bytes: new TextEncoder().encode(html),
    kind: "html",
    charset: "utf-8",
    url: "https://example.com/a/b",
    format: "html",
    strip: true,
    maxBytes: 2_000_000,
    ...more,
  });

const textOf = (html: string, format: RenderJob["format"]) => render(html, { format }).text;

describe("a stripped page", () => {
  it("has no scripts, styles, svg or comments, and keeps JSON-LD", () => {
    const { text } = render(
      '<!doctype html><title>T</title><style>a{}</style><script>evil()</script><script type=" Application/LD+JSON ; v=1">{"a":"</b>"}</script>' +
        "<body><!-- c --><svg><script>in svg</script><style>s</style></svg><p onclick=x>hello</p><template><script>in template</script>t</template>" +
        "<noscript><style>n</style>no script</noscript><math><mi>x</mi></math><script type=application/ld+jsonp>p</script>",
    );
    assert.equal(
      text,
      '<!DOCTYPE html><html><head><title>T</title><script type=" Application/LD+JSON ; v=1">{"a":"</b>"}</script></head>' +
        '<body><p onclick="x">hello</p><template>t</template><noscript>no script</noscript><math><mi>x</mi></math></body></html>',
    );
  });

  it("is what browsers read, so nothing hides in broken markup", () => {
    const hidden = [
      "<scr<script>x</script>ipt>evil()</script>",
      "<script/>evil()</script/>",
      "<SCRIPT\n>evil()</SCRIPT\n>",
      "<svg><desc><script>evil()</script></desc>",
      "<style><!--</style><script>evil()</script>-->",
      "<table><script>evil()</script>",
      "<select><script>evil()</script>",
      "<template><template><script>evil()</script>",
      "<noscript><script>evil()</script></noscript>",
      "<math><annotation-xml encoding=text/html><script>evil()</script>",
    ];
    for (const html of hidden) {
      const again = JSON.stringify(namesIn(render(html).text));
      assert.doesNotMatch(again, /"(?:script|style|svg|#comment)"/, html);
    }
  });

  it("never has them, whatever the markup", () => {
    const piece = fc.constantFrom(
      "<script>",
      "</script>",
      "<style>",
      "</style>",
      "<svg>",
      "</svg>",
      "<!--",
      "-->",
      "<p>",
      "<table>",
      "<template>",
      "</template>",
      "<select>",
      "<math>",
      "<title>",
      "</title>",
      "<noscript>",
      "<textarea>",
      "x",
      "<b>",
      "<plaintext>",
      "<![CDATA[",
      "]]>",
      "<foreignObject>",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const names = namesIn(render(pieces.join("")).text);
        for (const gone of ["script", "style", "svg", "#comment"]) {
          assert.ok(!names.includes(gone), gone);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("is left byte for byte when it is not to be stripped", () => {
    const html = "<P>a<script>1</script><!-- c -->";
    assert.equal(render(html, { strip: false }).text, html);
  });
});

describe("a page as markdown", () => {
  it("has headings, links from the page's address, lists, code and images", () => {
    assert.equal(
      textOf(
        '<title>Shop</title><h2>Tea</h2><p>Good <b>green</b> <a href="../t?a=1">tea</a>.<br>Hot.</p>' +
          '<ol start=3><li>a<ul><li>b</li></ul></li><li>c</li></ol><pre><code class="language-js">x  = 1;</code></pre>' +
          '<img src="i.png" alt="cup"><img src="data:image/png;base64,AA" alt="packed"><a href="javascript:x()">run</a><a href="#"><svg></svg></a>',
        "markdown",
      ),
      [
        "# Shop",
        "## Tea",
        "Good **green** [tea](https://example.com/t?a=1).  \nHot.",
        "3. a\n   - b\n4. c",
        "```js\nx  = 1;\n```",
        "![cup](https://example.com/a/i.png)run",
      ].join("\n\n"),
    );
  });

  it("has tables of data as tables, and tables that only place things as text", () => {
    assert.equal(
      textOf(
        "<table><caption>Prices<thead><tr><th>Name<th>EUR | net<tbody><tr><td colspan=2>Sum<p>of all</p><tr><td>a<td>1<td>2</table>" +
          "<table><tr><td><table><tr><td>left<td>right</table></table>",
        "markdown",
      ),
      [
        "Prices",
        "| Name | EUR \\| net |  |\n| --- | --- | --- |\n| Sum of all |  |\n| a | 1 | 2 |",
        "left",
        "right",
      ].join("\n\n"),
    );
  });

  it("resolves links against the page's base", () => {
    const html = '<head><base href="/docs/"></head><a href="x">y</a>';
    assert.equal(textOf(html, "markdown"), "[y](https://example.com/docs/x)");
  });

  it("shows no title when the page has a heading of its own", () => {
    assert.equal(textOf("<title>T</title><h1>H</h1>", "markdown"), "# H");
  });
});

describe("a page as text", () => {
  it("has paragraphs apart, items dashed, cells between tabs, and pre as it is", () => {
    assert.equal(
      textOf(
        "<title>T</title><p>a\n  <b>b</b>c</p><p>d<br>e</p><ul><li>f<li>g</ul><table><tr><td>1<td>2<tr><td>3<td>4</table><pre>  x\n y</pre><script>no</script>z",
        "text",
      ),
      "T\n\na bc\n\nd\ne\n\n- f\n- g\n\n1\t2\n3\t4\n\n  x\n y\n\nz",
    );
  });
});

describe("a text is cut", () => {
  it("only when it is too long, and never within a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.nat(80), (text, max) => {
        const cut = cutText(text, max);
        const whole = text.toWellFormed();
        const size = Buffer.byteLength(cut.text);
        assert.ok(size <= max);
        assert.ok(whole.startsWith(cut.text));
        assert.ok(cut.text.isWellFormed());
        assert.equal(cut.truncated, Buffer.byteLength(whole) > max);
        if (cut.truncated) {
          const next = String.fromCodePoint(whole.codePointAt(cut.text.length) ?? 0);
          assert.ok(size + Buffer.byteLength(next) > max);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it("after stripping: what is dropped does not count", () => {
    const html = `<script>${"x".repeat(10_000)}</script><p>${"ü".repeat(100)}`;
    assert.equal(render(html, { maxBytes: 300 }).truncated, false);
    const cut = render(html, { maxBytes: 40, format: "text" });
    assert.deepEqual([cut.text, cut.truncated], ["ü".repeat(20), true]);
  });
});

describe("a hostile page", () => {
  const bombs: Readonly<Record<string, string>> = {
    "nests a million deep": "<div>".repeat(1_000_000),
    "never closes its formatting": Array.from({ length: 100_000 }, (_, i) => `<b id=${i}>`).join(
      "",
    ),
    "multiplies its formatting": `${Array.from({ length: 400 }, (_, i) => `<b id=${i}>`).join("")}${"<p>x".repeat(400_000)}`,
    "has half a million elements": "<i></i>".repeat(500_000),
    "nests tables": "<table><tr><td>".repeat(130_000),
  };

  for (const [what, html] of Object.entries(bombs)) {
    for (const format of ["html", "text", "markdown"] as const) {
      it(`that ${what} ends early as ${format}, and says so`, () => {
        assert.equal(render(html, { format }).truncated, true);
      });
    }
  }

  it("with a quarter million attributes, or one of two megabytes, is read", () => {
    const many = `<a ${Array.from({ length: 250_000 }, (_, i) => `a${i}`).join(" ")}>x</a>`;
    assert.equal(textOf(many, "text"), "x");
    assert.equal(textOf(`<a title="${"y".repeat(2_000_000)}">x</a>`, "text"), "x");
  });
});

type Node = DefaultTreeAdapterTypes.Node;

/** The names of all nodes, as a browser would build them. */
const namesIn = (html: string): string[] => {
  const below = (node: Node): Node[] => [
    ...("childNodes" in node ? node.childNodes : []),
    ...("content" in node ? [node.content] : []),
  ];
  const walk = (node: Node): string[] => [node.nodeName, ...below(node).flatMap(walk)];
  return walk(parse(html));
};
