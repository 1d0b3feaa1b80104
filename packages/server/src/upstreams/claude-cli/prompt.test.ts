import assert from "node:assert/strict";
import { it } from "node:test";
import type { ModelId } from "@claude-relay/contract";
import type { UpstreamOperation } from "../../pipeline/types.ts";
import { readPrompt, UnservableRequest } from "./prompt.ts";

const body = Buffer.from(
  JSON.stringify({
    model: "claude-haiku-4-5",
    max_tokens: 64,
    stream: true,
    system: "Answer in RouterOS.",
    messages: [{ role: "user", content: "show my addresses" }],
  }),
);
const read = (operation: UpstreamOperation) => readPrompt({ operation, headers: [], body });

it("a prompt is read the same whichever door it came by: messages, complete or a router", () => {
  const prompt = {
    model: "claude-haiku-4-5",
    system: "Answer in RouterOS.",
    prompt: "show my addresses",
    maxTokens: 64,
  };
  assert.deepEqual(read({ kind: "messages", beta: false }), prompt);
  assert.deepEqual(read({ kind: "complete" }), prompt);
  assert.deepEqual(read({ kind: "router" }), prompt);
});

it("what is no model call is not served", () => {
  const model = "claude-haiku-4-5" as ModelId;
  assert.throws(() => read({ kind: "count_tokens", beta: false }), UnservableRequest);
  assert.throws(() => read({ kind: "list_models", query: {} }), UnservableRequest);
  assert.throws(() => read({ kind: "get_model", model }), UnservableRequest);
});
