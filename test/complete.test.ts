/** POST /v1/complete, from an app's request to the ledger's row. Upstream is the simulator posing as Anthropic. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import { startHandUpstream, wholeStream } from "./harness/hand-upstream.ts";
import { begun, finish, open, readUntil } from "./harness/http.ts";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { sendRaw } from "./harness/raw-http.ts";
import {
  assertAppRefused,
  assertUpstreamUnasked,
  invalid,
  type Refused,
} from "./harness/refused.ts";
import { startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";

let relay: InsideRelay;
let key: string;

before(async () => {
  relay = await startInside({ env: { PER_KEY_RPM: "1000000", PER_KEY_DAILY: "none" } });
  key = await relay.mint();
});
after(() => relay.remove());
beforeEach(() => relay.simulator.reset());

type More = Readonly<{ scenario?: string; headers?: Record<string, string>; token?: string }>;

const post = (on: InsideRelay, body: unknown, more: More = {}): Promise<Answer> =>
  on.call("/v1/complete", {
    method: "POST",
    token: more.token ?? key,
    headers: { ...more.headers },
    body: more.scenario === undefined ? body : { ...Object(body), ...playing(more.scenario) },
  });
/** The app's headers stay here: the model's name tells the simulator what to play. */
const playing = (scenario: string) => ({ model: `claude-sim-${scenario}` });
const ask = (body: object = {}, more?: More) =>
  post(relay, { prompt: "Say hello.", ...body }, more);

/** What upstream was asked, its body read. */
const asked = () => {
  const [request, ...others] = relay.simulator.log;
  assert.equal(others.length, 0, "one call is one request");
  assert.ok(request);
  return { ...request, json: JSON.parse(request.body.toString()) };
};

const rowOf = async (on: InsideRelay, id: string) => {
  const { body } = await on.admin("/admin/usage/requests?limit=1000");
  const rows = body.data.filter((row: { id: string }) => row.id === id);
  assert.equal(rows.length, 1, "every call is one row");
  return rows[0];
};

// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
type Event = readonly [name: string, data: any];

const eventsOf = ({ text }: Pick<Answer, "text">): Event[] =>
  text
    .split("\n\n")
    .slice(0, -1)
    .map((one) => {
      const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/s.exec(one) ?? assert.fail(one);
      return [name, JSON.parse(data)];
    });

