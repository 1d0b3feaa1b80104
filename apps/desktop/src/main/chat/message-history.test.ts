import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { ChatMessage, ReplyEnding } from "../../bridge/conversation.ts";
import { turnsOf } from "./message-history.ts";

const stopped: ReplyEnding = { kind: "stopped" };
const user = (text: string): ChatMessage => ({ role: "user", id: "u", text, sentAt: 1 });
const assistant = (text: string): ChatMessage => ({
  ...{ role: "assistant", id: "a", text, model: "m", sentAt: 1, ending: stopped },
});

describe("what was said, as the API wants it", () => {
  it("has turns in order, and what came of a broken answer", () => {
    assert.deepEqual(turnsOf([user("One?"), assistant("On"), user("Two?")]), [
      { role: "user", content: [{ type: "text", text: "One?" }] },
      { role: "assistant", content: [{ type: "text", text: "On" }] },
      { role: "user", content: [{ type: "text", text: "Two?" }] },
    ]);
  });

  it("alternates, begins and ends with the user, and loses no word of his", () => {
    const text = fc.constantFrom("", " ", "\n", "word", "more words");
    const said = fc.array(fc.tuple(fc.boolean(), text), { maxLength: 12 });
    fc.assert(
      fc.property(said, (parts) => {
        const messages = [
          user("first"),
          ...parts.map(([isUser, one]) => (isUser ? user(one) : assistant(one))),
          user("last"),
        ];
        const turns = turnsOf(messages);
        turns.forEach(({ role, content }, index) => {
          assert.equal(role, index % 2 === 0 ? "user" : "assistant");
          assert.ok(content.length > 0 && content.every((block) => block.text.trim() !== ""));
        });
        assert.equal(turns.length % 2, 1);
        assert.deepEqual(
          turns.flatMap(({ content }) => content.map((block) => block.text)),
          messages.map((message) => message.text).filter((one) => one.trim() !== ""),
        );
      }),
    );
  });
});
