import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ask, post, startSimulator } from "./test-setup.ts";

type Answer = {
  content: { type: string; text: string }[];
  stop_reason: string;
  stop_sequence: string | null;
  usage: Record<string, number> & { cache_creation: Record<string, number> };
};

const refusals: readonly (readonly [string, unknown, string])[] = [
  ["a body that is no JSON", "{", "The request body is not valid JSON: "],
  ["a body that is no object", "[]", "Input should be a valid dictionary"],
  ["no model", { ...ask("hi"), model: undefined }, "model: Field required"],
  [
    "a model that is no string",
    { ...ask("hi"), model: 5 },
    "model: Input should be a valid string",
  ],
  ["no messages", { ...ask("hi"), messages: undefined }, "messages: Field required"],
  ["empty messages", { ...ask("hi"), messages: [] }, "messages: at least one message is required"],
  [
    "an unknown role",
    { ...ask("hi"), messages: [{ role: "tool", content: "x" }] },
    "messages.0.role: Input should be 'user', 'assistant' or 'system'",
  ],
  [
    "a user message without content",
    { ...ask("hi"), messages: [{ role: "user" }] },
    "messages.0.content: Field required",
  ],
  [
    "an empty user message",
    { ...ask("hi"), messages: [{ role: "user", content: [] }] },
    "messages.0: all messages must have non-empty content except",
  ],
  [
    "an empty text block",
    { ...ask("hi"), messages: [{ role: "user", content: [{ type: "text", text: "" }] }] },
    "messages: text content blocks must be non-empty",
  ],
  ["no max_tokens", { ...ask("hi"), max_tokens: undefined }, "max_tokens: Field required"],
  [
    "a negative max_tokens",
    { ...ask("hi"), max_tokens: -1 },
    "max_tokens: Input should be greater than or equal to 0",
  ],
  [
    "more max_tokens than the model has",
    { ...ask("hi"), max_tokens: 64_001 },
    "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5-20251001",
  ],
  ["a stream that is no boolean", { ...ask("hi"), stream: "yes" }, "stream: Input should be"],
  [
    "a tool without schema",
    { ...ask("hi"), tools: [{ name: "t" }] },
    "tools.0.custom.input_schema: Field required",
  ],
  ["tool_choice without tools", { ...ask("hi"), tool_choice: { type: "any" } }, "tool_choice: "],
  [
    "a thinking budget too small",
    { ...ask("hi"), thinking: { type: "enabled", budget_tokens: 5 } },
    "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
  ],
  [
    "a thinking budget over max_tokens",
    { ...ask("hi"), thinking: { type: "enabled", budget_tokens: 1024 } },
    "`max_tokens` must be greater than `thinking.budget_tokens`",
  ],
  [
    "a tool result without its use",
    {
      ...ask("hi"),
      messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1" }] }],
    },
    "messages.0.content: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.",
  ],
  [
    "a tool use without its result",
    {
      ...ask("hi"),
      messages: [
        { role: "user", content: "hi" },
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "t", input: {} }] },
        { role: "user", content: "and?" },
      ],
    },
    "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
  ],
  [
    "a prompt longer than the model's context",
    ask("x".repeat(900_000)),
    "prompt is too long: 225003 tokens > 200000 maximum",
  ],
];

for (const [what, body, message] of refusals) {
  test(`${what} is refused in the API's words`, async (t) => {
    const { baseURL } = await startSimulator(t);
    const response = await post(baseURL, body);
    assert.equal(response.status, 400);
    assert.equal(response.headers.get("x-should-retry"), "false");
    const answer = (await response.json()) as {
      type: string;
      error: { type: string; message: string };
      request_id: string;
    };
    assert.equal(answer.type, "error");
    assert.equal(answer.error.type, "invalid_request_error");
    assert.equal(answer.error.message.slice(0, message.length), message);
    assert.equal(answer.request_id, response.headers.get("request-id"));
  });
}

