import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LineDeps } from "./line.ts";
import { Refusal } from "./refusal.ts";
import { body, lineFixture } from "./test-setup.ts";

const event = (type: string, data: object): Buffer =>
  Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
const started = event("message_start", {
  message: {
    id: "msg_1",
    type: "message",
    model: "claude-haiku-4-5",
    usage: { input_tokens: 30, output_tokens: 1 },
  },
});
const delta = event("content_block_delta", {
  index: 0,
  delta: { type: "text_delta", text: "Hello there, how are you?" },
});
const counted = event("message_delta", { delta: {}, usage: { output_tokens: 12 } });
const stopped = event("message_stop", {});
const sse = { "content-type": "text/event-stream; charset=utf-8" };
const json = { "content-type": "application/json" };
const message = Buffer.from(
  JSON.stringify({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-haiku-4-5",
    content: [],
    stop_reason: "end_turn",
    usage: { input_tokens: 30, output_tokens: 12 },
  }),
);

/** A walk that has reached upstream. */
const underWay = async (changes: Partial<LineDeps> = {}, sent = true) => {
  const fixture = lineFixture(changes);
  fixture.upstream.sent = sent;
  const walked = fixture.walk();
  // Looked at by the tests that expect a refusal; not unhandled in the others.
  walked.catch(() => {});
  const receiver = await fixture.upstream.called;
  await new Promise((resolve) => setImmediate(resolve));
  return { ...fixture, walked, receiver };
};

