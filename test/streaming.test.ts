/** Streams pass through the relay as they come: unbuffered, at the reader's pace, gone when the reader goes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { ask, askStream, startSetting } from "./harness/anthropic.ts";
import { eventStream, events, startHandUpstream, wholeStream } from "./harness/hand-upstream.ts";
import { begun, eventsIn, finish, open, readUntil, send, withToken } from "./harness/http.ts";
import { onlyRow } from "./harness/ledger.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const ping = 'event: ping\ndata: {"type": "ping"}\n\n';
const MiB = 1024 * 1024;

/** A relay before an upstream in the test's hand. */
const setUp = async (t: TestContext, env: Record<string, string> = {}) => {
  const upstream = await startHandUpstream();
  const relay = await startRelay({ upstreamUrl: upstream.url, env });
  t.after(async () => {
    await upstream.close();
    await relay.stop();
  });
  const token = await relay.bootstrap();
  /** A stream with its first event at the caller: both its ends. */
  const begin = async (first: string = events.start) => {
    const call = open(relay.url, { headers: withToken(token), body: askStream("hi") });
    const response = await upstream.next();
    response.writeHead(200, eventStream);
    response.write(first);
    const answer = await begun(call);
    await readUntil(answer, (text) => text.length >= first.length);
    return { call, response, answer };
  };
  return { relay, upstream, token, begin };
};

describe("a stream", () => {
  it("brings each event, and each half of one, before upstream has sent the next", async (t) => {
    const { begin } = await setUp(t);
    const { response, answer } = await begin();
    const [, ...rest] = Object.values(events);
    for (const event of rest) {
      for (const half of [event.slice(0, 40), event.slice(40)]) {
        response.write(half);
        // Upstream writes nothing more until the caller has this.
        assert.equal(await readUntil(answer, (text) => text.length >= half.length), half);
      }
    }
    response.end();
    const end = await finish(answer);
    assert.equal(end.body.length, 0);
    assert.ok(end.whole);
  });

  it("has its headers before its first event", async (t) => {
    const { relay, upstream, token } = await setUp(t);
    const call = open(relay.url, { headers: withToken(token), body: askStream("hi") });
    const response = await upstream.next();
    response.writeHead(200, eventStream).flushHeaders();
    const answer = await begun(call);
    assert.equal(answer.statusCode, 200);
    response.end(wholeStream);
    assert.equal((await finish(answer)).body.toString(), wholeStream);
  });

  it("is metered to the token though it comes in pieces", async (t) => {
    const { relay, begin } = await setUp(t);
    const { response, answer } = await begin();
    for (const byte of Buffer.from(wholeStream.slice(events.start.length))) {
      response.write(Buffer.from([byte]));
    }
    response.end();
    assert.equal((await finish(answer)).body.toString(), wholeStream.slice(events.start.length));
    const row = await onlyRow(relay);
    assert.deepEqual([row.accuracy, row.input_tokens, row.output_tokens], ["measured", 25, 15]);
  });
});

describe("while upstream is silent", () => {
  it("the caller gets a ping every PING_INTERVAL, and only between events", async (t) => {
    const { relay, begin } = await setUp(t, { PING_INTERVAL: "50ms" });
    const between = await begin();
    const within = await begin();
    const head = events.delta.slice(0, 50);
    within.response.write(head);
    await readUntil(within.answer, (text) => text.endsWith(head));

    const collected: string[] = [];
    within.answer.on("data", (chunk: Buffer) => collected.push(chunk.toString())).resume();
    const pings = await readUntil(between.answer, (text) => eventsIn(text) >= 6);
    assert.equal(pings.replaceAll(ping, ""), "");
    assert.deepEqual(collected, [], "the same clock has ticked for both: none inside an event");

    within.response.write(events.delta.slice(50));
    await once(within.answer, "data");
    const rest = Object.values(events).slice(3).join("");
    for (const { response } of [between, within]) {
      response.end(rest);
    }
    const [one] = await Promise.all([finish(between.answer), once(within.answer, "close")]);
    assert.equal(one.body.toString().replaceAll(ping, ""), rest);
    assert.equal(collected.join("").replaceAll(ping, ""), events.delta.slice(50) + rest);
    assert.equal(relay.stderr(), "");
  });

  it("an answer in one piece gets no ping", async (t) => {
    const { relay, upstream, token } = await setUp(t, { PING_INTERVAL: "50ms" });
    const other = begun(open(relay.url, { headers: withToken(token), body: askStream("hi") }));
    const stream = await upstream.next();
    stream.writeHead(200, eventStream).write(events.start);
    const call = open(relay.url, { headers: withToken(token), body: ask("hi") });
    const response = await upstream.next();
    response.writeHead(200, { "content-type": "application/json" }).write('{"type":');
    const answer = await begun(call);
    await readUntil(await other, (text) => eventsIn(text) > 6);
    response.end('"message"}');
    assert.equal((await finish(answer)).body.toString(), '{"type":"message"}');
    stream.end();
  });
});

