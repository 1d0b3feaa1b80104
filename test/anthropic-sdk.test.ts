/** The real Anthropic SDK, pointed at the relay, with a wrapper token where its API key would be. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { ask, type Setting, startSetting } from "./harness/anthropic.ts";
import { rowsWhen } from "./harness/ledger.ts";
import { masterKey } from "./harness/secrets.ts";

type ApiError = InstanceType<typeof Anthropic.APIError>;

let setting: Setting;
let client: Anthropic;

before(async () => {
  setting = await startSetting();
  const { relay, token } = setting;
  client = new Anthropic({ baseURL: relay.url, apiKey: null, authToken: token, maxRetries: 0 });
});
after(() => setting.stop());
beforeEach(() => setting.simulator.reset());

const scenario = (name: string) => ({ headers: { "x-simulator-scenario": name } });

const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

describe("the SDK's credential", () => {
  it("may be the wrapper token as authToken or apiKey, with the sk-ant-proxy- prefix or without", async () => {
    const { relay, token, simulator } = setting;
    const credentials = [
      { authToken: token, apiKey: null },
      { apiKey: token, authToken: null },
      { authToken: `sk-ant-proxy-${token}`, apiKey: null },
      { apiKey: `sk-ant-proxy-${token}`, authToken: null },
    ];
    for (const credential of credentials) {
      const own = new Anthropic({ baseURL: relay.url, ...credential, maxRetries: 0 });
      assert.equal((await own.messages.create(ask("hi"))).type, "message");
    }
    assert.equal(simulator.log.length, credentials.length);
    for (const { headers } of simulator.log) {
      assert.equal(headers["x-api-key"], masterKey);
      assert.equal(headers.authorization, undefined);
      assert.ok(!JSON.stringify(headers).includes(token));
    }
  });

  it("is refused as an AuthenticationError when it is none, without a call to upstream or a retry", async () => {
    const { relay, simulator } = setting;
    const stranger = new Anthropic({ baseURL: relay.url, apiKey: "sk-ant-made-up", maxRetries: 5 });
    await assert.rejects(
      stranger.messages.create(ask("hi")),
      (error: unknown) =>
        error instanceof Anthropic.AuthenticationError &&
        error.headers.get("x-should-retry") === "false",
    );
    const { body } = await relay.admin("/admin/audit?action=credential.refuse");
    assert.equal(body.data.length, 1);
    assert.equal(simulator.log.length, 0);
  });
});

describe("messages.create", () => {
  it("gives the message, its usage and upstream's request id", async () => {
    const { data, request_id, response } = await client.messages
      .create(ask("Hi 🦊"))
      .withResponse();
    assert.match(textOf(data), /You said: Hi 🦊$/);
    assert.ok(data.usage.input_tokens > 0 && data.usage.output_tokens > 0);
    assert.equal(request_id, setting.simulator.log.at(-1)?.requestId);
    assert.equal(response.headers.get("x-relay-upstream"), "anthropic");
    assert.match(response.headers.get("x-relay-request-id") ?? "", /^req_/);
  });

  it("uses a tool and is told its result", async () => {
    const tools: Anthropic.Tool[] = [
      {
        name: "get_weather",
        input_schema: { type: "object", properties: { city: { type: "string" } } },
      },
    ];
    const question = 'use tool get_weather {"city": "Graz {Styria}"}';
    const first = await client.messages.create({ ...ask(question), tools });
    assert.equal(first.stop_reason, "tool_use");
    const use = first.content.find((block) => block.type === "tool_use");
    assert.deepEqual(use?.input, { city: "Graz {Styria}" });
    const second = await client.messages.create({
      ...ask(question),
      tools,
      messages: [
        { role: "user", content: question },
        { role: "assistant", content: first.content },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: use?.id ?? "", content: "21 °C" }],
        },
      ],
    });
    assert.match(textOf(second), /The tool said: 21 °C/);
  });

  it("thinks before it speaks", async () => {
    const { content } = await client.messages.create({
      ...ask("Why?"),
      max_tokens: 4096,
      thinking: { type: "enabled", budget_tokens: 1024 },
    });
    const [thinking, text] = content;
    assert.ok(thinking?.type === "thinking" && thinking.signature.length > 20);
    assert.equal(text?.type, "text");
  });

  it("sends what the SDK says of itself and its betas on to upstream", async () => {
    await client.beta.messages.create({ ...ask("hi"), betas: ["files-api-2025-04-14"] });
    const request = setting.simulator.log.at(-1);
    assert.match(String(request?.headers["anthropic-beta"]), /files-api-2025-04-14/);
    assert.ok(request?.headers["anthropic-version"]);
    assert.equal(request?.headers["x-stainless-lang"], "js");
    assert.match(String(request?.headers["user-agent"]), /^Anthropic\/JS/);
  });
});

describe("messages.stream", () => {
  it("assembles the message that create gives", async () => {
    const created = await client.messages.create(ask("Hello, 🌍!"));
    const stream = client.messages.stream(ask("Hello, 🌍!"));
    const heard: string[] = [];
    stream.on("text", (delta) => heard.push(delta));
    const streamed = await stream.finalMessage();
    assert.equal(textOf(streamed), textOf(created));
    assert.equal(heard.join(""), textOf(created));
    assert.ok(heard.length > 1);
    assert.equal(streamed.usage.output_tokens, created.usage.output_tokens);
  });

  it("gives the raw events in the API's order", async () => {
    const types: string[] = [];
    for await (const event of await client.messages.create({ ...ask("hi"), stream: true })) {
      types.push(event.type);
    }
    const order = types.filter((type, index) => type !== types[index - 1]);
    assert.deepEqual(order, [
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  it("survives one byte at a time, and events nobody knows", async () => {
    for (const name of ["byte-by-byte", "unknown-events"]) {
      const message = await client.messages
        .stream(ask("ünïcödé 🦊"), scenario(name))
        .finalMessage();
      assert.match(textOf(message), /ünïcödé 🦊$/);
    }
  });

  it("throws upstream's error event with its type", async () => {
    await assert.rejects(
      client.messages.stream(ask("hi"), scenario("error-after-start:5")).finalMessage(),
      (error: unknown) => error instanceof Anthropic.APIError && error.type === "overloaded_error",
    );
  });

  it("throws when upstream's connection breaks, and never takes half an answer for whole", async () => {
    for (const name of ["close-mid-stream", "end-mid-stream"]) {
      await assert.rejects(
        client.messages.stream(ask("hi"), scenario(name)).finalMessage(),
        (error: unknown) => error instanceof Anthropic.APIError && error.type === "api_error",
        name,
      );
    }
    // A reset may overtake bytes that were on their way. Inside an event: what came of it and the relay's words are one error event, which has no type.
    for (const name of ["reset-mid-event", "reset-mid-utf8"]) {
      await assert.rejects(
        client.messages.stream(ask("hi"), scenario(name)).finalMessage(),
        (error: unknown) =>
          error instanceof Anthropic.APIError &&
          /upstream broke off|Upstream gave no answer/.test(error.message),
        name,
      );
    }
  });

  it("aborted, frees upstream and leaves a row", async () => {
    const { simulator, relay } = setting;
    const stream = client.messages.stream(ask("hi"), scenario("stall:5"));
    stream.on("abort", () => {});
    for await (const event of stream) {
      if (event.type === "content_block_delta") {
        break;
      }
    }
    await simulator.until(({ aborted, open }) => aborted === 1 && open === 0);
    await rowsWhen(relay, (rows) => rows.some(({ ending }) => ending === "client_left"));
  });

  it("aborted by a signal before upstream answers, frees upstream too", async () => {
    const { simulator } = setting;
    const controller = new AbortController();
    const { signal } = controller;
    const asked = client.messages.create(ask("hi"), { ...scenario("slow-start:600000"), signal });
    const rejected = assert.rejects(asked, Anthropic.APIUserAbortError);
    await simulator.until(({ requests }) => requests === 1);
    controller.abort();
    await rejected;
    await simulator.until(({ open }) => open === 0);
  });
});

describe("messages.countTokens", () => {
  it("counts what create then bills", async () => {
    const { max_tokens: _, ...body } = { ...ask("How many?"), system: "Be brief." };
    const { input_tokens } = await client.messages.countTokens(body);
    const { usage } = await client.messages.create({ ...body, max_tokens: 100 });
    assert.ok(input_tokens > 0);
    assert.equal(usage.input_tokens, input_tokens);
  });
});

describe("models", () => {
  it("are listed page by page without loss, forwards and backwards", async () => {
    const whole = await client.models.list({ limit: 1000 });
    const ids = whole.data.map(({ id }) => id);
    const paged: string[] = [];
    for await (const { id } of client.models.list({ limit: 3 })) {
      paged.push(id);
    }
    assert.ok(ids.length > 6);
    assert.deepEqual(paged, ids);
    const before = await client.models.list({ limit: 2, before_id: ids[4] ?? "" });
    assert.deepEqual(
      before.data.map(({ id }) => id),
      ids.slice(2, 4),
    );
  });

  it("are found by id and alias, and not when there is none", async () => {
    const model = await client.models.retrieve("claude-sonnet-4-5");
    assert.equal(model.id, "claude-sonnet-4-5-20250929");
    await assert.rejects(client.models.retrieve("claude-none"), Anthropic.NotFoundError);
  });
});

describe("the SDK's retries", () => {
  it("get past upstream's 529, 500, 429 and a connection that broke before the answer", async () => {
    const retrying = client.withOptions({ maxRetries: 2 });
    for (const failure of ["529", "500", "429:1", "reset-before-headers"]) {
      setting.simulator.reset();
      const message = await retrying.messages.create(ask("hi"), scenario(`first-n:1:${failure}`));
      assert.equal(message.type, "message", failure);
      assert.equal(setting.simulator.counters().requests, 2, failure);
    }
  });

  it("wait as long as upstream's retry-after says", async () => {
    const started = performance.now();
    const retrying = client.withOptions({ maxRetries: 1 });
    await retrying.messages.create(ask("hi"), scenario("first-n:1:529:2"));
    // Its own backoff would be half a second at most; only a lower bound is asserted.
    assert.ok(performance.now() - started >= 1900);
  });

  it("end when they are used up, with upstream's last word", async () => {
    const retrying = client.withOptions({ maxRetries: 1 });
    await assert.rejects(
      retrying.messages.create(ask("hi"), scenario("529")),
      (error: unknown) => error instanceof Anthropic.APIError && error.type === "overloaded_error",
    );
    assert.equal(setting.simulator.counters().requests, 2);
  });
});

describe("every error class of the SDK, with upstream's words", () => {
  const classes = [
    ["400", Anthropic.BadRequestError, "invalid_request_error"],
    ["401", Anthropic.AuthenticationError, "authentication_error"],
    ["403", Anthropic.PermissionDeniedError, "permission_error"],
    ["404", Anthropic.NotFoundError, "not_found_error"],
    ["409", Anthropic.ConflictError, "invalid_request_error"],
    ["413", Anthropic.APIError, "request_too_large"],
    ["422", Anthropic.UnprocessableEntityError, "invalid_request_error"],
    ["429:7", Anthropic.RateLimitError, "rate_limit_error"],
    ["500", Anthropic.InternalServerError, "api_error"],
    ["529:9", Anthropic.InternalServerError, "overloaded_error"],
  ] as const;

  /** What the SDK makes of a scenario, straight or through the relay; ids apart. */
  const failureOf = async (asking: Anthropic, name: string): Promise<ApiError> => {
    const error = await asking.messages.create(ask("hi"), scenario(name)).then(
      () => assert.fail("it should have failed"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Anthropic.APIError);
    return error;
  };

  for (const [name, errorClass, type] of classes) {
    it(`${name}: ${errorClass.name}, ${type}`, async () => {
      const straight = new Anthropic({
        baseURL: setting.upstreamUrl,
        apiKey: masterKey,
        maxRetries: 0,
      });
      const expected = await failureOf(straight, name);
      const error = await failureOf(client, name);
      assert.ok(error instanceof errorClass);
      assert.equal(error.status, Number.parseInt(name, 10));
      assert.equal(error.type, type);
      assert.equal(error.requestID, setting.simulator.log.at(-1)?.requestId);
      const said = (of: ApiError) => (of.error as { error: unknown }).error;
      assert.deepEqual(said(error), said(expected));
      for (const header of ["retry-after", "x-should-retry", "content-type"]) {
        assert.equal(error.headers?.get(header), expected.headers?.get(header), header);
      }
    });
  }

  it("no relay there: APIConnectionError", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as { port: number };
    closed.close();
    const lost = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: "k", maxRetries: 0 });
    await assert.rejects(lost.messages.create(ask("hi")), Anthropic.APIConnectionError);
  });

  it("upstream gave no answer: the relay's own 502, as an InternalServerError to try again", async () => {
    await client.messages.create(ask("a success in between"));
    const error = await failureOf(client, "reset-before-headers");
    assert.ok(error instanceof Anthropic.InternalServerError);
    assert.equal(error.status, 502);
    assert.match(error.message, /Upstream gave no answer/);
    assert.equal(error.headers?.get("x-should-retry") ?? null, null);
  });
});
