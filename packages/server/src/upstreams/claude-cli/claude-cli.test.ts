import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNothingLeft, type Fake, idle, plain, startFakeCli } from "./test-setup.ts";

test("a call is answered with the message's events, byte for byte as server-sent ones", async (t) => {
  const { cli, ask, tempRoot } = startFakeCli(t, plain);
  const { received, exchange } = ask("hello");
  await received.over;
  assert.equal(received.status, 200);
  assert.equal(received.headers["content-type"], "text/event-stream; charset=utf-8");
  assert.ok(received.ended);
  assert.equal(exchange.sent, true);
  const events = received.text.split("\n\n").filter(Boolean);
  assert.deepEqual(
    events.map((event) => /^event: (\w+)\ndata: \{"type":"(\w+)"/.exec(event)?.slice(1, 3)),
    [
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ].map((type) => [type, type]),
  );
  assert.match(received.text, /You said:\\nhello/);
  await idle(cli);
  assertNothingLeft(tempRoot);
});

test("system prompt, model and max_tokens reach the process over stdin, with the locks", async (t) => {
  const { ask } = startFakeCli(t, async (fake) => {
    const { model, settings } = await fake.call();
    fake.init();
    fake.answer(JSON.stringify({ model, settings, argv: process.argv }));
  });
  const { received } = ask("hello", { model: "claude-opus-5-5", max_tokens: 77, system: "SECRET" });
  await received.over;
  assert.match(received.text, /CLAUDE_CODE_MAX_OUTPUT_TOKENS[\\":]+77/);
  assert.match(received.text, /model[\\":]+claude-opus-5-5/);
  assert.match(received.text, /disableAllHooks[\\":]+true/);
  assert.doesNotMatch(received.text, /SECRET|sk-ant-secret/);
});

test("an event too deep to be written again breaks the call off, and not the relay", async (t) => {
  const { ask, cli } = startFakeCli(t, async (fake) => {
    await fake.call();
    fake.init();
    const deep = `${'{"0":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    fake.raw(
      `{"type":"stream_event","parent_tool_use_id":null,"event":{"type":"message_start","message":${deep}}}\n`,
    );
    await fake.hang();
  });
  const { received } = ask("hello");
  await received.over;
  assert.equal(received.failure?.kind, "unreachable");
  await idle(cli);
});

test("a receiver that fails does not end the relay, and its place is free again", async (t) => {
  const { cli, ask } = startFakeCli(t, plain);
  const { received, exchange } = ask("hello");
  received.onEnd = () => {
    throw new RangeError("Maximum call stack size exceeded");
  };
  await idle(cli);
  assert.ok(received.text.includes("message_stop"));
  // Its time limit still runs, since nobody took the end.
  exchange.cancel();
});

for (const [what, more, field] of [
  [
    "a second message",
    {
      messages: [
        { role: "user", content: "a" },
        { role: "user", content: "b" },
      ],
    },
    "messages",
  ],
  [
    "content in blocks",
    { messages: [{ role: "user", content: [{ type: "text", text: "a" }] }] },
    "messages.0.content",
  ],
  [
    "an assistant's message",
    { messages: [{ role: "assistant", content: "a" }] },
    "messages.0.role",
  ],
  ["a blank prompt", { messages: [{ role: "user", content: " \n" }] }, "messages.0.content"],
  ["tools", { tools: [] }, "tools"],
  ["a system prompt in blocks", { system: [{ type: "text", text: "a" }] }, "system"],
  ["no stream", { stream: false }, "stream"],
  ["a max_tokens of 0", { max_tokens: 0 }, "max_tokens"],
  ["a model that looks like a flag", { model: "--bare" }, "model"],
] as const) {
  test(`${what} is refused with the field's name, and no process is started`, async (t) => {
    const { ask, cli } = startFakeCli(t, plain);
    const { received, exchange } = ask("hello", more);
    assert.equal(received.status, 0, "not before send has returned");
    await received.over;
    assert.equal(received.status, 400);
    const { error } = JSON.parse(received.text);
    assert.equal(error.type, "invalid_request_error");
    assert.ok(error.message.startsWith(`${field}: `), error.message);
    assert.equal(exchange.sent, false);
    assert.equal(cli.status().running, 0);
  });
}

for (const [what, changes] of [
  ["a tool", { tools: ["Read"] }],
  ["an MCP server", { mcp_servers: [{ name: "x" }] }],
  ["a command", { slash_commands: ["init"] }],
  ["an agent", { agents: ["x"] }],
  ["a skill", { skills: ["x"] }],
  ["no list of tools at all", { tools: undefined }],
  ["a plugin", { plugins: [{ name: "x", path: "/x", source: "x@here" }] }],
  ["another version", { claude_code_version: "2.1.330" }],
  ["another credential", { apiKeySource: "apiKeyHelper" }],
] as const) {
  test(`a process that lists ${what} is killed before it is heard, and the door closes`, async (t) => {
    const play = `async (fake) => {
      await fake.call();
      fake.init(${JSON.stringify(changes, (_, value) => value ?? null)});
      fake.answer("hello");
      await fake.hang();
    }`;
    const { ask, cli, tempRoot } = startFakeCli(t, new Function(`return ${play}`)());
    const { received } = ask("hello");
    await received.over;
    assert.equal(received.status, 0);
    assert.equal(received.text, "");
    assert.equal(received.failure?.kind, "unreachable");
    await idle(cli);
    assertNothingLeft(tempRoot);
    assert.match(cli.status().closedBecause ?? "", /did not keep to its locks/);
    const next = ask("again");
    await next.received.over;
    assert.equal(next.received.status, 503);
    assert.match(next.received.text, /did not keep to its locks/);
  });
}

for (const [what, play] of [
  [
    "a second message_start",
    async (fake: Fake) => {
      await fake.call();
      fake.init();
      fake.answer("one", true);
      fake.answer("two");
      await fake.hang();
    },
  ],
  [
    "a turn of Claude Code's own",
    async (fake: Fake) => {
      await fake.call();
      fake.init();
      fake.answer("one", true);
      fake.say({ type: "user", message: { role: "user", content: "go on" } });
      await fake.hang();
    },
  ],
  [
    "a tool use",
    async (fake: Fake) => {
      await fake.call();
      fake.init();
      fake.answer("one", true);
      const content_block = { type: "tool_use", name: "Bash" };
      fake.event({ type: "content_block_start", index: 1, content_block });
      await fake.hang();
    },
  ],
] as const) {
  test(`${what} breaks the answer off, and the door stays open`, async (t) => {
    const { ask, cli } = startFakeCli(t, play);
    const { received } = ask("hello");
    await received.over;
    assert.equal(received.status, 200);
    assert.equal(received.failure?.sent, true);
    assert.doesNotMatch(received.text, /two|go on|Bash|message_stop/);
    assert.equal(cli.status().closedBecause, null);
    await idle(cli);
  });
}

test("a model that Claude Code would replace is refused, and the door stays open", async (t) => {
  const { ask, cli } = startFakeCli(t, async (fake) => {
    await fake.call();
    fake.init({ model: "claude-other" });
    fake.answer("hello");
  });
  const { received } = ask("hello");
  await received.over;
  assert.equal(received.status, 400);
  assert.match(received.text, /model: Claude Code would answer with another model/);
  assert.equal(cli.status().closedBecause, null);
});

for (const [what, result, status, type] of [
  [
    "an overload",
    { api_error_status: 529, api_error_type: "overloaded_error", result: "API Error: Overloaded" },
    502,
    "overloaded_error",
  ],
  [
    "a rate limit",
    {
      api_error_status: 429,
      api_error_type: "rate_limit_error",
      result: "API Error: Request rejected (429) · slow down",
    },
    429,
    "rate_limit_error",
  ],
  [
    "a bad request",
    {
      api_error_status: 400,
      api_error_type: "invalid_request_error",
      result: "API Error: 400 max_tokens: too high",
    },
    400,
    "invalid_request_error",
  ],
  [
    "an account without credit",
    {
      api_error_status: 400,
      api_error_type: "invalid_request_error",
      result: "API Error: 400 Your credit balance is too low to access the Anthropic API.",
    },
    502,
    "api_error",
  ],
  [
    "a model nobody knows",
    { api_error_status: 404, api_error_type: "not_found_error", result: "model: x" },
    400,
    "invalid_request_error",
  ],
  [
    "a prompt that is too long",
    { terminal_reason: "blocking_limit", result: "Prompt is too long" },
    400,
    "invalid_request_error",
  ],
  [
    "a refused credential of ours",
    {
      api_error_status: 401,
      api_error_type: "authentication_error",
      result: "Invalid API key · Fix external API key",
    },
    502,
    "api_error",
  ],
  ["no login of ours", { result: "Not logged in · Please run /login" }, 502, "api_error"],
] as const) {
  test(`${what} is answered as ${status} ${type}`, async (t) => {
    const { ask } = startFakeCli(
      t,
      new Function(`return async (fake) => {
        await fake.call();
        fake.init();
        fake.say({ type: "rate_limit_event", rate_limit_info: { resetsAt: Date.now() / 1000 + 30 } });
        fake.result(${JSON.stringify(result)});
      }`)(),
    );
    const { received } = ask("hello");
    await received.over;
    assert.equal(received.status, status);
    const { error } = JSON.parse(received.text);
    assert.equal(error.type, type);
    assert.doesNotMatch(error.message, /API Error|\/login|credit balance/);
    assert.match(
      String(received.headers["retry-after"]),
      status === 429 ? /^(29|30)$/ : /undefined/,
    );
  });
}

for (const [status, type, said, remedy] of [
  [401, "authentication_error", "Invalid API key", /credential was refused \(401\).*claude auth/],
  [402, "billing_error", "Payment is due", /account behind Claude Code's credential was refused/],
  [400, "invalid_request_error", "Your credit balance is too low", /account behind Claude Code's/],
] as const) {
  test(`the operator's log says what to do about a ${status} ${type}`, async (t) => {
    const result = { api_error_status: status, api_error_type: type, result: said };
    const { ask, logged } = startFakeCli(
      t,
      new Function(`return async (fake) => {
        await fake.call();
        fake.init();
        fake.result(${JSON.stringify(result)});
      }`)(),
    );
    const { received } = ask("hello");
    await received.over;
    assert.equal(received.status, 502);
    assert.match(logged.join("\n"), remedy);
    assert.equal(logged.join("\n").includes(said), status !== 401);
  });
}

test("an error after the answer began is its last event", async (t) => {
  const { ask } = startFakeCli(t, async (fake) => {
    await fake.call();
    fake.init();
    fake.answer("begin", true);
    fake.event({ type: "message_delta", delta: { stop_reason: null }, usage: {} });
    fake.event({ type: "message_stop" }, { abandoned_blocks: {} });
    fake.result({
      api_error_status: 529,
      api_error_type: "overloaded_error",
      result: "API Error: Overloaded",
    });
  });
  const { received } = ask("hello");
  await received.over;
  assert.equal(received.status, 200);
  assert.ok(received.ended);
  assert.doesNotMatch(received.text, /message_delta|message_stop/);
  assert.match(received.text, /\n\nevent: error\ndata: .*overloaded_error.*\n\n$/);
});