const rssOf = (relay: Relay): number => {
  const status = readFileSync(`/proc/${relay.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
};

/** Writes as much as is taken; tells how much that was so far. */
const pour = (response: ServerResponse, chunk: Buffer, total: number, last: string) => {
  const state = { sent: 0 };
  const more = (): void => {
    while (state.sent < total) {
      state.sent += chunk.length;
      if (!response.write(chunk)) {
        response.once("drain", more);
        return;
      }
    }
    response.end(last);
    state.sent += last.length;
  };
  more();
  return state;
};

/** Resolves when a figure has not moved for a while. */
const settled = async (figure: () => number): Promise<number> => {
  for (let last = -1; ; ) {
    const now = figure();
    if (now === last) {
      return now;
    }
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
};

const noProc = process.platform === "linux" ? false : "/proc is read";

describe("a reader slower than upstream", () => {
  for (const kind of ["stream", "message"] as const) {
    it(`of a ${kind} holds upstream back instead of filling memory`, {
      skip: noProc,
    }, async (t) => {
      const { relay, upstream, token } = await setUp(t, { PING_INTERVAL: "50ms" });
      // Warm: code compiled, buffers made.
      const warm = open(relay.url, { headers: withToken(token), body: askStream("hi") });
      (await upstream.next()).writeHead(200, eventStream).end(wholeStream);
      await finish(await begun(warm));

      const total = 128 * MiB;
      const text = "x".repeat(64 * 1024 - 100);
      const chunk = Buffer.from(events.delta.replace("Hello", text));
      const before = rssOf(relay);
      const call = open(relay.url, {
        headers: withToken(token),
        body: kind === "stream" ? askStream("hi") : ask("hi"),
      });
      const response = await upstream.next();
      const type = kind === "stream" ? eventStream : { "content-type": "application/json" };
      response.writeHead(200, type).flushHeaders();
      const answer = await begun(call);
      answer.pause();
      const poured = pour(response, chunk, total, kind === "stream" ? wholeStream : "end");
      const taken = await settled(() => poured.sent);
      assert.ok(taken < 24 * MiB, `upstream got rid of ${taken / MiB} MiB`);
      const growth = rssOf(relay) - before;
      assert.ok(growth < 32 * MiB, `${growth / MiB} MiB more`);
      t.diagnostic(
        `${(taken / MiB).toFixed(1)} MiB on the way, ${(growth / MiB).toFixed(1)} MiB RSS`,
      );

      let got = 0;
      answer.on("data", (bytes: Buffer) => {
        got += bytes.length;
      });
      answer.resume();
      await once(answer, "close");
      assert.equal(got, poured.sent, "nothing lost, nothing added: upstream was never silent");
      assert.equal(relay.stderr(), "", "no warning of piled-up listeners");
    });
  }
});

describe("a caller that leaves", { concurrency: 4 }, () => {
  for (const [when, scenario, body] of [
    ["mid-stream", "stall:4", askStream("hi")],
    ["before a stream's first event", "slow-first-event:600000", askStream("hi")],
    ["before upstream's headers", "slow-start:600000", askStream("hi")],
    ["before an answer in one piece", "stall", ask("hi")],
  ] as const) {
    it(`${when} frees upstream at once`, async (t) => {
      const setting = await startSetting();
      t.after(() => setting.stop());
      const { relay, token, simulator } = setting;
      const call = open(relay.url, { headers: withToken(token, scenario), body });
      if (scenario.startsWith("sta") && "stream" in body) {
        await readUntil(await begun(call), (text) => eventsIn(text) === 4);
      } else {
        await simulator.until(({ requests }) => requests === 1);
      }
      call.destroy();
      await simulator.until(({ aborted, open: left }) => aborted === 1 && left === 0);
      const row = await onlyRow(relay);
      assert.equal(row.ending, "client_left");
      assert.equal(row.accuracy, "estimated");
      assert.ok(row.input_tokens > 0);
    });
  }

  it("while it still sends its body never reaches upstream, and leaves no row", async (t) => {
    const setting = await startSetting();
    t.after(() => setting.stop());
    const { relay, token, simulator } = setting;
    const call = open(relay.url, {
      headers: { ...withToken(token), "content-length": "1000" },
      body: ['{"model":'],
    });
    await relay.logged(
      ({ msg, operation }) => msg === "Incoming request" && operation !== undefined,
    );
    call.destroy();
    await relay.logged(({ msg, code }) => msg === "Request refused" && code === "invalid_request");
    assert.equal(simulator.counters().requests, 0);
    assert.equal((await relay.admin("/admin/usage/requests")).body.data.length, 0);
  });
});

describe("compression", () => {
  it("is not asked for, so that metering reads plain bytes", async (t) => {
    const setting = await startSetting();
    t.after(() => setting.stop());
    const { relay, token, simulator } = setting;
    const { headers, body } = await send(relay.url, {
      headers: { ...withToken(token, "gzip"), "accept-encoding": "gzip" },
      body: askStream("hi"),
    });
    assert.equal(headers["content-encoding"], undefined);
    assert.match(body.toString(), /message_stop/);
    assert.equal(simulator.log[0]?.headers["accept-encoding"], "identity");
    assert.equal((await onlyRow(relay)).accuracy, "measured");
  });

  it("of an upstream that does it all the same reaches the caller untouched, and the row is estimated", async (t) => {
    const { relay, upstream, token } = await setUp(t);
    const call = open(relay.url, { headers: withToken(token), body: ask("hi") });
    const zipped = gzipSync('{"type":"message","usage":{"input_tokens":1,"output_tokens":1}}');
    const response = await upstream.next();
    response
      .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      .end(zipped);
    const answer = await finish(await begun(call));
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.ok(answer.body.equals(zipped));
    const row = await onlyRow(relay);
    assert.equal(row.accuracy, "estimated");
    assert.ok(row.input_tokens > 0 && row.output_tokens > 0);
  });
});
