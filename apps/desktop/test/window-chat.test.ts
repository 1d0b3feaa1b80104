/** Chatting in the real window in Chromium, before a main process that follows a script. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import type { BrowserContextOptions } from "playwright-core";
import { CallError } from "../src/bridge/call-error.ts";
import type { AppEvent } from "../src/bridge/protocol.ts";
import { goes, look, openScripted, says } from "./window-harness/open.ts";
import { conversation, models, type Script } from "./window-harness/scripted-main.ts";
import { skipWindow, startWindows, type Windows } from "./window-harness/window.ts";

const options = { skip: skipWindow, timeout: 60_000 };
const id = "talk-0001";
const talk = conversation(id, "A talk", ["Hi", "Hello"]);
const long = Array.from({ length: 80 }, (_, line) => `Line ${line}`).join("\n\n");

const started = (replyId: string): AppEvent => ({
  type: "reply_started",
  conversationId: id,
  replyId,
  model: talk.model,
});
const delta = (replyId: string, text: string): AppEvent => ({
  type: "reply_delta",
  conversationId: id,
  replyId,
  text,
});
const ended = (
  replyId: string,
  ending: Extract<AppEvent, { type: "reply_ended" }>["ending"],
): AppEvent => ({ type: "reply_ended", conversationId: id, replyId, ending });
const complete = {
  kind: "complete",
  stopReason: "end_turn",
  usage: { inputTokens: 12_345, outputTokens: 678 },
} as const;

describe("chatting in the window", options, () => {
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

  it("begins a conversation with the first message, and streams its answer", async (t) => {
    const { at, hear, main, page } = await openScripted(t, windows);
    await at("composer").fill("What is a relay?");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("Be brief.");
    await page.keyboard.press("Enter");
    assert.deepEqual(await main.called("conversations.create"), { model: models[0]?.id });
    const { conversationId, text } = (await main.called("chat.send")) as Record<string, string>;
    assert.equal(text, "What is a relay?\nBe brief.");
    await says(at("user-message"), "Be brief.");
    await at("thinking").waitFor();
    assert.equal(await at("composer").inputValue(), "");
    const reply = { conversationId: conversationId ?? "", replyId: "a1" };
    await hear({ type: "reply_started", ...reply, model: models[0]?.id ?? "" });
    await hear({ type: "reply_delta", ...reply, text: "It stands **betw" });
    await says(at("answer"), "It stands **betw");
    await look({ page }, "streaming");
    await hear({ type: "reply_delta", ...reply, text: "een** you and Claude." });
    await says(at("answer").locator("strong"), "between");
    await hear({ type: "reply_ended", ...reply, ending: complete });
    await says(at("answer"), "12.3k in, 678 out");
    await at("send").waitFor();
    await says(at("announcer"), /Claude answered: It stands/);
  });

  it("stops an answer by Esc and by its button, and asks again", async (t) => {
    const { at, hear, main, page } = await open(t);
    await hear(started("a2"), delta("a2", "Once upon a time"));
    await page.keyboard.press("Control+k");
    await page.keyboard.press("Escape");
    assert.deepEqual(await main.called("chat.stop"), { conversationId: id });
    await at("stop").click();
    await main.called("chat.stop", 2);
    await hear(ended("a2", { kind: "stopped" }));
    await says(at("answer"), "You stopped this answer.");
    await at("retry").click();
    assert.deepEqual(await main.called("chat.retry"), { conversationId: id });
    await at("thinking").waitFor();
    await hear(started("a3"), delta("a3", "Again"), ended("a3", complete));
    await says(at("answer"), "Again");
    assert.equal(await at("answer").count(), 1);
  });

  it("shows why an answer failed, when to try again, and tries", async (t) => {
    const { at, hear, main, page } = await open(t);
    const faults = [
      ["capped", "The budget of $5.00 a day is used up.", "A budget is used up"],
      ["breaker_open", "The circuit breaker is open.", "Claude is not answering the relay"],
      ["rate_limited", "10 requests a minute.", "Too many requests at once"],
    ] as const;
    for (const [kind, message, title] of faults) {
      const fault = { kind, message, retryAt: Date.now() + 30_000 };
      await hear(started(kind), delta(kind, "Half"), ended(kind, { kind: "failed", fault }));
      await at("fault")
        .and(page.locator(`[data-fault=${kind}]`))
        .waitFor();
      await says(at("fault"), title);
      await says(at("fault"), message);
      await says(at("fault-wait"), /try again in \d+ s/);
      await look({ page }, `fault-${kind}`);
    }
    await hear(
      started("a9"),
      ended("a9", { kind: "failed", fault: { kind: "other", message: "No.", retryAt: 1 } }),
    );
    await says(at("fault-wait"), "You can try again now.");
    await at("fault").getByTestId("retry").click();
    await main.called("chat.retry");
  });

  it("gives a message back that was not taken, to where it was written", async (t) => {
    const other = conversation("talk-0002", "Another", ["a", "b"], { updatedAt: 1 });
    const refused = Promise.withResolvers<never>();
    const { at, page } = await open(t, {
      conversations: [talk, other],
      answers: { "chat.send": () => refused.promise },
    });
    await at("composer").fill("Too soon");
    await page.keyboard.press("Enter");
    await says(at("user-message"), "Too soon");
    await page.keyboard.type("And more");
    await at("open-conversation").filter({ hasText: "Another" }).click();
    await says(at("chat-title"), "Another");
    refused.reject(new CallError({ code: "busy", message: "Another answer is coming." }));
    await says(at("banner-fault"), "Another answer is coming.");
    assert.equal(await at("composer").inputValue(), "");
    await at("open-conversation").filter({ hasText: "A talk" }).click();
    await says(at("chat-title"), "A talk");
    assert.equal(await at("composer").inputValue(), "Too soon\n\nAnd more");
    assert.equal(await at("user-message").count(), 1);
  });

  it("follows an answer until the reader scrolls up, and again when he jumps to the newest", async (t) => {
    const { at, hear, page } = await open(t);
    const fromEnd = () =>
      at("messages").evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop);
    await hear(started("a2"), delta("a2", long));
    await says(at("answer"), "Line 79");
    assert.ok((await fromEnd()) < 2);
    await at("messages").hover();
    await page.mouse.wheel(0, -900);
    await at("jump-to-newest").waitFor();
    const top = await at("messages").evaluate((box) => box.scrollTop);
    await hear(delta("a2", `\n\n${long}\n\nthe end`));
    await says(at("answer"), "the end");
    assert.equal(await at("messages").evaluate((box) => box.scrollTop), top);
    await at("jump-to-newest").click();
    await goes(at("jump-to-newest"));
    assert.ok((await fromEnd()) < 2);
    await hear(delta("a2", `\n\n${long}\n\nreally`));
    await says(at("answer"), "really");
    assert.ok((await fromEnd()) < 2);
  });

  it("offers the models that the relay allows, and no other", async (t) => {
    const { at, hear, main } = await open(t);
    assert.deepEqual(
      await at("model-menu").locator("option").allTextContents(),
      models.map(({ displayName }) => displayName),
    );
    await at("model-menu").selectOption("claude-haiku-4-5");
    assert.deepEqual(await main.called("conversations.set_model"), {
      id,
      model: "claude-haiku-4-5",
    });
    main.script.models = models.slice(0, 1);
    await hear({ type: "models_changed" });
    await says(at("composer-note"), "model is no longer allowed");
    await at("composer").fill("Hello?");
    assert.ok(await at("send").isDisabled());
    await at("model-menu").selectOption("claude-opus-4-5");
    await says(at("composer-note"), "Enter sends");
    assert.ok(await at("send").isEnabled());
  });

  it("keeps what is written with its conversation", async (t) => {
    const other = conversation("talk-0002", "Another", ["a", "b"], { updatedAt: 1 });
    const { at, page } = await open(t, { conversations: [talk, other] });
    await at("composer").fill("For the talk");
    await at("open-conversation").filter({ hasText: "Another" }).click();
    await says(at("chat-title"), "Another");
    assert.equal(await at("composer").inputValue(), "");
    await page.keyboard.press("Control+n");
    await says(at("chat-title"), "New conversation");
    await at("open-conversation").filter({ hasText: "A talk" }).click();
    await says(at("chat-title"), "A talk");
    assert.equal(await at("composer").inputValue(), "For the talk");
  });
});
