import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CompleteRequest, ModelId, RequestId } from "@claude-relay/contract";
import type { CallerReply } from "../../pipeline/types.ts";
import { CompleteReply } from "./complete-reply.ts";

const id = "req_01M7YZMHQTKWWKPHRQEMWPZDY6" as RequestId;

const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const said = (text: string) =>
  event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
const begin = event("message_start", { message: { usage: { input_tokens: 4, output_tokens: 1 } } });
const end = (stop_reason = "end_turn") =>
  event("message_delta", { delta: { stop_reason }, usage: { output_tokens: 9 } }) +
  event("message_stop");

/** A caller that notes what it is given. */
class NotedReply implements CallerReply {
  left = false;
  ready = true;
  status = 0;
  starts = 0;
  headers: Record<string, string> = {};
  text = "";
  ends = 0;

  start(status: number, headers: string[]): void {
    this.starts += 1;
    this.status = status;
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] ?? "";
      assert.ok(!(name in this.headers), `${name} twice`);
      this.headers[name] = headers[at + 1] ?? "";
    }
  }

  write(chunk: Buffer): boolean {
    this.text += chunk;
    return this.ready;
  }

  end(lastChunk: Buffer | null): void {
    this.text += lastChunk ?? "";
    this.ends += 1;
  }

  breakOff(): void {
    assert.fail("an app's answer always ends properly");
  }

  onDrain(): void {}
  onLeave(): void {}
}

const setUp = (request: Partial<CompleteRequest> = {}) => {
  const caller = new NotedReply();
  const reply = new CompleteReply(caller, {
    id,
    wanted: () => ({
      request: { prompt: "x", ...request },
      model: "opus",
      modelId: "claude-opus-5-5" as ModelId,
    }),
    elapsedMs: () => 1234.6,
  });
  return {
    caller,
    reply,
    begin: (status = 200, headers: string[] = ["content-type", "text/event-stream"]) =>
      reply.start(status, headers),
    write: (text: string) => reply.write(Buffer.from(text)),
    /** The events the caller got, name and data. */
    events: () =>
      caller.text
        .split("\n\n")
        .slice(0, -1)
        .map((one) => {
          const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(one) ?? assert.fail(one);
          return [name, JSON.parse(data ?? "")];
        }),
    body: () => {
      assert.deepEqual([caller.starts, caller.ends], [1, 1]);
      assert.equal(caller.headers["content-type"], "application/json");
      assert.equal(caller.headers["content-length"], String(Buffer.byteLength(caller.text)));
      return JSON.parse(caller.text);
    },
  };
};

const common = {
  ok: true,
  request_id: id,
  model: "opus",
  model_id: "claude-opus-5-5",
  duration_ms: 1235,
  stop_reason: "end_turn",
};
const usage = {
  input_tokens: 4,
  output_tokens: 9,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
};
const failed = (type: string, message: string) => ({
  ok: false,
  type: "error",
  error: { type, message },
  request_id: id,
});
const brokeOff = failed("api_error", "Upstream broke off before its answer was complete.");

describe("a whole answer", () => {
  it("is one object of text, sent when it is complete", () => {
    const { begin: start, write, reply, caller, body } = setUp();
    start();
    write(begin + said("Grüße, ") + said("🦊"));
    assert.equal(caller.starts, 0);
    reply.end(Buffer.from(end()));
    assert.equal(caller.status, 200);
    assert.deepEqual(body(), { ...common, text: "Grüße, 🦊" });
  });

  it("is the value it holds, and what it took, when JSON is asked for", () => {
    const { begin: start, write, reply, body } = setUp({ output_format: "json" });
    start();
    write(begin + said('["re') + said('d"]') + end());
    reply.end(null);
    assert.deepEqual(body(), { ...common, result: ["red"], usage });
  });

  it("carries the relay's headers and none that describe upstream's body", () => {
    const { begin: start, write, reply, caller } = setUp();
    start(200, [
      "x-relay-upstream",
      "anthropic",
      "content-encoding",
      "gzip",
      "content-length",
      "5",
    ]);
    write(begin + end());
    reply.end(null);
    const { "content-length": _, "content-type": __, ...rest } = caller.headers;
    assert.deepEqual(rest, { "request-id": id, "x-relay-upstream": "anthropic" });
  });
});

