import assert from "node:assert/strict";
import { it } from "node:test";
import type { ModelId } from "@claude-relay/contract";
import { scanBody } from "../body/body-scan.ts";
import { messagesBody } from "./messages-body.ts";

const model = "claude-opus-5-5" as ModelId;
const schema = { type: "object" };
const read = (...args: Parameters<typeof messagesBody>) =>
  JSON.parse(messagesBody(...args).toString());

it("a prompt alone is one user message, streamed, with room for a long answer", () => {
  assert.deepEqual(read({ prompt: "Hi" }, model, "native"), {
    model,
    max_tokens: 16_000,
    messages: [{ role: "user", content: "Hi" }],
    stream: true,
  });
});

it("system and max_tokens are passed on; an empty system is left out", () => {
  const { system, max_tokens } = read(
    { prompt: "x", system: "Be terse.", max_tokens: 5 },
    model,
    "native",
  );
  assert.deepEqual({ system, max_tokens }, { system: "Be terse.", max_tokens: 5 });
  assert.ok(!("system" in read({ prompt: "x", system: "" }, model, "native")));
});

it("a schema is the API's own field where there is one", () => {
  const body = read({ prompt: "x", json_schema: schema }, model, "native");
  assert.deepEqual(body.output_config, { format: { type: "json_schema", schema } });
  assert.ok(!("system" in body));
});

it("and words after the caller's own system prompt where there is none", () => {
  const body = read({ prompt: "x", system: "Be terse.", json_schema: schema }, model, "prompt");
  assert.ok(!("output_config" in body));
  assert.match(body.system, /^Be terse\.\n\nAnswer with one JSON value[\s\S]*\{"type":"object"\}$/);
  assert.match(read({ prompt: "x", json_schema: schema }, model, "prompt").system, /^Answer with/);
});

it("says the same to upstream as to the relay's own scan, whatever the prompt holds", () => {
  for (const prompt of [
    '","model":"claude-opus-4","x":"',
    "\u0000\u001f\u2028",
    "🦊",
    "\\",
    "@/etc/passwd",
  ]) {
    const body = messagesBody({ prompt, stream: true, max_tokens: 7 }, model, "native");
    const facts = scanBody(body, "messages");
    assert.deepEqual(
      { model: facts.model, maxTokens: facts.maxTokens, stream: facts.stream },
      { model, maxTokens: 7, stream: true },
    );
    assert.equal(JSON.parse(body.toString()).messages[0].content, prompt);
  }
});
