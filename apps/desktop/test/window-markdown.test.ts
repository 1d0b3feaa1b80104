/** What an answer may do to the window: be read. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { look, openScripted, says } from "./window-harness/open.ts";
import { conversation } from "./window-harness/scripted-main.ts";
import { skipWindow, startWindows, type Windows } from "./window-harness/window.ts";

const options = { skip: skipWindow, timeout: 60_000 };

const attacks = [
  "<script>window.harmed = 1</script>",
  '<img src="x" onerror="window.harmed = 2">',
  '<img src="https://evil.example/pixel.png">',
  "![pixel](https://evil.example/pixel.png)",
  "![data](data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=)",
  "[a](javascript:window.harmed=3)",
  "[b](  JaVaScRiPt:window.harmed=4)",
  "[c](data:text/html,<script>window.harmed=5</script>)",
  "[d](java&#x73;cript:window.harmed=6)",
  "<javascript:window.harmed=7>",
  '<a href="https://evil.example" onclick="window.harmed=8">e</a>',
  '<svg onload="window.harmed=9"><style>*{display:none}</style></svg>',
  '<iframe src="https://evil.example"></iframe>',
  '<form action="https://evil.example"><input name="q"></form>',
  "<style>body{display:none}</style>",
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '[f][g]\n\n[g]: javascript:window.harmed=10 "t"',
  '[h](https://example.com "onmouseover=window.harmed=11")',
  '```"><script>window.harmed=12</script>\ncode </code></pre><script>window.harmed=13</script>\n```',
  '| <img src=x onerror="window.harmed=14"> | [i](javascript:window.harmed=15) |\n|---|---|\n| a | b |',
  "- [ ] <b onclick=window.harmed=16>x</b>",
  "[j](vbscript:x) [k](file:///etc/passwd) [l](tauri://localhost/) [m](//evil.example)",
];

describe("an answer in the window", options, () => {
  let windows: Windows;
  before(async () => {
    windows = await startWindows();
  });
  after(() => windows?.close());

  const show = async (t: TestContext, answer: string) => {
    const opened = await openScripted(t, windows, {
      conversations: [conversation("talk-0001", "Talk", ["Go", answer])],
    });
    await opened.at("open-conversation").click();
    await opened.at("markdown").waitFor();
    return opened;
  };

  it("shows a letter under half a million marks without standing still", async (t) => {
    const { at } = await show(t, `A${"\u0300".repeat(500_000)} word.`);
    await says(at("markdown"), "word.");
  });

  it("shows HTML as text, loads nothing and runs nothing", async (t) => {
    const { at, main, page } = await show(t, attacks.join("\n\n"));
    const markdown = at("markdown");
    await says(markdown, "<script>window.harmed = 1</script>");
    const allowed =
      "p, h3, h4, h5, h6, ul, ol, li, strong, em, del, code, pre, br, hr, blockquote, figure, figcaption, " +
      "section, table, thead, tbody, tr, th, td, span, button, input[type=checkbox], svg.icon, svg.icon path";
    const strangers = await markdown.evaluate(
      (root, selector) =>
        [...root.querySelectorAll("*")]
          .filter((one) => !one.matches(selector))
          .map((one) => one.outerHTML),
      allowed,
    );
    assert.deepEqual(strangers, []);
    const attributes = await markdown.evaluate((root) => [
      ...new Set([...root.querySelectorAll("*")].flatMap((one) => one.getAttributeNames())),
    ]);
    assert.deepEqual(
      attributes.filter((name) => /^on|^href$|^src$|^style$|^action$|^srcset$/.test(name)),
      [],
    );
    for (const link of await at("out-link").all()) {
      assert.match((await link.getAttribute("data-target")) ?? "", /^(https?|mailto):/);
      await link.click();
    }
    for (const params of main.asked("link.open")) {
      assert.match((params as { url: string }).url, /^(https?|mailto):/);
    }
    assert.equal(await page.evaluate(() => "harmed" in window), false);
    await look({ page }, "attacks");
  });

  it("shows where a link leads while it is pointed at or focused, and opens it outside", async (t) => {
    const { at, main, page } = await show(t, "[https://bank.example](https://evil.example/a?b#c)");
    await at("out-link").hover();
    await says(at("link-target"), "https://evil.example/a?b#c");
    await page.mouse.move(0, 0);
    await at("link-target").waitFor({ state: "detached" });
    await at("out-link").focus();
    await says(at("link-target"), "https://evil.example/a?b#c");
    await page.keyboard.press("Enter");
    await at("out-link").click({ button: "middle" });
    await at("out-link").click({ modifiers: ["Control"] });
    await main.called("link.open", 2);
    assert.deepEqual(await main.called("link.open"), { url: "https://evil.example/a?b#c" });
  });

  it("nested a thousand deep is shown all the same", async (t) => {
    const deep = `${"> ".repeat(1000)}deep quote\n\n${"[".repeat(5000)}\n\n${"*".repeat(9000)}x\n\nthe end`;
    const { at } = await show(t, deep);
    await says(at("markdown"), "deep quote");
    await says(at("markdown"), "the end");
  });

  it("of 200 KB is shown whole", async (t) => {
    const part = (at: number) => `## Part ${at}\n\nSome **bold** words.\n\n- one\n- two\n`;
    const parts = Array.from({ length: 4200 }, (_, at) => part(at)).join("\n");
    assert.ok(parts.length > 200_000);
    const { at, hear } = await show(t, "short");
    const reply = { conversationId: "talk-0001", replyId: "a2" };
    await hear({ type: "reply_started", ...reply, model: "claude-a" });
    for (let from = 0; from < parts.length; from += 5000) {
      await hear({ type: "reply_delta", ...reply, text: parts.slice(from, from + 5000) });
    }
    await says(at("markdown"), "Part 4199");
    assert.equal(await at("markdown").locator("h4").count(), 4200);
  });

  it("has its Markdown drawn as what it means", async (t) => {
    const { at, page } = await show(
      t,
      "# H\n\n*a* ~~b~~ `c` &lt;d&gt;\n\n1. one\n   - [x] done\n\n> quote\n\n| x |\n|--:|\n| 1<br>2 |\n\n```py\nprint(1)\n```",
    );
    const inside = at("markdown");
    for (const [selector, words] of [
      ["h3", "H"],
      ["em", "a"],
      ["del", "b"],
      ["p > code", "c"],
      ["p", "<d>"],
      ["ol > li", "one"],
      ["li.task", "done"],
      ["blockquote", "quote"],
      ["td.align-right", "12"],
      ["pre > code", "print(1)"],
    ] as const) {
      await says(inside.locator(selector), words);
    }
    assert.ok(await inside.locator("li input").isChecked());
    await says(at("code-language"), "py");
    await look({ page }, "markdown");
  });
});