describe("forwarding", () => {
  it("passes bytes as they come, ends, and writes one measured outcome", async () => {
    const { receiver, walked, reply, outcomes, active, released, time } = await underWay();
    assert.equal(active.size, 1);
    time.ms += 40;
    receiver.onStart(200, { ...sse, "request-id": "req_up" });
    for (const chunk of [started, delta, counted, stopped]) {
      receiver.onData(chunk);
    }
    time.ms += 60;
    receiver.onEnd();
    await walked;
    assert.deepEqual(reply.notes, [
      "start 200",
      `write ${started}`,
      `write ${delta}`,
      `write ${counted}`,
      `write ${stopped}`,
      "end",
    ]);
    assert.equal(outcomes.length, 1);
    const [outcome] = outcomes;
    assert.equal(outcome?.accuracy, "measured");
    assert.equal(outcome?.ending, "complete");
    assert.equal(outcome?.usage.inputTokens, 30);
    assert.equal(outcome?.usage.outputTokens, 12);
    assert.equal(outcome?.costMicroUsd, 42);
    assert.equal(outcome?.firstByteMs, 40);
    assert.equal(outcome?.durationMs, 100);
    assert.equal(outcome?.upstreamRequestId, "req_up");
    assert.equal(active.size, 0);
    assert.deepEqual(released, [body]);
  });

  it("calls upstream in its caller's name, whose share of it is counted", async () => {
    const { upstream } = await underWay();
    assert.equal(upstream.callerKey, "device:test-device-0001");
  });

  it("ends a JSON answer of known length with its last bytes, in one write", async () => {
    const { receiver, walked, reply, outcomes } = await underWay();
    receiver.onStart(200, { ...json, "content-length": String(message.length) });
    receiver.onData(message);
    receiver.onEnd();
    await walked;
    assert.deepEqual(reply.notes, ["start 200", `end ${message}`]);
    assert.equal(outcomes[0]?.accuracy, "measured");
    assert.equal(outcomes[0]?.costMicroUsd, 42);
  });

  it("(LEDGER_SYNC=full) ends an answer only when its outcome is on disk", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { receiver, reply, outcomes } = await underWay({ flushed: () => promise });
    receiver.onStart(200, { ...json, "content-length": String(message.length) });
    receiver.onData(message);
    receiver.onEnd();
    await new Promise((turn) => setImmediate(turn));
    assert.deepEqual(reply.notes, ["start 200"]);
    assert.equal(outcomes.length, 1);
    resolve();
    await new Promise((turn) => setImmediate(turn));
    assert.deepEqual(reply.notes, ["start 200", `end ${message}`]);
  });

  for (const fails of ["start", "write", "end", "breakOff"] as const) {
    for (const flushed of [null, async () => undefined]) {
      it(`ends the exchange when the reply fails at its ${fails}${flushed && " (LEDGER_SYNC=full)"}`, async () => {
        const { receiver, walked, reply, outcomes, active, settled } = await underWay({ flushed });
        reply[fails] = () => {
          throw new RangeError("Maximum call stack size exceeded");
        };
        receiver.onStart(200, sse);
        receiver.onData(started);
        if (fails !== "breakOff") {
          receiver.onData(counted);
          receiver.onData(stopped);
        }
        receiver.onEnd();
        receiver.onFailure({ kind: "timeout", message: "late", sent: true });
        await assert.rejects(walked, RangeError);
        assert.deepEqual([outcomes.length, settled.length, active.size], [1, 1, 0]);
      });
    }
  }

  it("writes down what the caller was told, where that is not what upstream said", async () => {
    for (const flushed of [null, async () => undefined]) {
      const { receiver, walked, reply, outcomes } = await underWay({ flushed });
      Object.assign(reply, { told: () => ({ status: 502, errorType: "api_error" }) });
      receiver.onStart(200, sse);
      for (const chunk of [started, delta, counted, stopped]) {
        receiver.onData(chunk);
      }
      receiver.onEnd();
      await walked;
      assert.deepEqual(
        outcomes.map(({ status, errorType, accuracy }) => [status, errorType, accuracy]),
        [[502, "api_error", "measured"]],
      );
    }
  });

  it("passes upstream's refusal on, free of charge", async () => {
    const { receiver, walked, reply, outcomes } = await underWay();
    const overloaded = Buffer.from(
      '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    );
    receiver.onStart(529, json);
    receiver.onData(overloaded);
    receiver.onEnd();
    await walked;
    assert.deepEqual(reply.notes, ["start 529", `write ${overloaded}`, "end"]);
    assert.equal(outcomes[0]?.status, 529);
    assert.equal(outcomes[0]?.accuracy, "free");
    assert.equal(outcomes[0]?.costMicroUsd, 0);
    assert.equal(outcomes[0]?.errorType, "overloaded_error");
  });

  it("lets a slow caller hold upstream up, and lets it go on when it has read", async () => {
    const { receiver, reply, upstream } = await underWay();
    receiver.onStart(200, sse);
    reply.ready = false;
    receiver.onData(started);
    assert.deepEqual(upstream.notes, ["send", "pause"]);
    reply.drain();
    assert.deepEqual(upstream.notes, ["send", "pause", "resume"]);
  });

  it("cancels upstream when the caller leaves, and writes an estimate of what was delivered", async () => {
    const { receiver, walked, reply, upstream, outcomes, active, released } = await underWay();
    receiver.onStart(200, sse);
    receiver.onData(started);
    receiver.onData(delta);
    reply.leave();
    await walked;
    assert.deepEqual(upstream.notes, ["send", "cancel"]);
    assert.equal(outcomes.length, 1);
    assert.equal(outcomes[0]?.ending, "client_left");
    assert.equal(outcomes[0]?.accuracy, "estimated");
    assert.equal(outcomes[0]?.usage.inputTokens, 30);
    assert.ok((outcomes[0]?.usage.outputTokens ?? 0) > 1);
    assert.equal(active.size, 0);
    // Upstream may still be reading it.
    assert.deepEqual(released, []);
    reply.leave();
    assert.equal(outcomes.length, 1);
  });

  it("writes 499 and the input's estimate when the caller leaves before any answer", async () => {
    const { walked, reply, outcomes, upstream } = await underWay();
    reply.leave();
    await walked;
    assert.deepEqual(upstream.notes, ["send", "cancel"]);
    assert.equal(outcomes[0]?.status, 499);
    assert.equal(outcomes[0]?.accuracy, "estimated");
    assert.equal(outcomes[0]?.usage.inputTokens, Math.ceil(body.length / 4));
  });

  it("does not call upstream for a caller that left while the ledger was written", async () => {
    const { walk, upstream, reply, outcomes } = lineFixture();
    reply.onLeave = (listener) => listener();
    await walk();
    assert.deepEqual(upstream.notes, []);
    assert.equal(outcomes.length, 1);
    assert.equal(outcomes[0]?.accuracy, "free");
    assert.equal(outcomes[0]?.costMicroUsd, 0);
  });

  it("ends a stream that breaks off with an error event and no clean end", async () => {
    const { receiver, walked, reply, outcomes } = await underWay();
    receiver.onStart(200, sse);
    receiver.onData(started);
    receiver.onFailure({ kind: "unreachable", message: "ECONNRESET", sent: true });
    await walked;
    const last = reply.notes.at(-1) ?? "";
    assert.match(
      last,
      /^break off event: error\ndata: {"type":"error","error":{"type":"api_error"/,
    );
    assert.equal(outcomes[0]?.ending, "upstream_broke");
    assert.equal(outcomes[0]?.accuracy, "estimated");
    assert.equal(outcomes[0]?.usage.inputTokens, 30);
  });

  it("takes a stream that ends without message_stop for broken off", async () => {
    const { receiver, walked, reply, outcomes } = await underWay();
    receiver.onStart(200, sse);
    receiver.onData(started);
    receiver.onData(delta.subarray(0, 40));
    receiver.onEnd();
    await walked;
    assert.match(reply.notes.at(-1) ?? "", /^break off \nevent: error\n/);
    assert.equal(outcomes[0]?.ending, "upstream_broke");
  });

  it("refuses when no answer came, and charges only what upstream may have seen", async () => {
    for (const [failure, code, accuracy] of [
      [{ kind: "breaker_open", retryAfterSeconds: 9, sent: false }, "breaker_open", "free"],
      [{ kind: "unreachable", message: "x", sent: false }, "upstream_unreachable", "free"],
      [{ kind: "unreachable", message: "x", sent: true }, "upstream_unreachable", "estimated"],
      [{ kind: "timeout", message: "x", sent: true }, "upstream_timeout", "estimated"],
    ] as const) {
      const { receiver, walked, outcomes, reply, active } = await underWay();
      receiver.onFailure(failure);
      await assert.rejects(walked, (error) => error instanceof Refusal && error.code === code);
      assert.equal(outcomes.length, 1);
      assert.equal(outcomes[0]?.accuracy, accuracy);
      assert.deepEqual(reply.notes, []);
      assert.equal(active.size, 0);
    }
  });

  it("gives everything back, the day's request too, where it refused by itself; else keeps that", async () => {
    const busy = { "content-type": "application/json" };
    for (const [status, sent, isBack] of [
      [429, false, true],
      [503, false, true],
      [400, false, false],
      [429, true, false],
      [503, true, false],
    ] as const) {
      const { receiver, walked, settled } = await underWay({}, sent);
      receiver.onStart(status, busy);
      receiver.onData(Buffer.from('{"type":"error","error":{"type":"x","message":"y"}}'));
      receiver.onEnd();
      await walked;
      assert.deepEqual(
        settled.map((used) => used === null),
        [isBack],
        `${status} ${sent}`,
      );
    }
    const { receiver, walked, settled } = await underWay();
    receiver.onFailure({ kind: "breaker_open", retryAfterSeconds: 9, sent: false });
    await assert.rejects(walked);
    assert.deepEqual(settled, [null]);
  });

  it("pings after 15 s of silence, between events only", async () => {
    const { receiver, reply, active, time } = await underWay();
    receiver.onStart(200, sse);
    receiver.onData(started);
    const written = reply.notes.length;
    const wait = (ms: number): void => {
      time.ms += ms;
      active.tick(time.ms);
    };
    wait(14_999);
    assert.equal(reply.notes.length, written);
    wait(1);
    assert.equal(reply.notes.at(-1), 'write event: ping\ndata: {"type": "ping"}\n\n');
    wait(14_999);
    assert.equal(reply.notes.length, written + 1);
    wait(1);
    assert.equal(reply.notes.length, written + 2);
    receiver.onData(delta.subarray(0, 30));
    wait(60_000);
    assert.equal(reply.notes.length, written + 3);
  });

  it("never pings a caller that is slower than upstream: the silence is its own", async () => {
    const { receiver, reply, active, time } = await underWay();
    receiver.onStart(200, sse);
    reply.ready = false;
    receiver.onData(started);
    const written = reply.notes.length;
    time.ms += 60_000;
    active.tick(time.ms);
    assert.equal(reply.notes.length, written);
    reply.drain();
    active.tick(time.ms + 14_999);
    assert.equal(reply.notes.length, written);
    active.tick(time.ms + 15_000);
    assert.equal(reply.notes.length, written + 1);
  });

  it("never pings into a JSON answer", async () => {
    const { receiver, reply, active, time } = await underWay();
    receiver.onStart(200, json);
    time.ms += 60_000;
    active.tick(time.ms);
    assert.deepEqual(reply.notes, ["start 200"]);
  });

  it("marks a long stream's count in the ledger once a second, when it has grown", async () => {
    const { receiver, active, time, steps } = await underWay();
    const marks = () => steps.filter((step) => step === "progress").length;
    receiver.onStart(200, sse);
    receiver.onData(started);
    receiver.onData(delta);
    time.ms += 999;
    active.tick(time.ms);
    assert.equal(marks(), 0);
    time.ms += 1;
    active.tick(time.ms);
    assert.equal(marks(), 1);
    time.ms += 1000;
    active.tick(time.ms);
    assert.equal(marks(), 1);
  });

  it("abandoned at the end of a drain, cancels upstream and says so to the caller", async () => {
    const { receiver, walked, reply, active, outcomes, upstream } = await underWay();
    receiver.onStart(200, sse);
    receiver.onData(started);
    active.abandonAll();
    await walked;
    assert.deepEqual(upstream.notes, ["send", "cancel"]);
    assert.match(reply.notes.at(-1) ?? "", /shutting down/);
    assert.equal(outcomes[0]?.ending, "process_died");
    assert.equal(active.size, 0);
  });
});
