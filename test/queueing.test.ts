/** CONCURRENCY_QUEUE_MS: a call over a limit of concurrency waits for a place instead of being refused. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { startSetting } from "./harness/anthropic.ts";
import { begun, eventsIn, finish, open, readUntil, send, withToken } from "./harness/http.ts";
import { type InsideRelay, question, startInside } from "./harness/inside.ts";

const generous = { RATE_LIMIT_MAX: "1000000", IP_RATE_LIMIT_MAX: "1000000" };

const start = async (t: TestContext, env: Readonly<Record<string, string>> = {}) => {
  const relay = await startInside({ env: { ...generous, CONCURRENCY_QUEUE_MS: "30s", ...env } });
  t.after(() => relay.remove());
  return relay;
};

const limitTo = async (relay: InsideRelay, concurrency: number): Promise<void> => {
  const body = { scope: "relay", concurrency };
  assert.equal((await relay.admin("/admin/policies", { body })).status, 201);
};

/** A stream that runs until it is left. */
const stalled = async (relay: InsideRelay, token: string) => {
  const headers = withToken(token, "stall:4");
  const call = open(relay.url, { headers, body: { ...question, stream: true } });
  await readUntil(await begun(call), (text) => eventsIn(text) === 4);
  return call;
};

/** Resolves when the relay has read a request of which upstream has not heard. */
const logged = async (relay: InsideRelay, count: number): Promise<void> => {
  const incoming = (): number =>
    relay.logs.filter((line) => line.includes('"Incoming request"')).length;
  while (incoming() < count) {
    await new Promise(setImmediate);
  }
};

describe("a call over a limit of concurrency", () => {
  it("is refused at once without CONCURRENCY_QUEUE_MS", async (t) => {
    const relay = await start(t, { CONCURRENCY_QUEUE_MS: "0" });
    await limitTo(relay, 1);
    const token = await relay.bootstrap();
    const call = await stalled(relay, token);
    const refused = await relay.ask(token);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("x-relay-queued-ms"), null);
    call.destroy();
  });

  it("waits for a place, counts once, and tells how long it waited", async (t) => {
    const relay = await start(t);
    await limitTo(relay, 1);
    const token = await relay.bootstrap();
    const call = await stalled(relay, token);
    const waiting = relay.ask(token);
    await logged(relay, 2);
    assert.equal(relay.simulator.counters().requests, 1, "upstream has not heard of it");
    call.destroy();
    const answer = await waiting;
    assert.equal(answer.status, 200);
    // This clock stands still.
    assert.equal(answer.headers.get("x-relay-queued-ms"), "0");
    const left = Number(answer.headers.get("anthropic-ratelimit-requests-remaining"));
    const next = await relay.ask(token);
    assert.equal(next.headers.get("x-relay-queued-ms"), null);
    assert.equal(left - Number(next.headers.get("anthropic-ratelimit-requests-remaining")), 1);
  });

  it("is refused when its time is over, with what it waited and when to come again", async (t) => {
    const relay = await start(t, { CONCURRENCY_QUEUE_MS: "50" });
    await limitTo(relay, 1);
    const token = await relay.bootstrap();
    const call = await stalled(relay, token);
    const refused = await relay.ask(token);
    assert.equal(refused.status, 429);
    assert.match(refused.text, /1 call running, which is the limit/);
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.equal(refused.headers.get("x-relay-queued-ms"), "0", "this clock stands still");
    call.destroy();
  });

  it("leaves the queue with its caller, and upstream never hears of it", async (t) => {
    const relay = await start(t);
    await limitTo(relay, 1);
    const token = await relay.bootstrap();
    const call = await stalled(relay, token);
    const waiting = open(relay.url, { headers: withToken(token), body: question });
    await logged(relay, 2);
    waiting.destroy();
    const third = relay.ask(token);
    await logged(relay, 3);
    call.destroy();
    assert.equal((await third).status, 200);
    assert.equal(relay.simulator.counters().requests, 2);
    assert.equal((await relay.ask(token)).status, 200, "no place is lost");
  });

  it("is not served with a credential that was revoked while it waited, and holds nothing", async (t) => {
    const relay = await start(t);
    await limitTo(relay, 1);
    const token = await relay.bootstrap("the-device-1");
    const other = await relay.bootstrap("the-device-2");
    const call = await stalled(relay, other);
    const waiting = relay.ask(token);
    await logged(relay, 2);
    const revoked = await relay.admin("/admin/devices/the-device-1", {
      method: "PATCH",
      body: { status: "disabled" },
    });
    assert.equal(revoked.status, 200, revoked.text);
    call.destroy();
    assert.ok([401, 403].includes((await waiting).status));
    assert.equal((await relay.ask(other)).status, 200);
  });

  it("is told to go elsewhere when the relay stops", async (t) => {
    const setting = await startSetting({ env: { CONCURRENCY_QUEUE_MS: "30s" } });
    t.after(() => setting.simulator.close());
    const { relay, token } = setting;
    const body = JSON.stringify({ scope: "relay", concurrency: 1 });
    assert.equal((await relay.admin("/admin/policies", { method: "POST", body })).status, 201);
    const headers = withToken(token, "paced:20:50");
    const running = open(relay.url, { headers, body: { ...question, stream: true } });
    const answer = await begun(running);
    const waiting = open(relay.url, { headers: withToken(token), body: question });
    let seen = 0;
    await relay.logged(({ msg }) => msg === "Incoming request" && ++seen === 2);
    const refused = begun(waiting);
    const stopped = relay.stop();
    assert.equal((await refused).statusCode, 503);
    assert.equal((await refused).headers["retry-after"], "5");
    assert.ok((await finish(answer)).whole, "what runs is finished");
    assert.equal(await stopped, 0);
  });
});

describe("a greedy caller with 50 calls at once, and a modest one", () => {
  it("share the places: nobody is refused, and the modest one waits for about one call", async (t) => {
    const setting = await startSetting({
      env: { CONCURRENCY_QUEUE_MS: "60s", CONCURRENCY_QUEUE_MAX: "100" },
    });
    t.after(() => setting.stop());
    const { relay, simulator } = setting;
    const body = JSON.stringify({ scope: "relay", concurrency: 2 });
    await relay.admin("/admin/policies", { method: "POST", body });
    const [greedy, modest] = [
      await relay.bootstrap("greedy-one"),
      await relay.bootstrap("modest-one"),
    ];
    const call = (token: string) =>
      send(relay.url, { headers: withToken(token, "slow-start:60"), body: question });
    const flood = Array.from({ length: 50 }, () => call(greedy));
    await simulator.until(({ requests }) => requests >= 2);
    const waits: number[] = [];
    let before = 0;
    for (let turn = 0; turn < 5; turn += 1) {
      const answer = await call(modest);
      assert.equal(answer.status, 200);
      waits.push(Number(answer.headers["x-relay-queued-ms"] ?? 0));
      before = simulator.counters().requests;
    }
    // In rotation: of the first calls about half were the modest one's, though 48 stood before it.
    assert.ok(before <= 2 + 2 * 5 + 10, `${before} calls were served until its fifth`);
    const answers = await Promise.all(flood);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const longest = Math.max(
      ...answers.map(({ headers }) => Number(headers["x-relay-queued-ms"] ?? 0)),
    );
    t.diagnostic(
      `the modest one waited ${waits} ms; the greedy one up to ${longest} ms; ${before} calls served by then`,
    );
    assert.ok(Math.max(...waits) < longest);
  });
});
