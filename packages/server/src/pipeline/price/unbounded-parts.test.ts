import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tokensBeyondBytes } from "./unbounded-parts.ts";

const beyond = (value: unknown): number | null =>
  tokensBeyondBytes(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

const content = (...blocks: unknown[]) => ({ messages: [{ role: "user", content: blocks }] });

describe("what a prompt costs beyond its bytes", () => {
  it("is nothing for text, whatever it speaks of", () => {
    const text = JSON.stringify(content({ type: "image" }, { type: "document" }));
    assert.equal(beyond(content({ type: "text", text })), 0);
    assert.equal(
      beyond({ tools: [{ input_schema: { properties: { url: { type: "string" } } } }] }),
      0,
    );
    assert.equal(beyond('{"text":"\\u003cb\\u003e \\u001b[0m"}'), 0);
  });

  it("is so much for each image", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "" } };
    assert.equal(beyond(content(image, image)), 10_000);
    assert.equal(beyond('{"type" :\n"image"}'), 5_000);
  });

  it("is unbounded for documents, files and addresses, and for what is spelt to hide", () => {
    for (const block of [
      { type: "document", source: { type: "base64", data: "" } },
      { type: "image", source: { type: "url", url: "https://example.com" } },
      { type: "image", source: { type: "file", file_id: "file_1" } },
      { type: "container_upload", file_id: "file_1" },
    ]) {
      assert.equal(beyond(content(block)), null);
    }
    assert.equal(beyond('{"type":"\\u0069mage"}'), null);
    assert.equal(beyond('{"t\\u0079pe":"document"}'), null);
  });
});
