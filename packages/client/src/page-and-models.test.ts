import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InvalidRequestError, UnexpectedAnswerError } from "./index.ts";
import { json, refusal } from "./testing/relay-double.ts";
import { withDouble } from "./testing/with-double.ts";

const { relay, client } = withDouble();

describe("fetchPage", () => {
  const answer = {
    ok: true,
    request_id: "req_1",
    status: 404,
    final_url: "https://example.com/b",
    content_type: "text/html",
    truncated: true,
    html: "<p>ä</p>",
  };

  it("gives the page with its own status", async () => {
    relay().replies(json(200, answer));
    assert.deepEqual(await client().fetchPage({ url: "https://example.com" }), {
      status: 404,
      finalUrl: "https://example.com/b",
      contentType: "text/html",
      truncated: true,
      html: "<p>ä</p>",
      requestId: "req_1",
    });
    assert.equal(relay().asked[0]?.path, "/v1/fetch");
    assert.deepEqual(relay().asked[0]?.body, { url: "https://example.com" });
  });

  it("sends every option under its name on the wire", async () => {
    relay().replies(json(200, { ...answer, content_type: null }));
    const options = { url: "u", maxBytes: 9, strip: false, format: "markdown" } as const;
    assert.equal((await client().fetchPage(options)).contentType, null);
    const body = { url: "u", max_bytes: 9, strip: false, format: "markdown" };
    assert.deepEqual(relay().asked[0]?.body, body);
  });

  it("throws the relay's refusal, and takes nothing else for a page", async () => {
    relay().replies(refusal(400, "invalid_request_error", "private address"));
    await assert.rejects(client().fetchPage({ url: "http://127.0.0.1" }), InvalidRequestError);
    relay().replies(json(200, { ...answer, html: undefined }));
    await assert.rejects(client().fetchPage({ url: "u" }), UnexpectedAnswerError);
  });
});

describe("models", () => {
  const page = (ids: string[], next?: string) =>
    json(200, {
      data: ids.map((id) => ({ type: "model", id, display_name: id.toUpperCase() })),
      has_more: next !== undefined,
      last_id: next ?? null,
    });

  it("gives every model, page by page", async () => {
    relay().replies(page(["a", "b"], "b&"), page(["c"]));
    assert.deepEqual(await client().models(), [
      { id: "a", displayName: "A" },
      { id: "b", displayName: "B" },
      { id: "c", displayName: "C" },
    ]);
    const paths = relay().asked.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(paths, [
      "GET /v1/models?limit=1000",
      "GET /v1/models?limit=1000&after_id=b%26",
    ]);
    assert.equal(relay().asked[0]?.headers["content-type"], undefined);
  });

  it("does not turn in circles with a relay that does", async () => {
    relay().replies(page(["a"], "a"));
    await assert.rejects(client().models(), /repeats itself/);
  });

  it("takes nothing else for a list", async () => {
    relay().replies(json(200, { ok: true }));
    await assert.rejects(client().models(), UnexpectedAnswerError);
  });
});