describe("a call of /v1/complete", () => {
  it("with a prompt alone is answered with text", async () => {
    const answer = await ask();
    assert.equal(answer.status, 200, answer.text);
    const { request_id, duration_ms, text, ...rest } = answer.body;
    assert.deepEqual(rest, {
      ok: true,
      model: "opus",
      model_id: "claude-opus-5-5",
      stop_reason: "end_turn",
    });
    assert.match(text, /You said: Say hello\.$/);
    assert.ok(Number.isInteger(duration_ms) && duration_ms >= 0);
    assert.equal(answer.headers.get("request-id"), request_id);
    assert.match(request_id, /^req_[0-9A-HJKMNP-TV-Z]{26}$/);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    assert.equal(answer.headers.get("x-relay-upstream"), "anthropic");
  });

  it("is one request upstream, with the relay's key and nothing of the app's own", async () => {
    await ask(
      { system: "Be terse.", model: "haiku", max_tokens: 9 },
      { headers: { cookie: "a=b", "anthropic-beta": "x-2026", "anthropic-version": "2001-01-01" } },
    );
    const { method, path, headers, json, body } = asked();
    assert.deepEqual([method, path], ["POST", "/v1/messages"]);
    assert.deepEqual(json, {
      model: "claude-haiku-5-5",
      max_tokens: 9,
      system: "Be terse.",
      messages: [{ role: "user", content: "Say hello." }],
      stream: true,
    });
    assert.equal(headers["anthropic-version"], "2023-06-01");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["content-length"], String(body.length));
    for (const never of ["cookie", "anthropic-beta", "authorization"]) {
      assert.equal(headers[never], undefined, never);
    }
    assert.ok(!JSON.stringify(headers).includes(key));
  });

  it("takes no header of the app's upstream", async () => {
    await ask(
      {},
      {
        headers: {
          "anthropic-workspace-id": "wrkspc_x",
          "anthropic-dangerous-direct-browser-access": "true",
          "cf-connecting-ip": "1.2.3.4",
          "idempotency-key": "x",
          "user-agent": "evil/1",
          "x-evil": "1",
          "x-claude-code-session-id": "s-1",
        },
      },
    );
    assert.deepEqual(Object.keys(asked().headers).sort(), [
      "accept",
      "accept-encoding",
      "anthropic-version",
      "connection",
      "content-length",
      "content-type",
      "host",
      "x-api-key",
      "x-claude-code-session-id",
    ]);
  });

  it("takes aliases, full ids, and the relay's own default", async (t) => {
    const models: [string, string][] = [
      ["opus", "claude-opus-5-5"],
      ["sonnet", "claude-sonnet-5-5"],
      ["haiku", "claude-haiku-5-5"],
      ["claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"],
    ];
    for (const [model, id] of models) {
      const { body } = await ask({ model });
      assert.deepEqual([body.model, body.model_id, asked().json.model], [model, id, id]);
      relay.simulator.reset();
    }
    const other = await startInside({ env: { DEFAULT_MODEL: "haiku" } });
    t.after(() => other.remove());
    const { body } = await post(other, { prompt: "x" }, { token: await other.mint() });
    assert.deepEqual([body.model, body.model_id], ["haiku", "claude-haiku-5-5"]);
  });

  it("with output_format json gives the result and what it took", async () => {
    const { body } = await ask({ output_format: "json" });
    assert.match(body.result, /You said: Say hello\./);
    const { input_tokens, output_tokens, ...caches } = body.usage;
    assert.ok(input_tokens > 0 && output_tokens > 0);
    assert.deepEqual(caches, { cache_read_input_tokens: 0, cache_creation_input_tokens: 0 });
    assert.ok(!("text" in body));
  });

  it("with json_schema gives a value that fits it", async () => {
    const json_schema = {
      type: "object",
      properties: { colors: { type: "array", items: { type: "string" }, minItems: 2 } },
      required: ["colors"],
      additionalProperties: false,
    };
    const { body } = await ask({ json_schema });
    assert.equal(body.result.colors.length, 2);
    assert.deepEqual(asked().json.output_config, {
      format: { type: "json_schema", schema: json_schema },
    });
    const events = eventsOf(await ask({ json_schema, stream: true }));
    const [, done] = events.at(-1) ?? assert.fail();
    assert.equal(done.result.colors.length, 2);
  });

  it("with an answer that does not fit is a 502 that says why", async () => {
    for (const scenario of ["empty", "refusal"]) {
      const answer = await ask({ json_schema: { type: "object" } }, { scenario });
      const refused = { status: 502, type: "api_error", says: /does not fit json_schema/ } as const;
      assertAppRefused(answer, { ...refused, retry: "false" });
      const row = await rowOf(relay, answer.body.request_id);
      assert.deepEqual(
        [row.status, row.error_type, row.accuracy],
        [502, "api_error", "measured"],
        "the row says what the app saw, and what it cost",
      );
    }
  });

  it("that names no model is told so when the default is denied", async () => {
    const token = await relay.mint({ label: "haiku-only", models: ["haiku"] });
    const answer = await ask({}, { token });
    const says =
      /^model: no model was named; the default is opus. model: "claude-opus-5-5" is not allowed on this app key/;
    assertAppRefused(answer, invalid(says));
    const named = await ask({ model: "opus" }, { token });
    assertAppRefused(named, invalid(/^model: "claude-opus-5-5" is not allowed/));
  });

  it("of a key revoked while its body was on its way is refused, and upstream is not asked", async () => {
    const token = await relay.mint({ label: "soon-gone" });
    const call = request(`${relay.url}/v1/complete`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": "14",
      },
    });
    const answered = once(call, "response") as Promise<[IncomingMessage]>;
    call.write('{"prompt":');
    while (!relay.logs.some((line) => /soon-gone.*Incoming request/.test(line))) {
      await new Promise((turn) => setImmediate(turn));
    }
    await relay.admin("/admin/keys/soon-gone", { method: "DELETE" });
    call.end('"x"}');
    const [answer] = await answered;
    answer.resume();
    assert.equal(answer.statusCode, 401);
    assertUpstreamUnasked(relay);
  });

  it("that upstream answers with nothing, or a refusal, is an answer all the same", async () => {
    const empty = await ask({}, { scenario: "empty" });
    assert.deepEqual(
      [empty.status, empty.body.text, empty.body.stop_reason],
      [200, "", "end_turn"],
    );
    const refusal = await ask({}, { scenario: "refusal" });
    assert.deepEqual([refusal.status, refusal.body.stop_reason], [200, "refusal"]);
  });

  it("reads the same answer however upstream cuts it, and large ones", async () => {
    const plain = await ask();
    for (const scenario of ["byte-by-byte", "split:7", "fast", "unknown-events", "gzip"]) {
      assert.equal((await ask({}, { scenario })).body.text, plain.body.text, scenario);
    }
    const huge = await ask({}, { scenario: "huge:1048576" });
    assert.ok(Buffer.byteLength(huge.body.text) >= 1_048_576);
  });
});

