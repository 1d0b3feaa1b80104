/** The real window in Chromium by keyboard and clipboard, before a main process that follows a script. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import type { BrowserContextOptions } from "playwright-core";
import { goes, look, openScripted, says } from "./window-harness/open.ts";
import { conversation, type Script } from "./window-harness/scripted-main.ts";
import { skipWindow, startWindows, type Windows } from "./window-harness/window.ts";

const options = { skip: skipWindow, timeout: 60_000 };
const id = "talk-0001";
const talk = conversation(id, "A talk", ["Hi", "Hello"]);

describe("the window by keyboard", options, () => {
  let windows: Windows;
  before(async () => {
    windows = await startWindows();
  });
  after(() => windows?.close());

  const open = async (
    t: TestContext,
    script: Partial<Script> = {},
    more?: BrowserContextOptions,
  ) => {
    const opened = await openScripted(t, windows, { conversations: [talk], ...script }, more);
    await opened.at("open-conversation").first().click();
    await opened.at("messages").waitFor();
    return opened;
  };

  it("renames, searches and deletes by keyboard", async (t) => {
    const others = ["Café menu", "Logs"].map((title, at) =>
      conversation(`more-000${at}`, title, ["a", "b"], { updatedAt: talk.updatedAt - 1 - at }),
    );
    const { at, main, page } = await open(t, { conversations: [talk, ...others] });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("cafe");
    await goes(at("open-conversation").filter({ hasText: "Logs" }));
    await page.keyboard.press("Enter");
    await says(at("chat-title"), "Café menu");
    await page.keyboard.press("Control+k");
    await page.keyboard.press("Escape");
    await at("open-conversation").filter({ hasText: "Logs" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("F2");
    await page.keyboard.type("Menu, in French");
    await page.keyboard.press("Enter");
    assert.deepEqual(await main.called("conversations.rename"), {
      id: "more-0000",
      title: "Menu, in French",
    });
    await says(at("chat-title"), "Menu, in French");
    await page.keyboard.press("Delete");
    await look({ page }, "delete");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Delete");
    assert.deepEqual(main.asked("conversations.delete"), []);
    await page.keyboard.press("Enter");
    assert.deepEqual(await main.called("conversations.delete"), { id: "more-0000" });
    await says(at("chat-title"), "New conversation");
  });

  it("copies code and the last answer", async (t) => {
    const answer = "Do:\n\n```sh\nls -l\n```";
    const { at, page } = await open(
      t,
      { conversations: [conversation(id, "Code", ["How?", answer])] },
      { permissions: ["clipboard-read", "clipboard-write"] },
    );
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await says(at("code-language"), "sh");
    await at("copy-code").click();
    await says(at("copy-code"), "Copied");
    assert.equal(await clipboard(), "ls -l");
    await page.keyboard.press("Control+Shift+C");
    await says(at("announcer"), "Answer copied");
    assert.equal(await clipboard(), answer);
  });

  it("copies where pages may not write to the clipboard", async (t) => {
    const { at, page } = await open(t, {}, { permissions: ["clipboard-read"] });
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
    });
    await at("copy-answer").click();
    await says(at("copy-answer"), "Copied");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "Hello");
  });

  it("lists its shortcuts", async (t) => {
    const { at, page } = await open(t);
    await page.keyboard.press("Control+/");
    await says(at("shortcuts"), "Search conversations");
    await look({ page }, "shortcuts");
    await page.keyboard.press("Escape");
    await goes(at("shortcuts"));
  });
});
