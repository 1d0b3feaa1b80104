/** SIGTERM: what runs finishes, what comes is refused, and the ledger is whole. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { ask, askStream } from "./harness/anthropic.ts";
import { eventStream, events, startHandUpstream, wholeStream } from "./harness/hand-upstream.ts";
import { begun, finish, open, readUntil, send, withToken } from "./harness/http.ts";
import { type Row, rowsOf } from "./harness/ledger.ts";
import { startRelay } from "./harness/relay.ts";

const setUp = async (t: TestContext, env: Record<string, string> = {}) => {
  const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  const upstream = await startHandUpstream();
  const relay = await startRelay({ upstreamUrl: upstream.url, dataDir, env });
  t.after(async () => {
    if (relay.process.exitCode === null && relay.process.signalCode === null) {
      await relay.kill();
    }
    await upstream.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const token = await relay.bootstrap();
  const exited = once(relay.process, "exit") as Promise<[number | null, string | null]>;
  return {
    relay,
    upstream,
    token,
    exited,
    /** A stream with its first event at the caller. */
    begin: async () => {
      const call = open(relay.url, { headers: withToken(token), body: askStream("hi") });
      const response = await upstream.next();
      response.writeHead(200, eventStream).write(events.start);
      const answer = await begun(call);
      await readUntil(answer, (text) => text === events.start);
      return { response, answer };
    },
    signal: async () => {
      relay.process.kill("SIGTERM");
      await relay.logged(({ msg }) => msg.startsWith("Draining"));
    },
    /** What the ledger says once the relay is down: read by another on the same folder. */
    rows: async (): Promise<Row[]> => {
      const reader = await startRelay({ upstreamUrl: upstream.url, dataDir });
      const rows = await rowsOf(reader);
      await reader.stop();
      return rows;
    },
  };
};

const rest = wholeStream.slice(events.start.length);

describe("SIGTERM", { concurrency: 4 }, () => {
  it("lets running streams finish whole, then exits 0 with their rows complete", async (t) => {
    const { relay, token, upstream, exited, begin, signal, rows } = await setUp(t);
    const one = await begin();
    const other = await begin();
    const plain = begun(open(relay.url, { headers: withToken(token), body: ask("hi") }));
    const plainResponse = await upstream.next();
    await signal();

    one.response.end(rest);
    const first = await finish(one.answer);
    assert.equal(first.body.toString(), rest);
    assert.ok(first.whole);
    assert.equal(relay.process.exitCode, null, "one still runs");

    plainResponse
      .writeHead(200, { "content-type": "application/json" })
      .end('{"type":"message","model":"m","usage":{"input_tokens":3,"output_tokens":4}}');
    assert.equal((await finish(await plain)).status, 200);
    other.response.end(rest);
    assert.ok((await finish(other.answer)).whole);

    assert.deepEqual(await exited, [0, null]);
    const all = await rows();
    assert.equal(all.length, 3);
    assert.ok(
      all.every(({ accuracy, ending }) => accuracy === "measured" && ending === "complete"),
    );
  });

  it("turns readiness off and refuses new work with 503, while health stays visible", async (t) => {
    const { relay, token, exited, begin, signal, rows } = await setUp(t);
    const before = await send(relay.url, { method: "GET", path: "/readyz" });
    assert.equal(before.status, 200);
    const { response, answer } = await begin();
    await signal();

    const ready = await send(relay.url, { method: "GET", path: "/readyz" });
    assert.equal(ready.status, 503);
    assert.equal(JSON.parse(ready.body.toString()).reason, "draining");
    assert.equal((await send(relay.url, { method: "GET", path: "/healthz" })).status, 200);
    for (const path of ["/v1/messages", "/bootstrap"]) {
      const refused = await send(relay.url, { path, headers: withToken(token), body: ask("hi") });
      assert.equal(refused.status, 503, path);
      assert.ok(Number(refused.headers["retry-after"]) > 0);
      assert.match(refused.body.toString(), /shutting down/);
      assert.equal(refused.headers["x-should-retry"], undefined, "another instance may take it");
    }

    response.end(rest);
    assert.ok((await finish(answer)).whole);
    assert.deepEqual(await exited, [0, null]);
    assert.equal((await rows()).length, 1);
  });

  it("serves a request whose body was still on its way", async (t) => {
    const { relay, token, upstream, exited, signal, rows } = await setUp(t);
    const body = JSON.stringify(askStream("hi"));
    const late = lateBody(relay.url, token, body);
    await relay.logged(
      ({ msg, operation }) => msg === "Incoming request" && operation !== undefined,
    );
    await signal();
    late.end(body.slice(10));
    const response = await upstream.next();
    response.writeHead(200, eventStream).end(wholeStream);
    const answer = await finish(await late.answer);
    assert.equal(answer.body.toString(), wholeStream);
    assert.ok(answer.whole);
    assert.deepEqual(await exited, [0, null]);
    assert.equal((await rows()).filter(({ accuracy }) => accuracy === "measured").length, 1);
  });

  it("with nothing running exits 0 at once, though idle connections are open", async (t) => {
    const { relay, exited } = await setUp(t);
    assert.equal((await fetch(`${relay.url}/healthz`)).status, 200);
    relay.process.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
  });
});

