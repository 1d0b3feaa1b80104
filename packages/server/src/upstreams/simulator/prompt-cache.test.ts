import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPromptCache } from "./prompt-cache.ts";
import { countInputTokens } from "./tokens.ts";
import type { InputUsage, MessagesBody } from "./wire.ts";

const long = (name: string) => `${name}: ${"word ".repeat(100)}`;

type Mark = "5m" | "1h" | null;
const block = (text: string, ttl: Mark) => ({
  type: "text",
  text,
  ...(ttl === null ? {} : { cache_control: { type: "ephemeral", ttl } }),
});

const body = (...blocks: ReturnType<typeof block>[]): MessagesBody => ({
  model: "claude-haiku-4-5",
  max_tokens: 10,
  messages: [{ role: "user", content: blocks }],
});

const totalOf = (usage: InputUsage) =>
  usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;

test("a marked prefix is written once and read after that", () => {
  const cache = createPromptCache(() => 0);
  const asked = body(block(long("a"), "5m"), block("question", null));
  const first = cache.account(asked, "me");
  assert.ok(first.cache_creation_input_tokens > 100);
  assert.equal(first.cache_creation.ephemeral_5m_input_tokens, first.cache_creation_input_tokens);
  assert.equal(first.cache_read_input_tokens, 0);
  const second = cache.account(asked, "me");
  assert.equal(second.cache_read_input_tokens, first.cache_creation_input_tokens);
  assert.equal(second.cache_creation_input_tokens, 0);
  assert.equal(second.input_tokens, first.input_tokens);
});

test("a conversation that grows reads what it wrote and writes what is new, its mark moved on", () => {
  const cache = createPromptCache(() => 0);
  const first = cache.account(body(block(long("a"), "5m")), "me");
  const second = cache.account(body(block(long("a"), null), block(long("b"), "5m")), "me");
  assert.equal(second.cache_read_input_tokens, first.cache_creation_input_tokens);
  assert.ok(second.cache_creation_input_tokens > 100);
});

test("hour and five-minute writes are told apart", () => {
  const cache = createPromptCache(() => 0);
  const usage = cache.account(body(block(long("a"), "1h"), block(long("b"), "5m")), "me");
  assert.ok(usage.cache_creation.ephemeral_1h_input_tokens > 100);
  assert.ok(usage.cache_creation.ephemeral_5m_input_tokens > 100);
});

test("an entry lives for its time since it was last used", () => {
  let now = 0;
  const cache = createPromptCache(() => now);
  const asked = body(block(long("a"), "5m"));
  const readAt = (time: number) => {
    now = time;
    return cache.account(asked, "me").cache_read_input_tokens > 0;
  };
  assert.equal(readAt(0), false);
  assert.equal(readAt(299_999), true);
  assert.equal(readAt(599_998), true);
  assert.equal(readAt(900_000), false);
});

test("nothing is shared with another owner or model", () => {
  const cache = createPromptCache(() => 0);
  const asked = body(block(long("a"), "5m"));
  cache.account(asked, "me");
  assert.equal(cache.account(asked, "you").cache_read_input_tokens, 0);
  const other = { ...asked, model: "claude-opus-5-5" };
  assert.equal(cache.account(other, "me").cache_read_input_tokens, 0);
});

test("the top-level mark caches up to the last block", () => {
  const cache = createPromptCache(() => 0);
  const asked = { ...body(block(long("a"), null)), cache_control: { type: "ephemeral" } };
  assert.ok(cache.account(asked, "me").cache_creation_input_tokens > 100);
});

test("a fifth mark, and an hour after five minutes, are refused", () => {
  const cache = createPromptCache(() => 0);
  const five = ["a", "b", "c", "d", "e"].map((text) => block(text, "5m"));
  assert.throws(() => cache.account(body(...five), "me"), /maximum of 4 blocks.*Found 5/);
  assert.throws(() => cache.account(body(block("a", "5m"), block("b", "1h")), "me"), /ttl='1h'/);
});

test("read, written and plain always add up to the counted tokens", () => {
  const mark = fc.constantFrom<Mark>("5m", null, null);
  const blocks = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), mark), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(fc.array(blocks, { minLength: 1, maxLength: 8 }), (requests) => {
      const cache = createPromptCache(() => 0);
      for (const request of requests) {
        const asked = body(...request.map(([name, ttl]) => block(long(name), ttl)));
        const marks = request.filter(([, ttl]) => ttl !== null).length;
        if (marks <= 4) {
          const usage = cache.account(asked, "me");
          assert.equal(totalOf(usage), countInputTokens(asked));
          assert.ok(usage.input_tokens >= 0);
        }
      }
    }),
  );
});
