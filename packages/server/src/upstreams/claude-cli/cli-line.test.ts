import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCliLine } from "./cli-line.ts";

test("whatever stands on stdout is read without a throw", () => {
  const types = [
    "system",
    "stream_event",
    "result",
    "user",
    "control_response",
    "rate_limit_event",
  ];
  const line = fc.record({
    type: fc.oneof(fc.constantFrom(...types), fc.jsonValue()),
    subtype: fc.constantFrom("init", "api_retry", "model_refusal_no_fallback", "success"),
    event: fc.jsonValue(),
    response: fc.jsonValue(),
    modelUsage: fc.jsonValue(),
    rate_limit_info: fc.jsonValue(),
  });
  fc.assert(
    fc.property(line, (fields) => typeof readCliLine(JSON.stringify(fields)).kind === "string"),
  );
  fc.assert(fc.property(fc.string(), (text) => typeof readCliLine(text).kind === "string"));
});

test("what is no object with a type is garbage, what has an unknown one is not", () => {
  for (const text of ["", "x", "1", "null", "[]", "{}", '{"type":"system"', '"a"']) {
    assert.equal(readCliLine(text).kind, "garbage", text);
  }
  assert.equal(readCliLine('{"type":"tomorrow"}').kind, "other");
  // Its name goes into the event's first line: it must not bring another one.
  const event = { type: "message_stop\ndata: x" };
  assert.equal(readCliLine(JSON.stringify({ type: "stream_event", event })).kind, "garbage");
});

test("an agent's event and an abandoned end are told apart from the call's own", () => {
  const event = { type: "message_stop" };
  const read = (more: object) =>
    readCliLine(JSON.stringify({ type: "stream_event", event, ...more }));
  assert.deepEqual(read({}), { kind: "event", event, abandoned: false, nested: false });
  assert.deepEqual(read({ parent_tool_use_id: "toolu_1" }), {
    kind: "event",
    event,
    abandoned: false,
    nested: true,
  });
  assert.deepEqual(read({ parent_tool_use_id: null, abandoned_blocks: {} }), {
    kind: "event",
    event,
    abandoned: true,
    nested: false,
  });
});