describe("a streamed call", () => {
  it("gives the same text in pieces, and ends with done", async () => {
    const answer = await ask({ stream: true });
    assert.match(answer.headers.get("content-type") ?? "", /^text\/event-stream/);
    const events = eventsOf(answer);
    const { body } = await ask();
    const pieces = events.filter(([name]) => name === "text").map(([, { text }]) => text);
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join(""), body.text);
    const [name, done] = events.at(-1) ?? assert.fail();
    assert.equal(name, "done");
    assert.deepEqual(Object.keys(done), [
      "ok",
      "request_id",
      "model",
      "model_id",
      "duration_ms",
      "stop_reason",
      "usage",
    ]);
    assert.deepEqual([done.ok, done.model], [true, "opus"]);
    assert.equal(events.filter(([one]) => one === "done" || one === "error").length, 1);
  });

  it("passes each piece on before upstream has the next", async (t) => {
    const hand = await startHandUpstream();
    const other = await startInside({ env: { ANTHROPIC_BASE_URL: hand.url } });
    t.after(async () => {
      await other.remove();
      await hand.close();
    });
    const token = await other.mint();
    const call = open(other.url, {
      path: "/v1/complete",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: { prompt: "x", stream: true },
    });
    const upstream = await hand.next();
    upstream.writeHead(200, { "content-type": "text/event-stream" });
    const hello = wholeStream.indexOf("event: content_block_stop");
    upstream.write(wholeStream.slice(0, hello));
    const answer = await begun(call);
    await readUntil(answer, (text) => text === 'event: text\ndata: {"text":"Hello"}\n\n');
    upstream.end(wholeStream.slice(hello));
    const rest = await finish(answer);
    assert.ok(rest.whole);
    assert.match(rest.body.toString(), /^event: done\n/);
  });

  it("that fails in the middle ends with an error event in the one shape", async () => {
    const scenarios: [string, string][] = [
      ["error-after-start:4", "overloaded_error"],
      ["reset-mid-event:4", "api_error"],
      ["close-mid-stream:4", "api_error"],
      ["end-mid-stream:4", "api_error"],
    ];
    for (const [scenario, type] of scenarios) {
      const answer = await ask({ stream: true }, { scenario });
      assert.equal(answer.status, 200);
      const events = eventsOf(answer);
      const [name, error] = events.at(-1) ?? assert.fail();
      assert.equal(name, "error", scenario);
      assert.deepEqual(Object.keys(error), ["ok", "type", "error", "request_id"]);
      assert.equal(error.error.type, type, scenario);
      assert.equal(error.request_id, answer.headers.get("request-id"));
      assert.ok(events.every(([one]) => one !== "done"));
    }
  });

  it("that is refused before it begins is refused like any other", async () => {
    const answer = await ask({ stream: true }, { scenario: "529" });
    const refused = { status: 502, type: "overloaded_error", says: /Overloaded/ };
    assertAppRefused(answer, { ...refused, retry: "true" });
  });
});

