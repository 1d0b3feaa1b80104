import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UnexpectedAnswerError } from "./index.ts";
import { json, result, stream, text } from "./testing/relay-double.ts";
import { key, withDouble } from "./testing/with-double.ts";

const { relay, client } = withDouble();

describe("complete", () => {
  it("gives the text, and sends only what was said", async () => {
    relay().replies(text("Wörter 🦊"));
    const said: string = await client().complete({ prompt: "Hi" });
    assert.equal(said, "Wörter 🦊");
    const [asked] = relay().asked;
    assert.equal(asked?.method, "POST");
    assert.equal(asked?.path, "/v1/complete");
    assert.equal(asked?.headers.authorization, `Bearer ${key}`);
    assert.match(asked?.headers["content-type"] ?? "", /^application\/json/);
    assert.deepEqual(asked?.body, { prompt: "Hi" });
  });

  it("sends every option under its name on the wire", async () => {
    relay().replies(result([]));
    const jsonSchema = { type: "array", items: { type: "string" } };
    const options = { prompt: "p", system: "s", model: "haiku", maxTokens: 9 };
    await client().complete({ ...options, jsonSchema });
    assert.deepEqual(relay().asked[0]?.body, {
      prompt: "p",
      system: "s",
      model: "haiku",
      max_tokens: 9,
      output_format: "json",
      json_schema: jsonSchema,
    });
  });

  it("gives the JSON value for outputFormat json, null and plain text included", async () => {
    for (const value of [["red", "green"], null, 0, false, "not JSON", { a: { b: [] } }]) {
      relay().replies(result(value));
      assert.deepEqual(await client().complete({ prompt: "p", outputFormat: "json" }), value);
      assert.equal(relay().asked[0]?.body.output_format, "json");
    }
  });

  it("lets the caller name the type of the JSON value", async () => {
    relay().replies(result(["red"]));
    const colors = await client().complete<string[]>({ prompt: "p", outputFormat: "json" });
    assert.equal(colors[0]?.toUpperCase(), "RED");
  });

  it("knows the relay below a path, and with slashes at the end", async () => {
    relay().replies(text("ok"));
    await client({ url: `${relay().url}/team/relay//` }).complete({ prompt: "p" });
    assert.equal(relay().asked[0]?.path, "/team/relay/v1/complete");
  });

  it("takes an answer of 5 MB", async () => {
    const long = "Zeichen 🦊 ".repeat(400_000);
    relay().replies(text(long));
    assert.equal(await client().complete({ prompt: "p" }), long);
  });

  it("stops at an answer without end", async () => {
    relay().replies((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = (): void => {
        while (response.write("x".repeat(1 << 20))) {}
      };
      response.on("drain", more);
      more();
    });
    await assert.rejects(client().complete({ prompt: "p" }), /larger than 33554432 bytes/);
    await relay().asked[0]?.closed;
  });

  it("takes no success for an answer that is none of a relay", async () => {
    const strangers = [
      json(200, "{"),
      json(200, "[]"),
      json(200, { ok: false }),
      json(200, { ok: true, result: "but text was asked for" }),
      json(200, { text: "without ok" }),
      stream(["event: text\n\n"]),
    ];
    for (const stranger of strangers) {
      relay().replies(stranger);
      await assert.rejects(client().complete({ prompt: "p" }), UnexpectedAnswerError);
      assert.equal(relay().asked.length, 1);
    }
  });

  it("takes no bytes that are not UTF-8", async () => {
    relay().replies((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(Buffer.from('{"ok":true,"text":"\xff"}', "latin1"));
    });
    await assert.rejects(client().complete({ prompt: "p" }), /not UTF-8/);
  });

  it("says at once what it cannot send", async () => {
    relay().replies(text("ok"));
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    await assert.rejects(client().complete({ prompt: "p", jsonSchema: circular }), TypeError);
    assert.equal(relay().asked.length, 0);
  });
});
