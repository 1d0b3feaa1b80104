import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Answer, type Verdict } from "./answer.ts";
import { type CliLine, readCliLine } from "./cli-line.ts";

const expected = {
  version: "2.1.329",
  model: "claude-haiku-5-5",
  credential: { kind: "api_key", key: "k" },
} as const;

const read = (line: object): CliLine => readCliLine(JSON.stringify(line));
const event = (type: string, more: object = {}, around: object = {}): CliLine =>
  read({ type: "stream_event", event: { type, ...more }, ...around });

const init = (changes: object = {}): CliLine =>
  read({
    type: "system",
    subtype: "init",
    ...{ tools: [], mcp_servers: [], slash_commands: [], agents: [], skills: [] },
    plugins: [{ name: "own", path: "builtin", source: "own@builtin" }],
    ...{ model: expected.model, claude_code_version: expected.version },
    apiKeySource: "ANTHROPIC_API_KEY",
    ...changes,
  });

const lines = {
  init: init(),
  badInit: init({ tools: ["Read"] }),
  start: event("message_start"),
  text: event("content_block_start", { content_block: { type: "text" } }),
  tool: event("content_block_start", { content_block: { type: "tool_use" } }),
  delta: event("content_block_delta", { delta: { type: "text_delta", text: "x" } }),
  half: event("message_delta", { delta: { stop_reason: null }, usage: { output_tokens: 1 } }),
  stopping: event("message_delta", { delta: { stop_reason: "end_turn" } }),
  stop: event("message_stop"),
  abandoned: event("message_stop", {}, { abandoned_blocks: {} }),
  nested: event("message_start", {}, { parent_tool_use_id: "toolu_1" }),
  user: read({ type: "user" }),
  asks: read({ type: "control_request", request: {} }),
  retry: read({ type: "system", subtype: "api_retry", error_status: 529 }),
  renewed: read({ type: "system", subtype: "api_retry", error_status: 401 }),
  refusal: read({
    type: "system",
    subtype: "model_refusal_no_fallback",
    api_refusal_category: "cyber",
  }),
  over: read({ type: "result", subtype: "error_max_budget_usd", is_error: true }),
  overloaded: read({
    type: "result",
    subtype: "success",
    is_error: true,
    api_error_status: 529,
    result: "API Error: Overloaded",
  }),
  garbage: readCliLine("garbage"),
  other: read({ type: "system", subtype: "status" }),
} as const satisfies Record<string, CliLine>;

/** Plays lines until a verdict. */
const play = (names: readonly (keyof typeof lines)[]) => {
  let text = "";
  const onEvent = (bytes: Buffer): void => {
    text += bytes;
  };
  const answer = new Answer({ expected, now: () => 0, onEvent });
  let verdict: Verdict | null = null;
  for (const name of names) {
    verdict = answer.take(lines[name]);
    if (verdict !== null) {
      break;
    }
  }
  const said = [...text.matchAll(/^event: (.+)$/gm)].map(([, type]) => type);
  return { verdict, said, text };
};

test("whatever a process says, at most one message goes out, and a whole one ends as such", () => {
  const names = fc.constantFrom(...(Object.keys(lines) as (keyof typeof lines)[]));
  const begun = fc.constantFrom([], ["init"], ["init", "start", "text", "delta"] as const);
  fc.assert(
    fc.property(begun, fc.array(names, { maxLength: 12 }), (before, after) => {
      const { verdict, said, text } = play([...before, ...after] as (keyof typeof lines)[]);
      assert.ok(said.filter((type) => type === "message_start").length <= 1);
      assert.ok(said.length === 0 || said[0] === "message_start");
      assert.equal(verdict?.kind === "whole", said.at(-1) === "message_stop");
      assert.ok(!said.slice(0, -1).includes("message_stop"));
      assert.doesNotMatch(text, /tool_use/);
    }),
    { numRuns: 2_000 },
  );
});

test("only what the init line shows, or an agent, is a breach: a model's whim closes no door", () => {
  const verdictAfter = (name: keyof typeof lines) => play(["init", "start", name]).verdict?.kind;
  assert.equal(play(["badInit"]).verdict?.kind, "breach");
  assert.equal(play(["start"]).verdict?.kind, "breach");
  assert.equal(verdictAfter("nested"), "breach");
  for (const name of ["tool", "user", "asks", "retry", "renewed", "start", "garbage"] as const) {
    assert.equal(verdictAfter(name), "broken", name);
  }
});

test("a login's token may be renewed before the answer begins", () => {
  const { verdict } = play(["init", "renewed", "start", "text", "stopping", "stop"]);
  assert.deepEqual(verdict, { kind: "whole" });
});

test("a refusal, whose end Claude Code hides, ends as the API ends it", () => {
  const { verdict, text } = play(["init", "start", "refusal", "half", "abandoned", "over"]);
  assert.deepEqual(verdict, { kind: "whole" });
  assert.match(text, /"stop_reason":"refusal".*"category":"cyber".*"output_tokens":1/);
  assert.match(text, /event: message_stop\n/);
});

test("a count in the middle of a message goes out, one of Claude Code's own end does not", () => {
  const through = play(["init", "start", "half", "delta", "stopping", "stop"]);
  assert.equal(through.said.filter((type) => type === "message_delta").length, 2);
  const own = play(["init", "start", "half", "abandoned", "overloaded"]);
  assert.deepEqual(own.said, ["message_start"]);
  assert.equal(own.verdict?.kind, "error");
});
