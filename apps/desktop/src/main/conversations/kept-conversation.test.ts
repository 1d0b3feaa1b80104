import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type KeptConversation, parse, serialize } from "./kept-conversation.ts";
import { titleOf, untitled } from "./title.ts";

const text = fc.string({ unit: "binary", maxLength: 50 });
const time = fc.nat();
const fault = fc.record({
  kind: fc.constantFrom("capped" as const, "offline" as const, "broken_off" as const),
  message: text,
  retryAt: fc.option(time),
});
const ending = fc.oneof(
  fc.record({ kind: fc.constant("stopped" as const) }),
  fc.record({ kind: fc.constant("failed" as const), fault }),
  fc.record({
    kind: fc.constant("complete" as const),
    stopReason: text,
    usage: fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat() }),
  }),
);
const message = fc.oneof(
  fc.record({ role: fc.constant("user" as const), id: text, text, sentAt: time }),
  fc.record({
    ...{ role: fc.constant("assistant" as const), id: text, text },
    ...{ model: text, sentAt: time, ending },
  }),
);
const conversation = fc.record({
  ...{ id: fc.constant("some-conversation"), title: text, isNamed: fc.boolean() },
  ...{ model: text, updatedAt: time, messages: fc.array(message, { maxLength: 5 }) },
});

describe("a kept conversation", () => {
  it("is read as it was written, whatever was said", () => {
    fc.assert(
      fc.property(conversation, (kept) => {
        assert.deepEqual(parse(kept.id, serialize(kept)), plain(kept));
      }),
    );
  });

  it("has no answer that is still coming when it is read", () => {
    const kept: KeptConversation = {
      ...{ id: "some-conversation", title: "T", isNamed: false, model: "m", updatedAt: 1 },
      messages: [
        { role: "user", id: "u", text: "Hello", sentAt: 1 },
        {
          ...{ role: "assistant", id: "a", text: "Hal", model: "m", sentAt: 1 },
          ending: { kind: "streaming" },
        },
      ],
    };
    const last = parse(kept.id, serialize(kept))?.messages.at(-1);
    assert.ok(last?.role === "assistant" && last.ending.kind === "failed");
    assert.equal(last.ending.fault.kind, "broken_off");
    assert.equal(last.text, "Hal");
  });

  for (const damaged of ["", "null", "[]", "{}", '{"title":1}', "{", '{"messages":[{}]}']) {
    it(`is none when it says ${damaged || "nothing"}`, () => {
      assert.equal(parse("some-conversation", Buffer.from(damaged)), null);
    });
  }
});

describe("a title", () => {
  const cases: readonly [text: string, title: string][] = [
    ["Hello there", "Hello there"],
    ["  # A heading\n\nand **more**  of `it`", "A heading and more of it"],
    ["> quoted\n> twice", "quoted twice"],
    ["snake_case * 2 stays", "snake_case * 2 stays"],
    ["\n \t", untitled],
    ["##", untitled],
    [`${"word ".repeat(30)}`, `${"word ".repeat(11)}word…`],
    ["x".repeat(100), `${"x".repeat(60)}…`],
    ["🦊".repeat(61), `${"🦊".repeat(60)}…`],
  ];
  for (const [given, title] of cases) {
    it(`of ${JSON.stringify(given.slice(0, 30))} is its first words`, () => {
      assert.equal(titleOf(given), title);
    });
  }

  it("is short and on one line, whatever is said", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (given) => {
        const title = titleOf(given);
        assert.ok(title.length > 0 && [...title].length <= 61 && !/[\r\n]/.test(title));
      }),
    );
  });
});

/** fast-check's records have no prototype. */
const plain = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));
