import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { ask, post, scenario, startSimulator } from "./test-setup.ts";

const said = (content: string) =>
  `[simulator] This answer comes from claude-relay's built-in simulator, not from Claude. You said: ${content}`;

test("an answer says that it comes from the simulator and echoes the prompt", async (t) => {
  const { client } = await startSimulator(t);
  const { data, request_id, response } = await client.messages.create(ask("Hi 🦊")).withResponse();
  assert.deepEqual(data.content, [{ type: "text", text: said("Hi 🦊"), citations: null }]);
  assert.equal(data.model, "claude-haiku-4-5-20251001");
  assert.equal(data.stop_reason, "end_turn");
  assert.match(request_id ?? "", /^req_\w{20,}$/);
  assert.equal(response.headers.get("content-type"), "application/json");
  for (const kind of ["requests", "tokens", "input-tokens", "output-tokens"]) {
    const limit = Number(response.headers.get(`anthropic-ratelimit-${kind}-limit`));
    const remaining = Number(response.headers.get(`anthropic-ratelimit-${kind}-remaining`));
    assert.ok(remaining < limit, `${kind}: ${remaining} of ${limit}`);
    assert.match(
      response.headers.get(`anthropic-ratelimit-${kind}-reset`) ?? "",
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
  }
});

test("the streamed answer is the same message as the plain one", async (t) => {
  const { client } = await startSimulator(t);
  const plain = await client.messages.create(ask("Hello, 🌍!"));
  const streamed = await client.messages.stream(ask("Hello, 🌍!")).finalMessage();
  const text = (message: Anthropic.Message) =>
    message.content.map((block) => (block.type === "text" ? block.text : block.type)).join();
  assert.equal(text(streamed), text(plain));
  assert.deepEqual(streamed.usage.output_tokens, plain.usage.output_tokens);
  assert.deepEqual(streamed.usage.input_tokens, plain.usage.input_tokens);
  assert.equal(streamed.stop_reason, "end_turn");
});

test("thinking comes before the text, signed", async (t) => {
  const { client } = await startSimulator(t);
  const body = { ...ask("Why?"), max_tokens: 4096 };
  const message = await client.messages
    .stream({ ...body, thinking: { type: "enabled", budget_tokens: 1024 } })
    .finalMessage();
  const [thinking, text] = message.content;
  assert.ok(thinking?.type === "thinking" && text?.type === "text");
  assert.match(thinking.thinking, /Thinking about: Why\?/);
  assert.ok(thinking.signature.length > 20);
  assert.ok((message.usage.output_tokens_details?.thinking_tokens ?? 0) > 0);

  const omitted = await client.messages.create({
    ...body,
    thinking: { type: "adaptive", display: "omitted" },
  });
  const [hidden] = omitted.content;
  assert.ok(hidden?.type === "thinking" && hidden.thinking === "" && hidden.signature !== "");
});

const tools: Anthropic.Tool[] = [
  {
    name: "get_weather",
    input_schema: {
      type: "object",
      properties: { city: { type: "string" }, unit: { enum: ["C", "F"] } },
      required: ["city", "unit"],
    },
  },
];

test("a tool asked for is used, and its result is quoted in the next answer", async (t) => {
  const { client } = await startSimulator(t);
  const question = 'Please use tool get_weather {"city": "Graz {Styria}", "unit": "C"} now';
  const first = await client.messages.stream({ ...ask(question), tools }).finalMessage();
  assert.equal(first.stop_reason, "tool_use");
  const use = first.content.find((block) => block.type === "tool_use");
  assert.deepEqual(use?.input, { city: "Graz {Styria}", unit: "C" });

  const second = await client.messages.create({
    ...ask(question),
    tools,
    messages: [
      { role: "user", content: question },
      { role: "assistant", content: first.content },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: use?.id ?? "", content: "21 °C, dry" }],
      },
    ],
  });
  assert.equal(second.stop_reason, "end_turn");
  assert.match(JSON.stringify(second.content), /The tool said: 21 °C, dry/);
});

