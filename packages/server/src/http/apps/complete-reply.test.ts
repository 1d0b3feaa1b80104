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

const setUp = (request: Partial<CompleteRequest> = {}, ownErrors = false) => {
  const caller = new NotedReply();
  const logged: string[] = [];
  const note = (fields: object, message: string) =>
    void logged.push(`${message} ${JSON.stringify(fields)}`);
  const cuts: string[] = [];
  const reply = new CompleteReply(caller, {
    id,
    wanted: () => ({
      request: { prompt: "x", ...request },
      model: "opus",
      modelId: "claude-opus-5-5" as ModelId,
    }),
    elapsedMs: () => 1234.6,
    ownErrors,
    log: { debug: note, info: note, warn: note, error: note, isLevelEnabled: () => true },
    closeSoon: () => void cuts.push("cut"),
  });
  return {
    caller,
    reply,
    logged,
    cuts,
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
    const unknown =
      'model: "opus" is not known upstream; use opus, sonnet, haiku or an id from GET /v1/models';
    const table: [number, string, number, string, string][] = [
      [400, "invalid_request_error", 400, "invalid_request_error", "Why."],
      [404, "not_found_error", 400, "invalid_request_error", unknown],
      [413, "request_too_large", 413, "request_too_large", "Why."],
      [429, "rate_limit_error", 429, "rate_limit_error", "Upstream's rate limit is used up."],
      [408, "timeout_error", 504, "timeout_error", "Why."],
      [504, "timeout_error", 504, "timeout_error", "Why."],
      [500, "api_error", 502, "api_error", "Upstream answered 500."],
      [
        ...[529, "overloaded_error", 502, "overloaded_error"],
        "Overloaded: upstream has too much to do now.",
      ] as [number, string, number, string, string],
      [302, "api_error", 502, "api_error", "Upstream answered 302."],
    ];
    for (const [status, type, shownStatus, shownType, says] of table) {
      for (const stream of [false, true]) {
        const shown = refusing(status, error(type), [], stream);
        assert.deepEqual([shown.status, shown.type, shown.message], [shownStatus, shownType, says]);
      }
    }
  });

  it("in our own words already is told as it stands", () => {
    for (const [status, type] of [
      [400, "invalid_request_error"],
      [429, "rate_limit_error"],
      [502, "api_error"],
      [503, "api_error"],
    ] as const) {
      const { begin: start, reply, caller, body } = setUp({}, true);
      start(status, []);
      reply.end(Buffer.from(error(type)));
      assert.deepEqual(
        [caller.status, body().error.type, body().error.message],
        [status, type, "Why."],
      );
    }
  });

  it("says nothing of the relay's own credential and account; the log does, without the key", () => {
    const invalid = "invalid_request_error";
    const refusals: [number, string, string][] = [
      [401, "authentication_error", "invalid x-api-key sk-ant-1"],
      [402, "billing_error", "Payment is due."],
      [403, "permission_error", "Your key has no such permission."],
      [400, "billing_error", "x"],
      [400, invalid, "Your credit balance is too low to access the Anthropic API."],
      [400, invalid, "This organization has been disabled."],
      [400, invalid, "You have reached your specified API usage limits. Access returns soon."],
    ];
    for (const [status, type, message] of refusals) {
      const { begin: start, reply, body, caller, logged } = setUp();
      start(status, []);
      reply.end(Buffer.from(error(type, message)));
      assert.equal(caller.status, 502, message);
      assert.deepEqual(
        body().error,
        failed(
          "api_error",
          "Upstream refused this relay's own credential or account. The operator's log says more.",
        ).error,
      );
      assert.equal(logged.length, 1);
      assert.ok(String(logged[0]).includes(message.replace("sk-ant-1", "…")), message);
    }
  });

  it("for the request's own sake is told in its words, which stay out of the log", () => {
    for (const message of [
      "max_tokens: 99 > 64, the maximum of your plan",
      "prompt is too long: 9 tokens > 8 maximum",
      "Output blocked by content filtering policy",
    ]) {
      const { begin: start, reply, body, caller, logged } = setUp();
      start(400, []);
      reply.end(Buffer.from(error("invalid_request_error", message)));
      assert.deepEqual([caller.status, body().error.message, logged], [400, message, []]);
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
    const refusedAccount =
      "Upstream refused this relay's own credential or account. The operator's log says more.";
    const words: [string, number, string, string][] = [
      ["overloaded_error", 502, "overloaded_error", "Overloaded: upstream has too much to do now."],
      ["timeout_error", 504, "timeout_error", "Why."],
      ["authentication_error", 502, "api_error", refusedAccount],
      ["permission_error", 502, "api_error", refusedAccount],
      ["billing_error", 502, "api_error", refusedAccount],
      ["api_error", 502, "api_error", "Upstream failed mid-answer."],
    ];
    for (const [type, status, shown, says] of words) {
      const broken = begin + event("error", { error: { type, message: "Why." } });
      const plain = setUp();
      plain.begin();
      plain.write(broken);
      plain.reply.end(null);
      assert.equal(plain.caller.status, status);
      assert.deepEqual(plain.body(), failed(shown, says));
      const streamed = setUp({ stream: true });
      streamed.begin();
      streamed.write(broken);
      streamed.reply.breakOff(null);
      assert.deepEqual(streamed.events().at(-1), ["error", failed(shown, says)]);
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

  it("in the middle of upstream's own error tells upstream's, in our words", () => {
    const { begin: start, write, reply, body } = setUp();
    start();
    write(begin + event("error", { error: { type: "billing_error", message: "org_1" } }).trimEnd());
    reply.breakOff(Buffer.from(event("error", { error: { type: "api_error", message: "Then." } })));
    assert.match(body().error.message, /own credential or account/);
  });

  it("does not keep the connection of a caller that does not read on", () => {
    for (const [stream, cut, cuts] of [
      [true, "breakOff", 1],
      [false, "breakOff", 1],
      [true, "end", 0],
    ] as const) {
      const set = setUp({ stream });
      set.begin();
      set.write(begin + said("The answer is"));
      set.reply[cut](null);
      assert.equal(set.cuts.length, cuts);
    }
  });

  it("keeps to the first reason told", () => {
    const { begin: start, write, reply, body } = setUp();
    start();
    write(begin + event("error", { error: { type: "overloaded_error", message: "First." } }));
    reply.breakOff(Buffer.from(event("error", { error: { type: "api_error", message: "Then." } })));
    assert.match(body().error.message, /^Overloaded/);
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

const nested = (depth: number, opens: string, closes: string): string =>
  `${opens.repeat(depth)}1${closes.repeat(depth)}`;

describe("an answer nested thousands deep", () => {
  const texts = [
    nested(3000, '{"0":', "}"),
    nested(2000, '[{"0":', "}]"),
    nested(3000, '{"toJSON":', "}"),
  ];

  it("is given as the text it is, and fits no schema", () => {
    for (const text of texts) {
      for (const [more, status] of [
        [{ output_format: "json" }, 200],
        [{ json_schema: {} }, 502],
      ] as const) {
        const { begin: start, write, reply, caller, body } = setUp(more);
        start();
        write(begin + said(text) + end());
        reply.end(null);
        assert.equal(caller.status, status);
        assert.equal(body().result, status === 200 ? text : undefined);
      }
    }
  });

  it("is given as its value up to a depth of 128", () => {
    const text = nested(128, '{"0":', "}");
    const { begin: start, write, reply, body } = setUp({ output_format: "json" });
    start();
    write(begin + said(text) + end());
    reply.end(null);
    assert.deepEqual(body().result, JSON.parse(text));
  });

  it("where upstream has texts is no text", () => {
    const deep = "[".repeat(50_000) + "]".repeat(50_000);
    const { begin: start, write, reply, body } = setUp();
    start();
    write(
      `${begin}event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":${deep}}}\n\n`,
    );
    write(
      `event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":${deep}}}\n\n`,
    );
    write(event("message_stop"));
    reply.end(null);
    assert.deepEqual([body().text, body().stop_reason], ["", null]);
  });
});

describe("what a caller was told, for the ledger,", () => {
  const toldBy = (request: Partial<CompleteRequest>, status: number, text: string) => {
    const { begin: start, reply, caller } = setUp(request);
    start(status);
    const told = reply.told(Buffer.from(text));
    reply.end(Buffer.from(text));
    return { told, caller };
  };

  it("is the status and error it saw, and telling changes nothing of the answer", () => {
    const misfit = begin + said("[1]") + end();
    const schema = { json_schema: { type: "object" } };
    const table: [Partial<CompleteRequest>, number, string, number, string | null][] = [
      [{}, 200, begin + said("x") + end(), 200, null],
      [schema, 200, misfit, 502, "api_error"],
      [{ ...schema, stream: true }, 200, misfit, 200, "api_error"],
      [{}, 200, begin, 502, "api_error"],
      [{}, 401, "{}", 502, "api_error"],
      [{ stream: true }, 429, "{}", 429, "rate_limit_error"],
    ];
    for (const [request, status, text, shown, errorType] of table) {
      const { told, caller } = toldBy(request, status, text);
      assert.deepEqual(told, { status: shown, errorType });
      assert.deepEqual([caller.status, caller.starts, caller.ends], [shown, 1, 1]);
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