describe("a stream", () => {
  it("gives each piece as it comes, pings, and what it took at its end", () => {
    const { begin: start, write, reply, caller, events } = setUp({ stream: true });
    start();
    assert.deepEqual(
      [caller.status, caller.headers["content-type"]],
      [200, "text/event-stream; charset=utf-8"],
    );
    write(begin + said("re"));
    assert.deepEqual(events(), [["text", { text: "re" }]]);
    write(event("ping") + said("d") + end());
    reply.end(null);
    assert.deepEqual(events().slice(1), [
      ["ping", {}],
      ["text", { text: "d" }],
      ["done", { ...common, usage }],
    ]);
    assert.deepEqual([caller.starts, caller.ends], [1, 1]);
  });

  it("has the result in its last event when JSON is asked for", () => {
    const { begin: start, write, reply, events } = setUp({ stream: true, output_format: "json" });
    start();
    write(begin + said("[1]") + end());
    reply.end(null);
    assert.deepEqual(events().at(-1), ["done", { ...common, result: [1], usage }]);
  });

  it("tells upstream to wait when the caller reads slowly, and passes lines of any kind as data", () => {
    const { begin: start, write, caller, events } = setUp({ stream: true });
    start();
    caller.ready = false;
    assert.equal(write(begin), true, "nothing was written");
    assert.equal(write(said("a\n\nevent: done\ndata: {}\r\u2028")), false);
    assert.deepEqual(events(), [["text", { text: "a\n\nevent: done\ndata: {}\r\u2028" }]]);
  });
});