test("a tool asked for without input gets one from its schema", async (t) => {
  const { client } = await startSimulator(t);
  const message = await client.messages.create({ ...ask("use tool get_weather"), tools });
  const use = message.content.find((block) => block.type === "tool_use");
  assert.deepEqual(use?.input, { city: "simulator", unit: "C" });
});

test("tool_choice forces and forbids a tool", async (t) => {
  const { client } = await startSimulator(t);
  const stopReason = async (content: string, tool_choice: Anthropic.ToolChoice) =>
    (await client.messages.create({ ...ask(content), tools, tool_choice })).stop_reason;
  assert.equal(await stopReason("hi", { type: "any" }), "tool_use");
  assert.equal(await stopReason("hi", { type: "tool", name: "get_weather" }), "tool_use");
  assert.equal(await stopReason("hi", { type: "auto" }), "end_turn");
  assert.equal(await stopReason("use tool get_weather", { type: "none" }), "end_turn");
});

test("tokens are counted as the answer will bill them", async (t) => {
  const { client } = await startSimulator(t);
  const { max_tokens: _, ...body } = { ...ask("How many?"), system: "Be brief.", tools };
  const { input_tokens } = await client.messages.countTokens(body);
  const { usage } = await client.messages.create({ ...body, max_tokens: 100 });
  assert.ok(input_tokens > 0);
  assert.equal(usage.input_tokens, input_tokens);
});

test("the model list pages to its end, both ways, without loss", async (t) => {
  const { client } = await startSimulator(t);
  const whole = await client.models.list({ limit: 1000 });
  assert.equal(whole.has_more, false);
  const ids = whole.data.map(({ id }) => id);
  assert.ok(ids.includes("claude-opus-5-5"));
  const paged: string[] = [];
  for await (const { id } of client.models.list({ limit: 4 })) {
    paged.push(id);
  }
  assert.deepEqual(paged, ids);
  const before = await client.models.list({ limit: 3, before_id: ids[5] ?? "" });
  assert.deepEqual(
    before.data.map(({ id }) => id),
    ids.slice(2, 5),
  );
  assert.equal(before.has_more, true);
  assert.equal(before.first_id, ids[2]);
  assert.equal(before.last_id, ids[4]);
});

test("a model is found by id and by alias, and an unknown one is not", async (t) => {
  const { client } = await startSimulator(t);
  const model = await client.models.retrieve("claude-sonnet-4-5");
  assert.equal(model.id, "claude-sonnet-4-5-20250929");
  assert.equal(model.display_name, "Claude Sonnet 4.5");
  await assert.rejects(client.models.retrieve("gpt-7"), Anthropic.NotFoundError);
  await assert.rejects(
    client.messages.create({ ...ask("hi"), model: "claude-none" }),
    (error: unknown) =>
      error instanceof Anthropic.NotFoundError && error.apiMessage === "model: claude-none",
  );
});

const errorClasses = [
  ["400", Anthropic.BadRequestError, "invalid_request_error"],
  ["401", Anthropic.AuthenticationError, "authentication_error"],
  ["403", Anthropic.PermissionDeniedError, "permission_error"],
  ["404", Anthropic.NotFoundError, "not_found_error"],
  ["413", Anthropic.APIError, "request_too_large"],
  ["429:7", Anthropic.RateLimitError, "rate_limit_error"],
  ["500", Anthropic.InternalServerError, "api_error"],
  ["529", Anthropic.InternalServerError, "overloaded_error"],
] as const;

for (const [name, errorClass, type] of errorClasses) {
  test(`scenario ${name} is the SDK's ${errorClass.name} with ${type}`, async (t) => {
    const { client } = await startSimulator(t);
    await assert.rejects(client.messages.create(ask("hi"), scenario(name)), (error: unknown) => {
      assert.ok(error instanceof errorClass && error instanceof Anthropic.APIError);
      assert.equal(error.status, Number.parseInt(name, 10));
      assert.equal(error.type, type);
      assert.match(error.requestID ?? "", /^req_/);
      const { request_id } = error.error as { request_id: string };
      assert.equal(request_id, error.requestID);
      if (name === "429:7") {
        assert.equal(error.headers?.get("retry-after"), "7");
        assert.equal(error.headers?.get("anthropic-ratelimit-requests-remaining"), "0");
      }
      return true;
    });
  });
}

