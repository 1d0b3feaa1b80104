import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Upstream, UpstreamReceiver, UpstreamRequest } from "../pipeline/types.ts";
import { withTimeLimit } from "./time-limit.ts";

const request: UpstreamRequest = { operation: { kind: "complete" }, headers: [], body: null };

/** A call under a limit of one second; the timers move only when told. */
const setUp = (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const notes: string[] = [];
  const note = (what: string) => () => void notes.push(what);
  let inner: UpstreamReceiver | undefined;
  const upstream: Upstream = {
    name: "inner",
    billing: "subscription",
    send: (_request, receiver) => {
      inner = receiver;
      const controls = { pause: note("pause"), resume: note("resume"), cancel: note("cancel") };
      return { ...controls, sent: true };
    },
  };
  const limited = withTimeLimit(upstream, 1000);
  const exchange = limited.send(request, {
    onStart: (status) => void notes.push(`start ${status}`),
    onData: (chunk) => void notes.push(`data ${chunk}`),
    onEnd: note("end"),
    onFailure: ({ kind, sent }) => void notes.push(`failure ${kind} ${sent}`),
  });
  return {
    limited,
    exchange,
    notes,
    inner: inner as unknown as UpstreamReceiver,
    pass: (ms: number) => t.mock.timers.tick(ms),
  };
};

const stream = { "content-type": "text/event-stream; charset=utf-8" };

describe("an upstream under a time limit", () => {
  it("passes everything on, both ways, and keeps its name and billing", (t) => {
    const { limited, exchange, notes, inner, pass } = setUp(t);
    inner.onStart(200, stream);
    inner.onData(Buffer.from("x"));
    exchange.pause();
    exchange.resume();
    inner.onEnd();
    pass(5000);
    assert.deepEqual(notes, ["start 200", "data x", "pause", "resume", "end"]);
    assert.deepEqual(
      [limited.name, limited.billing, exchange.sent],
      ["inner", "subscription", true],
    );
  });

  it("that is silent to the end of it is cancelled, and has timed out", (t) => {
    const { notes, pass } = setUp(t);
    pass(999);
    assert.deepEqual(notes, []);
    pass(1);
    assert.deepEqual(notes, ["cancel", "failure timeout true"]);
  });

  it("that is in the middle of a stream says so in it, the half event before ended", (t) => {
    const { notes, inner, pass } = setUp(t);
    inner.onStart(200, stream);
    inner.onData(Buffer.from('event: content_block_delta\ndata: {"ty'));
    pass(1000);
    assert.deepEqual(notes.slice(2), [
      "cancel",
      'data \n\nevent: error\ndata: {"type":"error","error":{"type":"timeout_error","message":"Upstream took too long: the answer took longer than 1 s (REQ_TIMEOUT)"}}\n\n',
      "failure timeout true",
    ]);
  });

  it("that is in the middle of another answer puts nothing into it", (t) => {
    const { notes, inner, pass } = setUp(t);
    inner.onStart(529, { "content-type": "application/json" });
    pass(1000);
    assert.deepEqual(notes, ["start 529", "cancel", "failure timeout true"]);
  });

  it("whose end could not be taken is still cut off", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let inner: UpstreamReceiver | undefined;
    const notes: string[] = [];
    const upstream: Upstream = {
      name: "inner",
      send: (_request, receiver) => {
        inner = receiver;
        return { pause: () => {}, resume: () => {}, cancel: () => {}, sent: true };
      },
    };
    withTimeLimit(upstream, 1000).send(request, {
      onStart: () => {},
      onData: () => {},
      onEnd: () => {
        throw new RangeError("no");
      },
      onFailure: ({ kind }) => void notes.push(kind),
    });
    assert.throws(() => inner?.onEnd(), RangeError);
    t.mock.timers.tick(1000);
    assert.deepEqual(notes, ["timeout"]);
  });

  it("that failed by itself, or was cancelled, is not cut off later", (t) => {
    const failed = setUp(t);
    failed.inner.onFailure({ kind: "unreachable", message: "x", sent: false });
    failed.pass(5000);
    assert.deepEqual(failed.notes, ["failure unreachable false"]);
    t.mock.timers.reset();
    const cancelled = setUp(t);
    cancelled.exchange.cancel();
    cancelled.pass(5000);
    assert.deepEqual(cancelled.notes, ["cancel"]);
  });

  it("may fail before it has given the call back", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const notes: string[] = [];
    const refusing: Upstream = {
      name: "refusing",
      send: (_request, receiver) => {
        receiver.onFailure({ kind: "breaker_open", retryAfterSeconds: 3, sent: false });
        return { pause: () => {}, resume: () => {}, cancel: () => {}, sent: false };
      },
    };
    withTimeLimit(refusing, 1000).send(request, {
      onStart: () => {},
      onData: () => {},
      onEnd: () => {},
      onFailure: ({ kind }) => void notes.push(kind),
    });
    t.mock.timers.tick(5000);
    assert.deepEqual(notes, ["breaker_open"]);
  });
});