describe("a request that is wrong", () => {
  const wrong = async (body: unknown, refused: Refused, more?: More): Promise<void> => {
    assertAppRefused(await post(relay, body, more), refused);
    assertUpstreamUnasked(relay);
  };

  it("is told which field, and what it must be", async () => {
    const table: [unknown, RegExp][] = [
      [{}, /prompt: /],
      [{ prompt: "" }, /prompt: /],
      [{ prompt: " \n\t" }, /prompt: must not be blank/],
      [{ prompt: 5 }, /prompt: /],
      [{ prompt: ["x"] }, /prompt: /],
      [{ prompt: "x", system: null }, /system: /],
      [{ prompt: "x", model: "" }, /model: /],
      [{ prompt: "x", model: "claude opus" }, /model: /],
      [{ prompt: "x", model: "../opus" }, /model: /],
      [{ prompt: "x", model: "x".repeat(129) }, /model: /],
      [{ prompt: "x", output_format: "xml" }, /output_format: /],
      [{ prompt: "x", stream: "true" }, /stream: /],
      [{ prompt: "x", max_tokens: 0 }, /max_tokens: /],
      [{ prompt: "x", max_tokens: 128_001 }, /max_tokens: /],
      [{ prompt: "x", max_tokens: 1.5 }, /max_tokens: /],
      [{ prompt: "x", json_schema: "object" }, /json_schema: /],
      [{ prompt: "x", json_schema: [] }, /json_schema: /],
      [{ prompt: "x", json_schema: { type: "objcet" } }, /json_schema: this is not a JSON Schema/],
      [{ prompt: "x", json_schema: { $ref: "#" } }, /json_schema: /],
      [{ prompt: "x", tools: [] }, /tools: unknown field/],
      [{ prompt: "x", messages: [] }, /messages: unknown field/],
      [[], /object/],
      ["null", /object/],
      ["5", /object/],
    ];
    for (const [body, says] of table) {
      await wrong(body, invalid(says));
    }
  });

  it("is no JSON in UTF-8, or empty", async () => {
    const notJson = invalid(/valid JSON in UTF-8/);
    await wrong('{"prompt":"x"', notJson);
    await wrong("{'prompt':'x'}", notJson);
    await wrong('{"prompt":"x"}{}', notJson);
    await wrong('\ufeff{"prompt":"x"}', notJson);
    await wrong(Buffer.from('{"prompt":"\xe4"}', "latin1"), notJson);
    await wrong(Buffer.from('{"prompt":"\xed\xa0\x80"}', "latin1"), notJson);
    await wrong(Buffer.from('{"prompt":"x"}', "utf16le"), notJson);
    await wrong('{"prompt":"a\u0000b"}', notJson);
    await wrong("", invalid(/empty/));
  });

  it("is of another type, or compressed", async () => {
    const mediaType = (says: RegExp) =>
      ({ status: 415, type: "invalid_request_error", says }) as const;
    for (const type of [
      "text/plain",
      "application/json; charset=latin1",
      "application/x-www-form-urlencoded",
    ]) {
      const headers = { "content-type": type };
      await wrong('{"prompt":"x"}', mediaType(/content-type must be/), { headers });
    }
    await wrong('{"prompt":"x"}', mediaType(/content-encoding/), {
      headers: { "content-encoding": "gzip" },
    });
  });

  it("is made to hurt: nested without end, keys of the prototype, half characters", async () => {
    const deep = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    await wrong(deep(200_000), invalid(/body: nests too deep/));
    await wrong(`{"prompt":${deep(100_000)}}`, invalid(/prompt: nests too deep/));
    await wrong(`{"prompt":"x","extra":${deep(100_000)}}`, invalid(/extra: nests too deep/));
    const deepSchema = `${'{"items":'.repeat(6000)}{}${"}".repeat(6000)}`;
    await wrong(`{"prompt":"x","json_schema":${deepSchema}}`, invalid(/json_schema: nests too/));
    const fields = Array.from({ length: 100_000 }, (_, n) => `"f${n}":1`).join();
    await wrong(`{"prompt":"x",${fields}}`, invalid(/more than 64 fields/));
    await wrong(`{${fields.slice(0, 300)}"1}`, invalid(/valid JSON/));
    const some = Object.fromEntries(Array.from({ length: 63 }, (_, n) => [`f${n}`, 1]));
    await wrong(
      { prompt: "x", ...some },
      invalid(/f0: unknown field: leave it out; .*f7: unknown field[^;]*$/),
    );
    const wide = `{"enum":[${"1,".repeat(300_000)}1]}`;
    await wrong(`{"prompt":"x","json_schema":${wide}}`, {
      ...{ status: 413, type: "request_too_large" },
      says: /json_schema: has 600012 bytes; at most 524288 are taken/,
    });
    await wrong('{"prompt":"x","__proto__":{"stream":true}}', invalid(/__proto__: unknown field/));
    await wrong('{"__proto__":{"prompt":"x"}}', invalid(/prompt: /));
    await wrong('{"prompt":"x","constructor":1,"toString":2}', invalid(/unknown field/));
    await wrong('{"prompt":"a\\ud83e"}', invalid(/prompt: holds half a surrogate pair/));
    await wrong('{"prompt":"a","system":"\\udd8a"}', invalid(/system: holds half/));
  });

  it("is not told its own prompt", async () => {
    const answer = await post(relay, { prompt: ["SECRET-4c"], system: { a: "SECRET-4c" } });
    assert.equal(answer.status, 400);
    assert.doesNotMatch(answer.text, /SECRET-4c/);
  });
});

