import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkToken } from "./relay-check.ts";
import { startTestRelay } from "./test-relay.ts";

describe("what a relay serves", () => {
  it("is told in words that rewrite no terminal, whatever the relay calls its models", async (t) => {
    const id = "claude-haiku\u001b[2J\u202e";
    const relay = await startTestRelay(t, ({ method }) => ({
      status: 200,
      body: method === "GET" ? { data: [{ id }] } : { input_tokens: 5 },
    }));
    const served = await checkToken({ url: relay.url, loopback: true }, "the-token");
    assert.deepEqual(served, { models: 1, model: "claude-haiku [2J", inputTokens: 5 });
    const counted = relay.asked.find(({ method }) => method === "POST");
    assert.equal(JSON.parse(counted?.body ?? "").model, id);
  });
});