test("what Claude Code sends is accepted: system messages without content, empty tools, unknown fields", async (t) => {
  const { baseURL } = await startSimulator(t);
  const response = await post(baseURL, {
    ...ask("hi"),
    tools: [],
    context_management: { edits: [] },
    messages: [
      { role: "user", content: [{ type: "text", text: "hello there" }] },
      { role: "system", content: [], output_config: { effort: "low" } },
      { role: "system" },
    ],
  });
  assert.equal(response.status, 200);
  assert.match(await response.text(), /You said: hello there/);
});

test("without credential 401, without version 400, elsewhere 404", async (t) => {
  const { baseURL } = await startSimulator(t);
  const send = async (path: string, headers: Record<string, string>, method = "POST") => {
    const body = method === "POST" ? JSON.stringify(ask("hi")) : null;
    const response = await fetch(baseURL + path, { method, headers, body });
    return [response.status, (await response.text()).replace(/,"request_id.*/, "")];
  };
  assert.deepEqual(await send("/v1/messages", { "anthropic-version": "2023-06-01" }), [
    401,
    '{"type":"error","error":{"type":"authentication_error","message":"x-api-key header is required"}',
  ]);
  assert.deepEqual(await send("/v1/messages", { "x-api-key": "k" }), [
    400,
    '{"type":"error","error":{"type":"invalid_request_error","message":"anthropic-version: header is required"}',
  ]);
  assert.equal((await send("/v1/complete", { "x-api-key": "k" }))[0], 404);
  assert.equal((await send("/v1/messages", {}, "GET"))[0], 404);
  assert.deepEqual(await send("/", {}, "HEAD"), [200, ""]);
  assert.deepEqual(await send("/api/hello", {}, "HEAD"), [200, ""]);
});

test("version 2026-10-21 no longer takes temperature, 2023-06-01 does", async (t) => {
  const { baseURL } = await startSimulator(t);
  const status = async (version: string) => {
    const headers = { "anthropic-version": version };
    return (await post(baseURL, { ...ask("hi"), temperature: 1 }, headers)).status;
  };
  assert.equal(await status("2023-06-01"), 200);
  assert.equal(await status("2026-10-21"), 400);
  assert.equal(await status("2020-01-01"), 400);
});

test("a body over 32 MiB is 413, one just under is read", async (t) => {
  const { baseURL, simulator } = await startSimulator(t, { record: false });
  const over = await post(baseURL, "x".repeat(32 * 1024 * 1024 + 1));
  assert.equal(over.status, 413);
  assert.match(await over.text(), /request_too_large/);
  const under = await post(baseURL, "x".repeat(32 * 1024 * 1024));
  assert.equal(under.status, 400);
  assert.equal(simulator.counters().requests, 1);
});

const answerTo = async (baseURL: string, body: object): Promise<Answer> =>
  (await (await post(baseURL, body)).json()) as Answer;

test("max_tokens cuts the answer, exactly", async (t) => {
  const { baseURL } = await startSimulator(t);
  for (const maxTokens of [0, 1, 3, 12]) {
    const answer = await answerTo(baseURL, { ...ask("hi"), max_tokens: maxTokens });
    assert.equal(answer.stop_reason, "max_tokens");
    assert.equal(answer.usage["output_tokens"], maxTokens);
    assert.equal(answer.content.map(({ text }) => text).join("").length, maxTokens * 4);
  }
});

test("a stop sequence ends the answer before it", async (t) => {
  const { baseURL } = await startSimulator(t);
  const answer = await answerTo(baseURL, {
    ...ask("one two"),
    stop_sequences: ["zzz", " two", " one"],
  });
  assert.equal(answer.stop_reason, "stop_sequence");
  assert.equal(answer.stop_sequence, " one");
  assert.match(answer.content[0]?.text ?? "", /You said:$/);
});

test("a structured answer is valid JSON of its schema", async (t) => {
  const { baseURL } = await startSimulator(t);
  const schema = {
    type: "object",
    required: ["title", "count", "tags", "kind", "when", "who"],
    properties: {
      title: { type: "string", maxLength: 5 },
      count: { type: "integer", minimum: 3 },
      tags: { type: "array", items: { type: "boolean" }, minItems: 2 },
      kind: { enum: ["a", "b"] },
      when: { type: "string", format: "date" },
      who: { $ref: "#/$defs/person" },
      unneeded: { type: "string" },
    },
    $defs: {
      person: { type: "object", required: ["name"], properties: { name: { const: "Ada" } } },
    },
  };
  const answer = await answerTo(baseURL, {
    ...ask("Give me one"),
    output_config: { format: { type: "json_schema", schema } },
  });
  assert.deepEqual(JSON.parse(answer.content[0]?.text ?? ""), {
    title: "simul",
    count: 3,
    tags: [true, true],
    kind: "a",
    when: "2026-01-01",
    who: { name: "Ada" },
  });
});

test("a refusal has its own stop reason and no text", async (t) => {
  const { baseURL } = await startSimulator(t);
  const answer = await answerTo(baseURL, { ...ask("hi"), model: "claude-sim-refusal" });
  assert.equal(answer.stop_reason, "refusal");
  assert.deepEqual(answer.content, []);
});

test("an empty answer has no content, and ends as any other", async (t) => {
  const { baseURL } = await startSimulator(t);
  const answer = await answerTo(baseURL, { ...ask("hi"), model: "claude-sim-empty" });
  assert.equal(answer.stop_reason, "end_turn");
  assert.deepEqual(answer.content, []);
});

test("a scenario asks for a tool that was not offered, with the prompt's object", async (t) => {
  const { baseURL } = await startSimulator(t);
  const model = "claude-sim-tool:mcp__x__y";
  for (const [prompt, input] of [
    ['take {"a":{"b":"}"}} now', { a: { b: "}" } }],
    ["take nothing", {}],
  ] as const) {
    const answer = await answerTo(baseURL, { ...ask(prompt), model });
    assert.equal(answer.stop_reason, "tool_use");
    const [block] = answer.content as unknown as [Record<string, unknown>];
    assert.deepEqual([block["name"], block["input"]], ["mcp__x__y", input]);
  }
});

test("whatever stands in the fields of a body, the simulator answers and does not break", async (t) => {
  const { baseURL } = await startSimulator(t, { record: false });
  const fields = [
    ["max_tokens", "messages", "model", "output_config", "stop_sequences", "stream", "system"],
    ["cache_control", "inference_geo", "speed", "thinking", "tool_choice", "tools"],
  ].flat();
  const block = fc.record(
    {
      type: fc.constantFrom("text", "tool_use", "tool_result", "image", "thinking", "new"),
      text: fc.jsonValue(),
      content: fc.jsonValue(),
      source: fc.jsonValue(),
      cache_control: fc.jsonValue(),
      citations: fc.jsonValue(),
    },
    { requiredKeys: ["type"] },
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.array(block),
    fc.array(
      fc.record({ role: fc.constantFrom("user", "assistant", "system"), content: fc.array(block) }),
    ),
    fc.array(
      fc.record({ name: fc.jsonValue(), input_schema: fc.jsonValue(), type: fc.jsonValue() }),
    ),
    fc.record({
      type: fc.constantFrom("any", "tool", "enabled", "adaptive"),
      name: fc.jsonValue(),
    }),
    fc.record({ format: fc.record({ type: fc.constant("json_schema"), schema: fc.jsonValue() }) }),
  );
  const changes = fc.array(fc.tuple(fc.constantFrom(...fields), value), {
    minLength: 1,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(
      changes,
      fc.constantFrom("2023-06-01", "2026-10-21"),
      async (changed, version) => {
        const body = { ...ask("use tool x"), ...Object.fromEntries(changed) };
        const response = await post(baseURL, body, { "anthropic-version": version });
        assert.ok([200, 400, 404].includes(response.status), await response.clone().text());
        await response.text();
      },
    ),
    { numRuns: 500 },
  );
});

test("bytes that are no UTF-8 are refused", async (t) => {
  const { baseURL } = await startSimulator(t);
  const response = await fetch(`${baseURL}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "k", "anthropic-version": "2023-06-01" },
    body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  });
  assert.equal(response.status, 400);
  assert.match(await response.text(), /not valid JSON/);
});