describe("a prompt reaches upstream as it is", () => {
  it("whatever it holds", async () => {
    const prompts = [
      "a\u0000b",
      "@/etc/passwd /cost !id #memory --dangerously-skip-permissions",
      '","model":"claude-opus-4-1","x":"',
      "🦊\u2028\u2029\r\n\ufeff\uffff",
      "\\u0000 \\ud83e",
      JSON.stringify({ role: "system" }),
    ];
    for (const prompt of prompts) {
      const answer = await ask({ prompt, system: prompt });
      assert.equal(answer.status, 200, answer.text);
      const { json } = asked();
      assert.equal(json.messages[0].content, prompt);
      assert.equal(json.system, prompt);
      assert.equal(json.model, "claude-opus-5-5");
      relay.simulator.reset();
    }
  });

  it("of a field given twice, the last: what is checked is what upstream sees", async () => {
    const answer = await post(relay, '{"model":"opus","prompt":"a","model":"haiku","prompt":"b"}');
    assert.deepEqual([answer.status, answer.body.model_id], [200, "claude-haiku-5-5"]);
    const { json } = asked();
    assert.deepEqual([json.model, json.messages[0].content], ["claude-haiku-5-5", "b"]);
  });
});

describe("MAX_INPUT_BYTES", () => {
  let small: InsideRelay;
  let token: string;
  before(async () => {
    small = await startInside({ env: { MAX_INPUT_BYTES: "1000" } });
    token = await small.mint();
  });
  after(() => small.remove());
  const tooMuch = (says: RegExp) => ({ status: 413, type: "request_too_large", says });

  it("is exact to the byte, over prompt and system, however they are spelt", async () => {
    const status = async (body: unknown) => (await post(small, body, { token })).status;
    assert.equal(await status({ prompt: "x".repeat(1000) }), 200);
    assert.equal(await status({ prompt: "x".repeat(1001) }), 413);
    assert.equal(await status({ prompt: "x".repeat(600), system: "y".repeat(400) }), 200);
    assert.equal(await status({ prompt: "x".repeat(600), system: "y".repeat(401) }), 413);
    assert.equal(await status({ prompt: "ä".repeat(500) }), 200);
    assert.equal(await status({ prompt: `${"ä".repeat(500)}x` }), 413);
    assert.equal(await status(`{"prompt":"${"\\u0078".repeat(1000)}"}`), 200);
    assert.equal(await status(`{"prompt":"${"\\u0078".repeat(1001)}"}`), 413);
    const refused = await post(small, { prompt: "x".repeat(1001) }, { token });
    assertAppRefused(refused, tooMuch(/have 1001 bytes; at most 1000 .*MAX_INPUT_BYTES/));
  });

  it("bounds the body too, its length stated or not, before it is kept", async () => {
    small.simulator.reset();
    const body = `{"prompt":"x"${" ".repeat(1_000_000)}}`;
    const refused = tooMuch(/body is larger than \d+ bytes.*MAX_INPUT_BYTES/);
    assertAppRefused(await post(small, body, { token }), refused);
    const chunked = await fetch(`${small.url}/v1/complete`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: new Blob([body]).stream(),
      duplex: "half",
    } as RequestInit);
    assert.equal(chunked.status, 413);
    assert.equal(((await chunked.json()) as { ok: boolean }).ok, false);
    assertUpstreamUnasked(small);
  });

  it("leaves a schema 64 KiB of its own, and not a byte more", async () => {
    const schemaOf = (size: number) => {
      const empty = JSON.stringify({ type: "object", description: "" });
      return { type: "object", description: "d".repeat(size - empty.length) };
    };
    const json_schema = schemaOf(65_536);
    const taken = await post(small, { prompt: "x", json_schema }, { token });
    assert.equal(taken.status, 200, taken.text);
    assertAppRefused(
      await post(small, { prompt: "x", json_schema: schemaOf(65_537) }, { token }),
      tooMuch(/json_schema: has 65537 bytes; at most 65536/),
    );
  });
});

