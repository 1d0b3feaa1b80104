import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { lexMarkdown } from "./bounded-lexer.ts";
import { createGrowingBlocks } from "./growing-blocks.ts";

const whole = (text: string) => lexMarkdown(text).tokens;

const sample = `# Title

A paragraph with **bold** and [a link][1],
on two lines.

- one
- two

  more of two
- three

1. first
   - nested
2. second

\`\`\`ts
const a = 1;

const b = 2;
\`\`\`

| a | b |
|---|---|
| 1 | 2 |

> quote
goes on

Setext
===

<div>
html
</div>

[1]: https://example.com
end`;

describe("a growing text", () => {
  it("reads letter by letter as it reads whole", () => {
    const growing = createGrowingBlocks();
    for (let length = 1; length <= sample.length; length += 1) {
      const text = sample.slice(0, length);
      assert.deepEqual(growing.read(text), whole(text), `at ${length}`);
    }
  });

  it("reads as whole however Markdown's marks come in pieces", () => {
    const piece = fc.constantFrom(
      ..."a|b\n\n\n- * + 1. # > ` ~ [ ] ( ) ! < & : \t".split(" "),
      "\n",
      "\n\n",
      "  ",
      "    ",
      "```",
      "~~~\n",
      "- x\n",
      "1. y\n",
      "|-|-|\n",
      "| a | b |\n",
      "[a]: http://b.c\n",
      "[a]",
      "<div>",
      "---\n",
      "===\n",
      "> q\n",
      "**b**",
      "\r\n",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const growing = createGrowingBlocks();
        let text = "";
        for (const each of pieces) {
          text += each;
          assert.deepEqual(growing.read(text), whole(text));
        }
      }),
      { numRuns: 400 },
    );
  });

  it("keeps blocks that stayed as the same objects, so that they are not drawn again", () => {
    const growing = createGrowingBlocks();
    const before = growing.read("one\n\ntwo\n\nthree\n\nfour");
    const after = growing.read("one\n\ntwo\n\nthree\n\nfour and more");
    assert.equal(after[0], before[0]);
    assert.equal(after[4], before[4]);
    assert.notEqual(after.at(-1), before.at(-1));
  });

  it("reads another text from its beginning", () => {
    const growing = createGrowingBlocks();
    growing.read("# One\n\nof the first");
    assert.deepEqual(growing.read("# Two"), whole("# Two"));
  });
});

describe("hostile Markdown", () => {
  const hostile: Readonly<Record<string, string>> = {
    "quotes in quotes": "> ".repeat(20_000),
    "quotes that the stack would bear": "> ".repeat(400),
    "quote marks": ">".repeat(50_000),
    "lists in lists": Array.from({ length: 2_000 }, (_, at) => `${" ".repeat(2 * at)}- x`).join(
      "\n",
    ),
    emphasis: `${"*".repeat(50_000)}a${"*".repeat(50_000)}`,
    underscores: "_a".repeat(100_000),
    brackets: "[".repeat(100_000),
    "links in links": `${"[".repeat(20_000)}a${"](b)".repeat(20_000)}`,
    pictures: "![".repeat(50_000),
    tags: "<a ".repeat(50_000),
    "a wide table": `${"|a".repeat(20_000)}\n${"|-".repeat(20_000)}\n`,
  };
  for (const [name, text] of Object.entries(hostile)) {
    it(`is read without an end of the stack: ${name}`, () => {
      const blocks = whole(text);
      assert.ok(blocks.length > 0);
      assert.ok(depthOf(blocks) < 120, `depth ${depthOf(blocks)}`);
    });
  }

  it("is left as it is where reading it would take the square of its length", () => {
    const text = "_a".repeat(30_000);
    const [block] = whole(text);
    assert.deepEqual(block?.type === "paragraph" && block.tokens, [
      { type: "text", raw: text, text },
    ]);
  });

  it("is left as it is where many runs would take that together", () => {
    const text = "_a_ ".repeat(2_000).trim();
    const [first, , second] = whole(`${text}\n\n${text}`);
    assert.ok(first?.type === "paragraph" && first.tokens?.[0]?.type === "em");
    assert.deepEqual(second?.type === "paragraph" && second.tokens, [
      { type: "text", raw: text, text },
    ]);
  });
});

const depthOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) {
    return 0;
  }
  let deepest = 0;
  for (const each of Object.values(value)) {
    deepest = Math.max(deepest, depthOf(each));
  }
  return deepest + 1;
};