describe("an upstream that refuses", () => {
  const refusing = (status: number, body: string, headers: string[] = [], stream = false) => {
    const { begin: start, write, reply, caller, body: answer } = setUp({ stream });
    start(status, headers);
    write(body.slice(0, 5));
    reply.end(Buffer.from(body.slice(5)));
    const { type, message } = answer().error;
    assert.equal(answer().ok, false);
    return { status: caller.status, type, message, headers: caller.headers };
  };
  const error = (type: string, message = "Why.") =>
    JSON.stringify({ type: "error", error: { type, message }, request_id: "req_upstream" });

  it("is told in the one error shape, streamed or not, with a status an app can act on", () => {
    const table: [number, string, number, string, string?][] = [
      [400, "invalid_request_error", 400, "invalid_request_error"],
      [404, "not_found_error", 400, "invalid_request_error"],
      [413, "request_too_large", 413, "request_too_large"],
      [429, "rate_limit_error", 429, "rate_limit_error"],
      [408, "timeout_error", 504, "timeout_error"],
      [504, "timeout_error", 504, "timeout_error"],
      [500, "api_error", 502, "api_error"],
      [529, "overloaded_error", 502, "overloaded_error"],
      [302, "api_error", 502, "api_error"],
    ];
    for (const [status, type, shownStatus, shownType] of table) {
      for (const stream of [false, true]) {
        const shown = refusing(status, error(type), [], stream);
        assert.deepEqual(
          [shown.status, shown.type, shown.message],
          [shownStatus, shownType, "Why."],
        );
      }
    }
  });

  it("says nothing of the relay's own credential", () => {
    for (const status of [401, 402, 403]) {
      const shown = refusing(status, error("authentication_error", "invalid x-api-key sk-ant-1"));
      assert.deepEqual([shown.status, shown.type], [502, "api_error"]);
      assert.match(shown.message, /relay's own credential/);
    }
  });

  it("with something that is no error body is named by its status", () => {
    for (const body of ["<html>", "", "null", '{"error":null}', '"x"', "[]"]) {
      assert.equal(refusing(502, body).message, "Upstream answered 502.");
    }
  });

  it("passes its retry-after and x-should-retry; a 429 without has one", () => {
    const { headers } = refusing(429, error("rate_limit_error"), [
      "retry-after",
      "7",
      "x-should-retry",
      "true",
    ]);
    assert.deepEqual([headers["retry-after"], headers["x-should-retry"]], ["7", "true"]);
    assert.equal(refusing(429, error("rate_limit_error")).headers["retry-after"], "1");
    assert.equal(refusing(500, error("api_error")).headers["retry-after"], undefined);
  });
});

describe("an answer that breaks off", () => {
  it("is a 502, and the text so far is not taken for an answer", () => {
    for (const cut of ["breakOff", "end"] as const) {
      const { begin: start, write, reply, caller, body } = setUp();
      start();
      write(begin + said("The answer is"));
      reply[cut](null);
      assert.equal(caller.status, 502);
      assert.deepEqual(body(), brokeOff);
    }
  });

  it("ends a stream with an error event", () => {
    const { begin: start, write, reply, events, caller } = setUp({ stream: true });
    start();
    write(begin + said("The answer is"));
    reply.breakOff(null);
    assert.deepEqual(events().at(-1), ["error", brokeOff]);
    assert.equal(caller.ends, 1);
  });

  it("tells what upstream itself said of it", () => {
    const words: [string, number, string][] = [
      ["overloaded_error", 502, "overloaded_error"],
      ["timeout_error", 504, "timeout_error"],
      ["authentication_error", 502, "api_error"],
    ];
    for (const [type, status, shown] of words) {
      const broken = begin + event("error", { error: { type, message: "Why." } });
      const plain = setUp();
      plain.begin();
      plain.write(broken);
      plain.reply.end(null);
      assert.equal(plain.caller.status, status);
      assert.deepEqual(plain.body(), failed(shown, "Why."));
      const streamed = setUp({ stream: true });
      streamed.begin();
      streamed.write(broken);
      streamed.reply.breakOff(null);
      assert.deepEqual(streamed.events().at(-1), ["error", failed(shown, "Why.")]);
    }
  });

  it("says why in the line's last words, also after half an event", () => {
    const words = Buffer.from(event("error", { error: { type: "api_error", message: "Why." } }));
    for (const half of ["", 'event: content_block_delta\ndata: {"ty']) {
      const { begin: start, write, reply, events } = setUp({ stream: true });
      start();
      write(begin + said("The answer is") + half);
      reply.breakOff(words);
      assert.deepEqual(events().at(-1), ["error", failed("api_error", "Why.")]);
    }
  });

  it("keeps to the first reason told", () => {
    const { begin: start, write, reply, body } = setUp();
    start();
    write(begin + event("error", { error: { type: "overloaded_error", message: "First." } }));
    reply.breakOff(Buffer.from(event("error", { error: { type: "api_error", message: "Then." } })));
    assert.deepEqual(body(), failed("overloaded_error", "First."));
  });

  it("after its last word is whole, whatever the line says of it", () => {
    const words = Buffer.from(event("error", { error: { type: "api_error", message: "Why." } }));
    for (const lastWords of [null, words]) {
      const { begin: start, write, reply, body } = setUp();
      start();
      write(begin + said("Hi") + end());
      reply.breakOff(lastWords);
      assert.equal(body().text, "Hi");
    }
  });

  it("or was never a message is no answer, though upstream said 200", () => {
    for (const page of ["<html>Log in to the network</html>", '{"content":[]}', ""]) {
      const { begin: start, reply, caller, body } = setUp();
      start(200, ["content-type", "text/html"]);
      reply.end(Buffer.from(page));
      assert.equal(caller.status, 502);
      assert.deepEqual(body(), brokeOff);
    }
  });
});

describe("an answer under a schema", () => {
  const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
  const answer = (text: string, stop = "end_turn", more: Partial<CompleteRequest> = {}) => {
    const set = setUp({ json_schema: schema, ...more });
    set.begin();
    set.write(begin + said(text) + end(stop));
    set.reply.end(null);
    return set;
  };

  it("is given when it fits", () => {
    assert.deepEqual(answer('{"a":1}').body().result, { a: 1 });
    const last = answer('{"a":1}', "end_turn", { stream: true }).events().at(-1);
    assert.deepEqual(last, ["done", { ...common, result: { a: 1 }, usage }]);
  });

  it("is a 502 when it does not, which clients do not pay for twice by themselves", () => {
    for (const text of ['{"a":"1"}', '{"a":', "", "sorry"]) {
      const { body, caller } = answer(text);
      assert.deepEqual([caller.status, caller.headers["x-should-retry"]], [502, "false"]);
      assert.match(body().error.message, /does not fit json_schema/);
      assert.equal(body().ok, false);
    }
    assert.match(answer('{"a":', "max_tokens").body().error.message, /Allow more max_tokens/);
    const [name, last] = answer("{}", "end_turn", { stream: true }).events().at(-1) ?? [];
    assert.deepEqual([name, last.ok, last.error.type], ["error", false, "api_error"]);
  });

  it("is a 400 when checking it takes too long", () => {
    const slow = { pattern: "^(a+)+$" };
    const { body, caller } = answer(JSON.stringify(`${"a".repeat(60)}!`), "end_turn", {
      json_schema: slow,
    });
    assert.equal(caller.status, 400);
    assert.match(body().error.message, /Simplify/);
  });
});