/** What upstream itself says of a retry with such a status; an app gets to see it. */
const adviceOf = (scenario: string) => {
  const status = /^\d+/.exec(scenario)?.[0];
  if (status === undefined) {
    return {};
  }
  const again = ["408", "409", "429"].includes(status) || status.startsWith("5");
  return { retry: again ? "true" : "false" } as const;
};

describe("an upstream that fails", () => {
  let other: InsideRelay;
  let token: string;
  before(async () => {
    other = await startInside();
    token = await other.mint();
  });
  after(() => other.remove());
  const failing = async (scenario: string, refused: Refused): Promise<Answer> => {
    const answer = await post(other, { prompt: "x" }, { scenario, token });
    assertAppRefused(answer, { ...refused, ...adviceOf(scenario) });
    const row = await rowOf(other, answer.body.request_id);
    assert.equal(row.operation, "complete");
    await other.admin("/admin/circuit-breaker/reset", { method: "POST" });
    return answer;
  };

  it("is a 502, a 504 or what the app itself can mend", async () => {
    const table: [string, number, string, RegExp][] = [
      ["500", 502, "api_error", /./],
      ["503", 502, "api_error", /./],
      ["529", 502, "overloaded_error", /Overloaded/],
      ["html:502", 502, "api_error", /Upstream answered 502/],
      ["401", 502, "api_error", /relay's own credential/],
      ["403", 502, "api_error", /relay's own credential/],
      ["400", 400, "invalid_request_error", /./],
      ["404", 400, "invalid_request_error", /./],
      ["413", 413, "request_too_large", /./],
      ["408", 504, "timeout_error", /./],
      ["504", 504, "timeout_error", /./],
      ["reset-before-headers", 502, "api_error", /Upstream gave no answer/],
      ["reset-mid-event:4", 502, "api_error", /broke off/],
      ["end-mid-stream:4", 502, "api_error", /ended the stream before its message was complete/],
      ["error-after-start:4", 502, "overloaded_error", /Overloaded/],
    ];
    for (const [scenario, status, type, says] of table) {
      await failing(scenario, { status, type, says });
    }
  });

  it("for a model nobody knows says which, and which there are", async () => {
    const says =
      /model: "claude-sim-404" is not known upstream; use opus, sonnet, haiku or an id from GET/;
    await failing("404", { status: 400, type: "invalid_request_error", says });
  });

  it("passes its 429 on with the wait", async () => {
    const answer = await failing("429:7", { status: 429, type: "rate_limit_error", says: /./ });
    assert.equal(answer.headers.get("retry-after"), "7");
  });

  it("fails often opens the breaker: 503 with Retry-After", async () => {
    for (let n = 0; n < 5; n += 1) {
      await post(other, { prompt: "x" }, { scenario: "500", token });
    }
    const answer = await post(other, { prompt: "x" }, { token });
    assertAppRefused(answer, { status: 503, type: "api_error", says: /Circuit breaker is open/ });
    assert.equal(answer.headers.get("retry-after"), "30");
    await other.admin("/admin/circuit-breaker/reset", { method: "POST" });
  });

  it("answers 200 with something that is no message is not believed", async (t) => {
    const hand = await startHandUpstream();
    const astray = await startInside({ env: { ANTHROPIC_BASE_URL: hand.url } });
    t.after(async () => {
      await astray.remove();
      await hand.close();
    });
    const ownToken = await astray.mint();
    const pages: [Record<string, string>, string][] = [
      [{ "content-type": "text/html" }, "<html>Log in to this network</html>"],
      [{ "content-type": "application/json" }, '{"content":[{"type":"text","text":"x"}]}'],
      [{ "content-type": "text/event-stream" }, ""],
      [{}, ""],
    ];
    for (const [headers, page] of pages) {
      for (const stream of [false, true]) {
        const call = post(astray, { prompt: "x", stream }, { token: ownToken });
        (await hand.next()).writeHead(200, headers).end(page);
        const answer = await call;
        const error = stream ? eventsOf(answer).at(-1)?.[1] : answer.body;
        assert.equal(answer.status, stream ? 200 : 502, answer.text);
        assert.equal(error.ok, false);
        assert.match(error.error.message, /before its (answer|message) was complete/);
      }
    }
  });
});

describe("a Claude Code that is configured and cannot be used", () => {
  it("closes the door with the reason and the remedy; no canned answer passes for its own", async (t) => {
    const closed = await startRelay({
      env: { COMPLETE_UPSTREAM: "auto", CLAUDE_BINARY: "/nonexistent/claude" },
    });
    t.after(() => closed.stop());
    const reason = "no Claude Code at /nonexistent/claude: install it, or set CLAUDE_BINARY";
    const answer = await fetch(`${closed.url}/v1/complete`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await closed.bootstrap()}`,
        "content-type": "application/json",
      },
      body: '{"prompt":"x"}',
    });
    const { ok, error } = (await answer.json()) as { ok: boolean; error: object };
    assert.deepEqual([answer.status, ok], [503, false]);
    assert.deepEqual(error, { type: "api_error", message: `/v1/complete is closed: ${reason}.` });
    const health = await fetch(`${closed.url}/health`);
    assert.equal(((await health.json()) as { complete: string }).complete, "closed");
    await closed.logged(({ msg }) => msg.includes(`/v1/complete is closed: ${reason}`));
  });
});

describe("REQ_TIMEOUT", () => {
  let other: InsideRelay;
  let token: string;
  before(async () => {
    other = await startInside({ env: { REQ_TIMEOUT: "1" } });
    token = await other.mint();
  });
  after(() => other.remove());
  const timedOut = {
    status: 504,
    type: "timeout_error",
    says: /took too long: the answer took longer than 1 s \(REQ_TIMEOUT\)/,
  };

  it("ends a call whose upstream falls silent, before its first word or after, and frees it", async () => {
    for (const scenario of ["slow-start:60000", "stall:0", "stall:4"]) {
      other.simulator.reset();
      const answer = await post(other, { prompt: "x" }, { token, scenario });
      assertAppRefused(answer, timedOut);
      await other.simulator.until(({ aborted, open: now }) => aborted === 1 && now === 0);
      const row = await rowOf(other, answer.body.request_id);
      assert.deepEqual([row.ending, row.accuracy], ["upstream_broke", "estimated"], scenario);
      assert.equal(row.status, 504, scenario);
    }
  });

  it("ends a stream with an error event", async () => {
    const answer = await post(other, { prompt: "x", stream: true }, { token, scenario: "stall:4" });
    const [name, { error }] = eventsOf(answer).at(-1) ?? assert.fail();
    assert.deepEqual([name, error.type], ["error", "timeout_error"]);
    assert.match(error.message, timedOut.says);
  });
});

describe("the ledger's row of a call", () => {
  it("holds who, what, tokens and cost, and nothing that was said", async (t) => {
    const other = await startInside();
    t.after(() => other.remove());
    await createOwners(other, "o-1", "u-1");
    const token = await other.mint({ label: "billed", user_id: "u-1", organization_id: "o-1" });
    const { body } = await post(
      other,
      { prompt: "PROMPT-9e", system: "SYSTEM-9e", model: "haiku", output_format: "json" },
      { token },
    );
    const row = await rowOf(other, body.request_id);
    assert.deepEqual(
      [
        row.operation,
        row.caller_kind,
        row.app_key,
        row.device_id,
        row.user_id,
        row.organization_id,
      ],
      ["complete", "app_key", "billed", null, "u-1", "o-1"],
    );
    assert.deepEqual(
      [row.status, row.accuracy, row.ending, row.model, row.input_tokens, row.output_tokens],
      [
        200,
        "measured",
        "complete",
        "claude-haiku-5-5",
        body.usage.input_tokens,
        body.usage.output_tokens,
      ],
    );
    assert.ok(row.cost_micro_usd > 0);
    const [bill] = [...other.simulator.bills.values()];
    assert.equal(bill?.usage.output_tokens, row.output_tokens, "upstream bills the same");
    const all = await other.admin("/admin/usage/requests");
    assert.doesNotMatch(all.text + other.logs.join("\n"), /PROMPT-9e|SYSTEM-9e/);
    assert.ok(!other.logs.join("\n").includes(token));
  });

  it("is there for a caller who left, with upstream let go at once", async (t) => {
    const other = await startInside({ env: { GLOBAL_CONCURRENCY: "1" } });
    t.after(() => other.remove());
    const token = await other.mint();
    const ways = [
      [true, "stall:4"],
      [false, "stall:4"],
      [false, "slow-start:60000"],
    ] as const;
    for (const [index, [stream, scenario]] of ways.entries()) {
      other.simulator.reset();
      const call = open(other.url, {
        path: "/v1/complete",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
        },
        body: { prompt: "x", stream, ...playing(scenario) },
      });
      await other.simulator.until(({ requests }) => requests === 1);
      if (stream) {
        await readUntil(await begun(call), (text) => text.includes("event: text"));
      }
      call.destroy();
      await other.simulator.until(({ aborted, open: now }) => aborted === 1 && now === 0);
      // The place is free: the only one there is.
      assert.equal((await post(other, { prompt: "x" }, { token })).status, 200);
      const { body } = await other.admin("/admin/usage/requests");
      const left = body.data.filter((row: { ending: string }) => row.ending === "client_left");
      assert.equal(left.length, index + 1);
      for (const row of left) {
        assert.deepEqual([row.operation, row.accuracy], ["complete", "estimated"]);
        assert.ok(row.input_tokens > 0);
      }
    }
  });

  it("is none for a call that was refused", async (t) => {
    const other = await startInside();
    t.after(() => other.remove());
    const token = await other.mint();
    await post(other, { prompt: "" }, { token });
    await post(other, { prompt: "x", model: "\u0000" }, { token });
    const { body } = await other.admin("/admin/usage/requests");
    assert.deepEqual(body.data, []);
  });
});

describe("at this address", () => {
  it("other methods are not offered, and told so in the one shape", async () => {
    for (const path of ["/v1/complete", "/v1/fetch"]) {
      for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
        const answer = await relay.call(`${path}?a=b`, { token: key, method });
        assertAppRefused(answer, {
          status: 404,
          type: "not_found_error",
          says: new RegExp(`^${method} ${path} is not offered here`),
        });
      }
      const head = await fetch(relay.url + path, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [404, ""]);
    }
    const near = await relay.call("/v1/completes", { token: key, body: { prompt: "x" } });
    assert.deepEqual(Object.keys(near.body), ["type", "error", "request_id"]);
  });

  it("what is refused before any door is told in the one shape too", async () => {
    const body = '{"prompt":"x"}';
    const raw = (headers: string) =>
      `POST /v1/complete HTTP/1.1\r\n${headers}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const headers of [
      "Host: a/b",
      "Host: a\r\nAuthorization: Bearer x",
      "Host: a\r\nExpect: tea",
    ]) {
      const { text, statuses } = await sendRaw(relay.port, raw(headers));
      assert.deepEqual(statuses, [400]);
      assert.match(text, /\r\n\r\n\{"ok":false,"type":"error","error":\{/);
    }
  });

  it("a device may call as an app does", async () => {
    const token = await relay.bootstrap();
    assert.equal((await ask({}, { token })).status, 200);
  });
});

const drainingRelay = async (t: TestContext) => {
  const hand = await startHandUpstream();
  const draining = await startRelay({ upstreamUrl: hand.url });
  const exited = once(draining.process, "exit");
  t.after(async () => {
    draining.process.kill("SIGKILL");
    await hand.close();
  });
  return { hand, draining, exited };
};

it("a draining relay ends the calls it has, and refuses new ones in the one shape", async (t) => {
  const { hand, draining, exited } = await drainingRelay(t);
  const minted = await fetch(`${draining.url}/admin/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: '{"label":"my-app"}',
  });
  const { secret } = (await minted.json()) as { secret: string };
  const call = (path: string) =>
    fetch(`${draining.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: '{"prompt":"x"}',
    });
  const running = call("/v1/complete");
  const upstream = await hand.next();
  draining.process.kill("SIGTERM");
  await draining.logged(({ msg }) => msg.startsWith("Draining"));
  for (const path of ["/v1/complete", "/v1/fetch"]) {
    const refused = await call(path);
    const body = (await refused.json()) as { ok: boolean; error: { type: string } };
    assert.deepEqual(
      [refused.status, body.ok, body.error.type, refused.headers.get("retry-after")],
      [503, false, "api_error", "5"],
    );
  }
  upstream.writeHead(200, { "content-type": "text/event-stream" }).end(wholeStream);
  const answer = (await (await running).json()) as { ok: boolean; text: string };
  assert.deepEqual([answer.ok, answer.text], [true, "Hello"]);
  assert.deepEqual(await exited, [0, null]);
});
