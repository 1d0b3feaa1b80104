import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import {
  eventStream,
  events,
  startHandUpstream,
  wholeStream,
} from "../../../../../test/harness/hand-upstream.ts";
import { FakeTime } from "../../../test/harness/fake-time.ts";
import type { RelayAccess } from "../relay/relay-access.ts";
import { askRelay, ReplyFailed, type ReplyPart } from "./ask-relay.ts";

const question = {
  model: "claude-one",
  maxTokens: 10,
  turns: [{ role: "user" as const, content: [{ type: "text" as const, text: "Hello?" }] }],
};

const accessTo = (relayUrl: string): RelayAccess => ({
  relayUrl,
  token: async () => "some-token",
  reject: () => undefined,
});

const setUp = async (t: TestContext) => {
  const upstream = await startHandUpstream();
  t.after(() => upstream.close());
  const time = new FakeTime();
  const stop = new AbortController();
  const deps = { timers: time.timers, now: time.clock.now, longestSilence: 60_000 };
  const parts = askRelay(accessTo(upstream.url), question, stop.signal, deps);
  return { upstream, time, parts, stop };
};

const allOf = async (parts: AsyncIterable<ReplyPart>): Promise<ReplyPart[]> => {
  const all: ReplyPart[] = [];
  for await (const part of parts) {
    all.push(part);
  }
  return all;
};

const faultOf = async (parts: AsyncIterable<ReplyPart>) => {
  try {
    await allOf(parts);
  } catch (error) {
    assert.ok(error instanceof ReplyFailed);
    return error.fault;
  }
  return assert.fail("it did not fail");
};

describe("asking a relay", () => {
  it("gives the texts and then the end, with what newer models send besides left out", async (t) => {
    const { upstream, parts } = await setUp(t);
    const thought =
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}\n\n';
    const news = 'event: some_news\ndata: {"type":"some_news"}\n\n';
    void upstream
      .next()
      .then((response) =>
        response
          .writeHead(200, eventStream)
          .end(wholeStream.replace(events.delta, thought + news + events.delta + events.delta)),
      );
    const got = await allOf(parts);
    assert.deepEqual(got, [
      { kind: "text", text: "Hello" },
      { kind: "text", text: "Hello" },
      { kind: "end", stopReason: "end_turn", usage: { inputTokens: 25, outputTokens: 15 } },
    ]);
  });

  it("gives up on an answer that has fallen silent, though the connection stays", async (t) => {
    const { upstream, time, parts } = await setUp(t);
    const asked = upstream.next();
    const first = parts.next();
    const response = await asked;
    response.writeHead(200, eventStream).write(events.start + events.blockStart + events.delta);
    assert.deepEqual((await first).value, { kind: "text", text: "Hello" });
    const rest = faultOf(parts);
    await time.pass(59_000);
    response.write('event: ping\ndata: {"type":"ping"}\n\n');
    // The ping is the only word of life: it must be heard before time goes on.
    await heard(time);
    await time.pass(59_000);
    const closed = once(response, "close");
    await time.pass(2_000);
    assert.equal((await rest).kind, "broken_off");
    await closed;
  });

  it("takes an answer for whole after its last event, whatever becomes of the connection", async (t) => {
    const { upstream, parts } = await setUp(t);
    void upstream.next().then((response) => {
      response.writeHead(200, eventStream).write(wholeStream, () => response.destroy());
    });
    assert.equal((await allOf(parts)).at(-1)?.kind, "end");
  });

  it("fails when the stream ends without its last event", async (t) => {
    const { upstream, parts } = await setUp(t);
    void upstream.next().then((response) => {
      response.writeHead(200, eventStream).end(wholeStream.replace(events.stop, ""));
    });
    assert.equal((await faultOf(parts)).kind, "broken_off");
  });

  it("follows no redirect: neither the prompt nor the token travels on", async (t) => {
    const elsewhere = await startHandUpstream();
    t.after(() => elsewhere.close());
    const { upstream, parts } = await setUp(t);
    void upstream.next().then((response) => {
      response.writeHead(307, { location: `${elsewhere.url}/v1/messages` }).end();
    });
    let isAsked = false;
    void elsewhere.next().then(() => {
      isAsked = true;
    });
    assert.equal((await faultOf(parts)).kind, "offline");
    assert.equal(isAsked, false);
  });

  it("shows no token that the relay quotes", async (t) => {
    const { upstream, parts } = await setUp(t);
    const error = { type: "api_error", message: "What is some-token?" };
    void upstream.next().then((response) => {
      response
        .writeHead(500, { "content-type": "application/json" })
        .end(JSON.stringify({ type: "error", error }));
    });
    assert.equal((await faultOf(parts)).message, "What is [token]?");
  });

  it("asks at a relay under a path, with its one credential", async (t) => {
    const asked = Promise.withResolvers<IncomingMessage>();
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      asked.resolve(request);
      response.writeHead(200, eventStream).end(wholeStream);
    }).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const time = new FakeTime();
    const deps = { timers: time.timers, now: time.clock.now };
    const access = accessTo(`http://127.0.0.1:${port}/team/relay`);
    await allOf(askRelay(access, question, new AbortController().signal, deps));
    const { url, headers } = await asked.promise;
    assert.equal(url, "/team/relay/v1/messages");
    assert.equal(headers.authorization, "Bearer some-token");
    assert.equal(headers["x-api-key"], undefined);
  });
});

/** Waits until the app has read what is on the wire: it then sets its timer anew. */
const heard = async (time: FakeTime): Promise<void> => {
  const { resets } = time;
  while (time.resets === resets) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};
