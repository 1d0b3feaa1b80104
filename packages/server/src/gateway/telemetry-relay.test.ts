import assert from "node:assert/strict";
import { test } from "node:test";
import { epochMs } from "@claude-relay/contract";
import { createTelemetryRelay, type PostTelemetry } from "./telemetry-relay.ts";

const headers = { contentType: "application/x-protobuf", contentEncoding: null };

const setUp = (url: string | null = "http://collector.test") => {
  const time = { ms: 0 };
  const sent: string[] = [];
  const answers: ((status: number) => void)[] = [];
  const warnings: object[] = [];
  const signals: AbortSignal[] = [];
  const quiet = () => undefined;
  const post: PostTelemetry = (sending, signal) => {
    sent.push(`${sending.url} ${sending.body}`);
    signals.push(signal);
    return new Promise((resolve) => answers.push(resolve));
  };
  const relay = createTelemetryRelay({
    url,
    post,
    mostAtOnce: 2,
    mostBytes: 10,
    clock: { now: () => epochMs(time.ms), monotonicMs: () => time.ms },
    log: {
      ...{ debug: quiet, info: quiet, error: quiet, isLevelEnabled: () => false },
      warn: (fields) => void warnings.push(fields),
    },
  });
  const take = (body: string): void => relay.take("logs", headers, Buffer.from(body));
  /** Answers the oldest that waits, and lets the relay see it. */
  const answer = async (status: number): Promise<void> => {
    answers.shift()?.(status);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { relay, take, answer, sent, warnings, time, signals };
};

test("sends at once, each to the path of its signal", () => {
  const { take, sent } = setUp();
  take("a");
  assert.deepEqual(sent, ["http://collector.test/v1/logs a"]);
});

test("without an address everything is dropped in silence", () => {
  const { take, sent, warnings } = setUp(null);
  take("a");
  assert.deepEqual([sent, warnings], [[], []]);
});

test("a slow collector holds no more than it may: the rest is dropped, by number and by bytes", async () => {
  const { take, answer, sent } = setUp();
  take("a");
  take("b");
  take("c");
  assert.equal(sent.length, 2);
  await answer(200);
  take("0123456789");
  assert.equal(sent.length, 2, "one byte is still on its way");
  take("012345678");
  assert.equal(sent.length, 3);
});

test("what is lost is never sent again, and is told of once a minute with a count", async () => {
  const { take, answer, sent, warnings, time } = setUp();
  for (const body of ["a", "b", "c"]) {
    take(body);
    await answer(503);
  }
  assert.equal(sent.length, 3);
  assert.deepEqual(warnings, [{ lost: 1, why: "answered 503" }]);
  time.ms += 60_000;
  take("d");
  await answer(500);
  assert.deepEqual(warnings[1], { lost: 3, why: "answered 500" });
});

test("closing cuts what is on its way and takes nothing more", () => {
  const { relay, take, sent, signals } = setUp();
  take("a");
  relay.close();
  assert.equal(signals[0]?.aborted, true);
  take("b");
  assert.equal(sent.length, 1);
});