test("the SDK's retries get past a failure of the first requests", async (t) => {
  const { client, simulator } = await startSimulator(t);
  const retrying = client.withOptions({ maxRetries: 2 });
  const message = await retrying.messages.create(ask("hi"), scenario("first-n:1:529"));
  assert.equal(message.stop_reason, "end_turn");
  assert.equal(simulator.counters().requests, 2);
});

test("an error event after the start is thrown with its type", async (t) => {
  const { client } = await startSimulator(t);
  const stream = client.messages.stream(ask("hi"), scenario("error-after-start"));
  await assert.rejects(
    stream.finalMessage(),
    (error: unknown) => error instanceof Anthropic.APIError && error.type === "overloaded_error",
  );
});

test("a stream the client aborts is counted as aborted, and billed for what was said", async (t) => {
  const { client, simulator } = await startSimulator(t);
  const stream = client.messages.stream(ask("hi"), scenario("stall:5"));
  stream.on("abort", () => {});
  await simulator.until(({ openStreams }) => openStreams === 1);
  for await (const event of stream) {
    if (event.type === "content_block_delta") {
      break;
    }
  }
  await simulator.until(({ aborted, open }) => aborted === 1 && open === 0);
  const [bill] = [...simulator.bills.values()];
  assert.equal(bill?.complete, false);
  assert.ok((bill?.usage.output_tokens ?? 0) > 1);
});

test("only accepted keys are let in, by either header, and the log shows which came", async (t) => {
  const { baseURL, client, simulator } = await startSimulator(t, { acceptKeys: ["master"] });
  await assert.rejects(client.messages.create(ask("hi")), Anthropic.AuthenticationError);
  // SDKs since 1.0 send the API key as a bearer token, older ones and Claude Code as x-api-key.
  assert.equal((await post(baseURL, ask("hi"), { "x-api-key": "master" })).status, 200);
  await new Anthropic({ baseURL, apiKey: "master" }).messages.create(ask("hi"));
  assert.equal(simulator.log[1]?.headers["x-api-key"], "master");
  assert.equal(simulator.log[2]?.headers.authorization, "Bearer master");
  assert.deepEqual(JSON.parse(String(simulator.log[2]?.body)), ask("hi"));
});

test("without recording, nothing of a request is kept", async (t) => {
  const { client, simulator } = await startSimulator(t, { record: false });
  await client.messages.create(ask("secret"));
  await simulator.until(({ answered }) => answered === 1);
  assert.equal(simulator.log.length, 0);
  assert.equal(simulator.bills.size, 0);
});

test("usage-heavy bills iterations of several models, server tools and a priority tier", async (t) => {
  const { client } = await startSimulator(t);
  const message = await client.beta.messages.create(ask("hi"), scenario("usage-heavy"));
  const { usage } = message;
  assert.equal(usage.service_tier, "priority");
  assert.equal(usage.inference_geo, "us");
  assert.deepEqual(usage.server_tool_use, { web_search_requests: 1, web_fetch_requests: 1 });
  const own = (usage.iterations ?? []).filter(({ type }) => type === "message");
  const sum = (field: "input_tokens" | "output_tokens") =>
    own.reduce((total, iteration) => total + iteration[field], 0);
  assert.equal(sum("input_tokens"), usage.input_tokens);
  assert.equal(sum("output_tokens"), usage.output_tokens);
  assert.ok(own.every(({ input_tokens, output_tokens }) => input_tokens > 0 && output_tokens > 0));
  const streamed = await client.beta.messages
    .stream(ask("hi"), scenario("usage-heavy"))
    .finalMessage();
  assert.deepEqual(streamed.usage.iterations?.length, 3);
  assert.equal(streamed.usage.output_tokens, usage.output_tokens);
});
