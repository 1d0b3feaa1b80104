import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import type Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { ask, post, scenario, startSimulator } from "./test-setup.ts";

type Ended = { text: string; bytes: Buffer; error: NodeJS.ErrnoException | null };

const requestText = (name: string, body: object): string => {
  const json = JSON.stringify(body);
  return [
    "POST /v1/messages HTTP/1.1",
    "host: simulator",
    "x-api-key: k",
    "anthropic-version: 2023-06-01",
    `x-simulator-scenario: ${name}`,
    `content-length: ${Buffer.byteLength(json)}`,
    "",
    json,
  ].join("\r\n");
};

const open = async (baseURL: string): Promise<Socket> => {
  const socket = connect(Number(new URL(baseURL).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
};

/** Everything a raw connection receives until it ends, and how it ended. */
const exchange = async (baseURL: string, name: string, body: object): Promise<Ended> => {
  const socket = await open(baseURL);
  const chunks: Buffer[] = [];
  let error: NodeJS.ErrnoException | null = null;
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", (raised) => {
    error = raised;
  });
  socket.write(requestText(name, body));
  await new Promise((resolve) => socket.once("close", resolve));
  const bytes = Buffer.concat(chunks);
  return { text: bytes.toString(), bytes, error };
};

const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === "text" ? block.text : block.type)).join();

const streamed = (content = "hi") => ({ ...ask(content), stream: true });

test("reset-before-headers sends RST and not a byte", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const { text, error } = await exchange(baseURL, "reset-before-headers", streamed());
  assert.equal(text, "");
  assert.equal(error?.code, "ECONNRESET");
  await simulator.until(({ broken, open }) => broken === 1 && open === 0);
  assert.equal(simulator.counters().aborted, 0);
});

test("close-before-headers sends FIN and not a byte", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const { text, error } = await exchange(baseURL, "close-before-headers", streamed());
  assert.equal(text, "");
  assert.equal(error, null);
  await simulator.until(({ broken, open }) => broken === 1 && open === 0);
});

test("an error after the start counts as broken, and bills what was said until then", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const response = await post(baseURL, streamed(), scenario("error-after-start:5").headers);
  const text = await response.text();
  const error = JSON.stringify({
    type: "error",
    error: { type: "overloaded_error", message: "Overloaded" },
    request_id: response.headers.get("request-id"),
  });
  assert.ok(text.endsWith(`event: error\ndata: ${error}\n\n`));
  await simulator.until(({ broken }) => broken === 1);
  const bill = simulator.bills.get(response.headers.get("request-id") ?? "");
  assert.equal(bill?.complete, false);
  assert.ok(bill.usage.output_tokens > 1 && bill.usage.output_tokens < 20);
});

test("reset-mid-event sends whole events, half of one, then RST", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const { text, error } = await exchange(baseURL, "reset-mid-event:4", streamed());
  assert.equal(error?.code, "ECONNRESET");
  assert.equal(text.match(/\n\n\r?\n?/g)?.length, 4);
  assert.match(
    text,
    /event: content_block_delta\ndata: \{"type":"content_block_delta"[^}]*\r?\n?$/,
  );
  assert.doesNotMatch(text, /message_stop/);
  await simulator.until(({ broken }) => broken === 1);
  const [bill] = [...simulator.bills.values()];
  assert.equal(bill?.complete, false);
});

test("reset-mid-utf8 cuts a character in two", async (t) => {
  const { baseURL } = await startSimulator(t);
  const { bytes, error } = await exchange(baseURL, "reset-mid-utf8", streamed());
  assert.equal(error?.code, "ECONNRESET");
  const body = bytes.subarray(0, bytes.lastIndexOf("\r\n"));
  assert.equal(body.at(-1), 0xf0, "the first byte of a character of four");
});

test("close-mid-stream ends with FIN and an unfinished body", async (t) => {
  const { baseURL } = await startSimulator(t);
  const { text, error } = await exchange(baseURL, "close-mid-stream:5", streamed());
  assert.equal(error, null);
  assert.match(text, /content_block_delta/);
  assert.doesNotMatch(text, /message_stop|\r\n0\r\n\r\n$/);
});

test("end-mid-stream ends the body properly but without message_stop", async (t) => {
  const { baseURL } = await startSimulator(t);
  const response = await post(baseURL, streamed(), scenario("end-mid-stream:5").headers);
  const text = await response.text();
  assert.equal(text.match(/\n\n/g)?.length, 5);
  assert.doesNotMatch(text, /message_stop/);
});

test("a JSON answer is cut in its middle too", async (t) => {
  const { baseURL } = await startSimulator(t);
  const reset = await exchange(baseURL, "reset-mid-event", ask("hi"));
  assert.equal(reset.error?.code, "ECONNRESET");
  assert.match(reset.text, /"type":"message"/);
  assert.doesNotMatch(reset.text, /service_tier/);
});

test("stall sends its events and then nothing, until the client goes", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const leaving = new AbortController();
  const response = await fetch(`${baseURL}/v1/messages`, {
    method: "POST",
    headers: {
      "x-api-key": "k",
      "anthropic-version": "2023-06-01",
      ...scenario("stall:3").headers,
    },
    body: JSON.stringify(streamed()),
    signal: leaving.signal,
  });
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.endsWith('"ping"}\n\n')) {
      break;
    }
  }
  leaving.abort();
  await simulator.until(({ aborted, openStreams }) => aborted === 1 && openStreams === 0);
  assert.equal(text.match(/\n\n/g)?.length, 3);
});

test("stall:0 sends the headers and nothing else", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const response = await post(baseURL, streamed(), scenario("stall:0").headers);
  assert.equal(response.status, 200);
  await response.body?.cancel();
  await simulator.until(({ aborted }) => aborted === 1);
});

