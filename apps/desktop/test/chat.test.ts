/** Chatting through a real relay: answers as the window hears of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyRow } from "../../../test/harness/ledger.ts";
import type { Turn } from "../src/main/chat/message-history.ts";
import { faultOf, haiku, sitDown } from "./harness/chat-desk.ts";
import { begin, bodyOf, deltasOf, setUp } from "./harness/chat-places.ts";

// What a user's machine has for other programs must lead no prompt elsewhere.
Object.assign(process.env, {
  ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
  ANTHROPIC_API_KEY: "sk-ant-planted",
  ANTHROPIC_AUTH_TOKEN: "planted-token",
  ANTHROPIC_CUSTOM_HEADERS: "x-api-key: planted\nanthropic-version: 1999-01-01\nx-planted: yes",
  ANTHROPIC_LOG: "debug",
});

describe("an answer", { concurrency: 4 }, () => {
  it("streams: started, texts, ended; and is kept whole", async (t) => {
    const { desk, relay } = await setUp(t);
    const { conversationId, reply } = await desk.ask("# Say **hello**", "claude-sim-paced:10:20");
    assert.equal(reply.text, "tick ".repeat(10));
    assert.equal(deltasOf(desk.events, reply.id), reply.text);
    const types = desk.events
      .filter((event) => "replyId" in event && event.replyId === reply.id)
      .map(({ type }) => type);
    assert.equal(types[0], "reply_started");
    assert.equal(types.at(-1), "reply_ended");
    const row = await onlyRow(relay);
    assert.equal(row.ending, "complete");
    const usage = { inputTokens: row.input_tokens, outputTokens: row.output_tokens };
    assert.deepEqual(reply.ending, { kind: "complete", stopReason: "end_turn", usage });
    const { title, model } = await desk.call["conversations.get"]({ id: conversationId });
    assert.equal(title, "Say hello");
    assert.equal(model, "claude-sim-paced:10:20");
    await desk.event("usage_changed");
    const lists = desk.events.filter((event) => event.type === "conversations_changed");
    assert.ok(lists.length >= 2, "the list is told of when it changes: asked, answered");
    assert.deepEqual(lists.at(-1)?.conversations, await desk.call["conversations.list"]({}));
  });

  it("tells of nothing before the question's own answer, and never more or less than is kept", async (t) => {
    const { desk } = await setUp(t);
    const { id } = await desk.call["conversations.create"]({ model: "claude-sim-paced:100:5" });
    const sent = await desk.call["chat.send"]({ conversationId: id, text: "Step by step." });
    assert.deepEqual([sent.role, sent.text], ["user", "Step by step."]);
    assert.ok(desk.events.every(({ type }) => type !== "reply_started"));
    const lengths = new Set<number>();
    for (;;) {
      const reply = await desk.reply(id);
      assert.equal(reply.text, deltasOf(desk.events, reply.id));
      assert.equal(reply.ending.kind !== "streaming", desk.ended().includes(reply.id));
      lengths.add(reply.text.length);
      if (reply.ending.kind !== "streaming") {
        break;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(lengths.size > 5, "it came bit by bit");
  });

  it("goes to the relay alone, whatever ANTHROPIC_* variables say, with this device's token alone", async (t) => {
    const places = await setUp(t);
    const { desk, simulator } = places;
    const { reply } = await desk.ask("Where to?");
    assert.equal(reply.ending.kind, "complete");
    const [seen] = simulator.log;
    assert.equal(seen?.headers["x-planted"], undefined);
    assert.equal(seen?.headers["anthropic-version"], "2026-10-21");
    assert.deepEqual(bodyOf(places, 0), {
      model: haiku,
      max_tokens: 8192,
      messages: [{ role: "user", content: [{ type: "text", text: "Where to?" }] }],
      stream: true,
    });
  });

  it("is asked for with all that was said before, failed answers left out", async (t) => {
    const places = await setUp(t);
    const { desk } = places;
    const { conversationId: id } = await desk.ask("One?");
    const send = async (text: string, model: string): Promise<void> => {
      const before = desk.ended();
      await desk.call["conversations.set_model"]({ id, model });
      await desk.call["chat.send"]({ conversationId: id, text });
      await desk.event("reply_ended", ({ replyId }) => !before.includes(replyId));
    };
    await send("Two?", "claude-sim-400");
    await send("Three?", haiku);
    const messages: Turn[] = bodyOf(places, -1).messages;
    assert.deepEqual(
      messages.map(({ role, content }) => [role, ...content.map(({ text }) => text.slice(0, 12))]),
      [
        ["user", "One?"],
        ["assistant", "[simulator] "],
        ["user", "Two?", "Three?"],
      ],
    );
  });

  it("stopped by the user frees upstream at once, and keeps what came", async (t) => {
    const { desk, simulator, relay } = await setUp(t);
    const { id, replyId } = await begin(desk);
    await desk.call["chat.stop"]({ conversationId: id });
    const reply = await desk.reply(id);
    assert.deepEqual(reply.ending, { kind: "stopped" });
    assert.match(reply.text, /^(tick )+$/);
    assert.equal(deltasOf(desk.events, replyId), reply.text);
    await simulator.until(({ aborted }) => aborted === 1);
    assert.equal((await onlyRow(relay)).ending, "client_left");
    await desk.call["chat.stop"]({ conversationId: id });
  });

  it("retried takes the place of the one that failed", async (t) => {
    const places = await setUp(t);
    const { desk } = places;
    const first = await desk.ask("Once more?", "claude-sim-first-n:1:529");
    assert.equal(faultOf(first.reply).kind, "overloaded");
    await desk.call["chat.retry"]({ conversationId: first.conversationId });
    await desk.event("reply_ended", ({ replyId }) => replyId !== first.reply.id);
    const { messages } = await desk.call["conversations.get"]({ id: first.conversationId });
    assert.deepEqual(
      messages.map(({ role }) => role),
      ["user", "assistant"],
    );
    assert.notEqual(messages[1]?.id, first.reply.id);
    assert.match(messages[1]?.text ?? "", /You said: Once more\?/);
    assert.equal(bodyOf(places, -1).messages.length, 1);
  });

  it("comes in two conversations at once, each its own", async (t) => {
    const { desk, simulator } = await setUp(t);
    const asked = ["claude-sim-paced:40:10", "claude-sim-paced:41:10"].map((model) =>
      desk.ask("Together.", model),
    );
    await simulator.until(({ openStreams }) => openStreams === 2);
    const [one, other] = await Promise.all(asked);
    assert.equal(one?.reply.text, "tick ".repeat(40));
    assert.equal(other?.reply.text, "tick ".repeat(41));
  });

  it("is one at a time in a conversation; and needs a question, a conversation and a relay", async (t) => {
    const { desk } = await setUp(t);
    const { id } = await begin(desk);
    const again = { conversationId: id, text: "And?" };
    await assert.rejects(desk.call["chat.send"](again), { code: "busy" });
    await assert.rejects(desk.call["chat.retry"]({ conversationId: id }), { code: "busy" });
    const { id: fresh } = await desk.call["conversations.create"]({ model: haiku });
    const both = [1, 2].map(() => desk.call["chat.send"]({ conversationId: fresh, text: "Twice" }));
    const outcomes = await Promise.allSettled(both);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const empty = await desk.call["conversations.create"]({ model: haiku });
    await assert.rejects(desk.call["chat.retry"]({ conversationId: empty.id }), { code: "failed" });
    const blank = { conversationId: empty.id, text: " \n" };
    await assert.rejects(desk.call["chat.send"](blank), { code: "invalid_params" });
    const nowhere = { conversationId: "no-such-one", text: "Hello?" };
    await assert.rejects(desk.call["chat.send"](nowhere), { code: "not_found" });
    const alone = sitDown(t, { relay: null });
    const { id: unheard } = await alone.call["conversations.create"]({ model: haiku });
    const unheardOf = alone.call["chat.send"]({ conversationId: unheard, text: "Hello?" });
    await assert.rejects(unheardOf, { code: "not_connected" });
    await desk.call["chat.stop"]({ conversationId: id });
  });

  it("ends with its conversation when that is deleted", async (t) => {
    const { desk, simulator } = await setUp(t);
    const { id } = await begin(desk);
    await desk.call["conversations.delete"]({ id });
    await simulator.until(({ aborted }) => aborted === 1);
    await assert.rejects(desk.call["conversations.get"]({ id }), { code: "not_found" });
    assert.deepEqual(await desk.call["conversations.list"]({}), []);
  });

  it("ends when another relay is chosen", async (t) => {
    const { desk, simulator } = await setUp(t);
    const { id } = await begin(desk);
    desk.chat.relayChanged();
    await simulator.until(({ aborted }) => aborted === 1);
    await desk.event("reply_ended");
    assert.deepEqual((await desk.reply(id)).ending, { kind: "stopped" });
  });
});