/** A request of which so far only ten bytes of the body are sent. */
const lateBody = (url: string, token: string, body: string) => {
  const call = request(`${url}/v1/messages`, {
    method: "POST",
    agent: false,
    headers: { ...withToken(token), "content-length": Buffer.byteLength(body) },
  });
  call.write(body.slice(0, 10));
  return { end: (last: string) => call.end(last), answer: begun(call) };
};

describe("streams that do not finish", { concurrency: 4 }, () => {
  const cutOff = async (answer: Parameters<typeof finish>[0]): Promise<void> => {
    const { body, whole } = await finish(answer);
    assert.equal(whole, false);
    assert.match(body.toString(), /event: error\ndata: .*shutting down/);
  };

  const assertEstimated = (all: readonly Row[]): void => {
    assert.equal(all.length, 1);
    const [row] = all;
    assert.equal(row?.accuracy, "estimated");
    assert.equal(row?.ending, "process_died");
    assert.equal(row?.input_tokens, 25, "as message_start said");
  };

  it("are cut off by a second SIGTERM, with an error event and an estimated row", async (t) => {
    const { relay, exited, begin, signal, rows } = await setUp(t);
    const { answer } = await begin();
    await signal();
    relay.process.kill("SIGTERM");
    await cutOff(answer);
    assert.deepEqual(await exited, [0, null]);
    assertEstimated(await rows());
  });

  it("are cut off when DRAIN_TIMEOUT is over", async (t) => {
    const { exited, begin, signal, rows } = await setUp(t, { DRAIN_TIMEOUT: "100ms" });
    const { answer } = await begin();
    await signal();
    await cutOff(answer);
    assert.deepEqual(await exited, [0, null]);
    assertEstimated(await rows());
  });

  it("before their first byte are refused with an error, and upstream may bill them", async (t) => {
    const { relay, token, upstream, exited, signal, rows } = await setUp(t, {
      DRAIN_TIMEOUT: "100ms",
    });
    const asked = send(relay.url, { headers: withToken(token), body: ask("hi") });
    await upstream.next();
    await signal();
    const answer = await asked;
    assert.ok(answer.status >= 500);
    assert.match(answer.body.toString(), /shutting down/);
    assert.deepEqual(await exited, [0, null]);
    const [row] = await rows();
    assert.deepEqual([row?.accuracy, row?.ending], ["estimated", "process_died"]);
    assert.ok(Number(row?.input_tokens) > 0);
  });

  it("because their reader does not read cannot keep the relay from going down", async (t) => {
    const { exited, begin, signal, rows } = await setUp(t, { DRAIN_TIMEOUT: "100ms" });
    const { response, answer } = await begin();
    answer.pause();
    const text = events.delta.replace("Hello", "x".repeat(1_000_000));
    while (response.write(text)) {
      // Until nobody takes any more.
    }
    for (let count = 0; count < 30; count += 1) {
      response.write(text);
    }
    await signal();
    assert.deepEqual(await exited, [0, null]);
    assertEstimated(await rows());
  });

  it("though their body came after the signal are bound by DRAIN_TIMEOUT too", async (t) => {
    const { relay, token, upstream, exited, signal, rows } = await setUp(t, {
      DRAIN_TIMEOUT: "2s",
    });
    const body = JSON.stringify(askStream("hi"));
    const late = lateBody(relay.url, token, body);
    await relay.logged(
      ({ msg, operation }) => msg === "Incoming request" && operation !== undefined,
    );
    await signal();
    late.end(body.slice(10));
    const response = await upstream.next();
    response.writeHead(200, eventStream).write(events.start);
    await cutOff(await late.answer);
    assert.deepEqual(await exited, [0, null]);
    assertEstimated(await rows());
  });
});