test("any split of any stream is read by the SDK as the same message", async (t) => {
  const { client } = await startSimulator(t);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.integer({ min: 1, max: 40 }),
      async (words, size) => {
        const content = `hi ${words}`;
        const plain = await client.messages.create(ask(content));
        const split = await client.messages
          .stream(ask(content), scenario(`split:${size}`))
          .finalMessage();
        assert.equal(textOf(split), textOf(plain));
      },
    ),
    { numRuns: 25 },
  );
});

test("byte-by-byte the stream is still the same message", async (t) => {
  const { client } = await startSimulator(t);
  const stream = client.messages.stream(ask("héllo 🦊"), scenario("byte-by-byte"));
  assert.match(JSON.stringify((await stream.finalMessage()).content), /You said: héllo 🦊/);
});

test("fast sends the same stream at once", async (t) => {
  const { baseURL } = await startSimulator(t);
  const text = async (name: string) =>
    (await (await post(baseURL, streamed(), scenario(name).headers)).text()).replace(/msg_\w+/, "");
  assert.equal(await text("fast"), await text("split:1000"));
});

test("deltas sends that many", async (t) => {
  const { baseURL } = await startSimulator(t);
  const response = await post(baseURL, streamed(), scenario("deltas:10000").headers);
  assert.equal((await response.text()).match(/event: content_block_delta\n/g)?.length, 10_000);
});

test("paced deltas still arrive in order and whole", async (t) => {
  const { client } = await startSimulator(t);
  const message = await client.messages
    .stream(ask("hi"), scenario("paced:5:2,slow-start:1"))
    .finalMessage();
  assert.match(JSON.stringify(message.content), /"tick tick tick tick tick "/);
});

test("huge answers have their exact size, streamed and whole, and bill no more than max_tokens", async (t) => {
  const { client } = await startSimulator(t);
  const huge = scenario("huge:300001");
  const plain = await client.messages.create(ask("hi"), huge);
  const stream = await client.messages.stream(ask("hi"), huge).finalMessage();
  for (const { content, usage } of [plain, stream]) {
    assert.equal(content[0]?.type === "text" && content[0].text.length, 300_001);
    assert.equal(usage.output_tokens, 1024);
  }
});

test("a slow reader holds the simulator back: a huge answer is not built up in memory", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const socket = await open(baseURL);
  socket.pause();
  socket.write(requestText("huge:1000000000", streamed()));
  await simulator.until(({ openStreams }) => openStreams === 1);
  // Time for as many turns of the event loop as would send it all, were nothing holding it back.
  for (let turn = 0; turn < 1000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(process.memoryUsage().rss < 600_000_000);
  assert.equal(simulator.counters().openStreams, 1);
  socket.destroy();
  await simulator.until(({ aborted, open }) => aborted === 1 && open === 0);
});

test("gzip is used only for clients that accept it", async (t) => {
  const { baseURL } = await startSimulator(t);
  for (const body of [streamed(), ask("hi")]) {
    const zipped = await post(baseURL, body, { ...scenario("gzip").headers });
    assert.equal(zipped.headers.get("content-encoding"), "gzip");
    assert.match(await zipped.text(), /You said: hi|hi"/);
    const identity = { ...scenario("gzip").headers, "accept-encoding": "identity" };
    const plain = await post(baseURL, body, identity);
    assert.equal(plain.headers.get("content-encoding"), null);
    await plain.text();
  }
});

test("html answers are no JSON, as from a proxy in between", async (t) => {
  const { baseURL } = await startSimulator(t);
  const response = await post(baseURL, ask("hi"), scenario("html:502").headers);
  assert.equal(response.status, 502);
  assert.match(await response.text(), /^<html>/);
});

test("a scenario can be named by the model", async (t) => {
  const { baseURL } = await startSimulator(t);
  const failing = await post(baseURL, { ...ask("hi"), model: "claude-sim-429:9+slow-start:1" });
  assert.equal(failing.status, 429);
  assert.equal(failing.headers.get("retry-after"), "9");
  const fine = await post(baseURL, { ...ask("hi"), model: "claude-sim-fast" });
  assert.equal(((await fine.json()) as { model: string }).model, "claude-sim-fast");
});

test("first-n fails the first requests only, until reset", async (t) => {
  const { baseURL, simulator } = await startSimulator(t);
  const status = async () => {
    const response = await post(baseURL, ask("hi"), scenario("first-n:2:429:5").headers);
    await response.text();
    return response.status;
  };
  assert.deepEqual([await status(), await status(), await status()], [429, 429, 200]);
  simulator.reset();
  assert.equal(await status(), 429);
});

test("an unknown scenario is refused, not ignored", async (t) => {
  const { baseURL } = await startSimulator(t);
  for (const name of ["oops", "pause:soon", "fast,nope", "constructor", "first-n:1:nope"]) {
    const response = await post(baseURL, ask("hi"), scenario(name).headers);
    assert.equal(response.status, 400, name);
    assert.match(await response.text(), /x-simulator-scenario/);
  }
});

test("unknown events and fields do not trouble the SDK", async (t) => {
  const { client } = await startSimulator(t);
  const stream = client.messages.stream(ask("hi"), scenario("unknown-events"));
  assert.equal((await stream.finalMessage()).stop_reason, "end_turn");
});

test("the other routes fail by scenario too", async (t) => {
  const { client } = await startSimulator(t);
  await assert.rejects(async () => client.models.list({}, scenario("529")), { status: 529 });
  const { max_tokens: _, ...body } = ask("hi");
  await assert.rejects(client.messages.countTokens(body, scenario("500")), { status: 500 });
});
