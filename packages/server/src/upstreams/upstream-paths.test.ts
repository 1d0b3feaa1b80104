import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ModelId } from "@claude-relay/contract";
import fc from "fast-check";
import { upstreamMethod, upstreamPath } from "./upstream-paths.ts";

const model = (model: string) => upstreamPath({ kind: "get_model", model: model as ModelId });

describe("the paths upstream", () => {
  it("are a fixed few", () => {
    assert.equal(upstreamPath({ kind: "messages", beta: false }), "/v1/messages");
    assert.equal(upstreamPath({ kind: "messages", beta: true }), "/v1/messages?beta=true");
    assert.equal(upstreamPath({ kind: "complete" }), "/v1/messages");
    assert.equal(upstreamPath({ kind: "router" }), "/v1/messages");
    assert.equal(upstreamPath({ kind: "count_tokens", beta: false }), "/v1/messages/count_tokens");
    assert.equal(
      upstreamPath({ kind: "count_tokens", beta: true }),
      "/v1/messages/count_tokens?beta=true",
    );
    assert.equal(upstreamPath({ kind: "list_models", query: {} }), "/v1/models");
    assert.equal(
      upstreamPath({ kind: "list_models", query: { limit: 5, after_id: "claude-x" } }),
      "/v1/models?limit=5&after_id=claude-x",
    );
    assert.equal(model("claude-haiku-4-5"), "/v1/models/claude-haiku-4-5");
  });

  it("are posted to for messages and counts, and read for models", () => {
    assert.equal(upstreamMethod({ kind: "messages", beta: false }), "POST");
    assert.equal(upstreamMethod({ kind: "router" }), "POST");
    assert.equal(upstreamMethod({ kind: "count_tokens", beta: false }), "POST");
    assert.equal(upstreamMethod({ kind: "list_models", query: {} }), "GET");
    assert.equal(upstreamMethod({ kind: "get_model", model: "x" as ModelId }), "GET");
  });

  it("hold whatever a caller names inside one segment or one query value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
        assert.match(model(text), /^\/v1\/models\/[^/?#\\\s]+$/);
        const listed = upstreamPath({ kind: "list_models", query: { before_id: text } });
        assert.equal(new URLSearchParams(listed.split("?")[1]).get("before_id"), text);
        assert.match(listed, /^\/v1\/models\?before_id=[^/?#&\\\s]+$/);
      }),
    );
  });
});
