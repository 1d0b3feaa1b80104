import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, it } from "node:test";
import { epochMs, type ModelId } from "@claude-relay/contract";
import fc from "fast-check";
import type { Log } from "../pipeline/log.ts";
import { TestTime } from "../pipeline/test-time.ts";
import type {
  Upstream,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamReceiver,
  UpstreamRequest,
} from "../pipeline/types.ts";
import { FairShare } from "./fair-share.ts";

const quiet: Log = {
  ...{ debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  isLevelEnabled: () => false,
};

const startedAt = Date.parse("2026-11-21T12:00:00Z");
const answerMs = 20;

/** Anthropic's token bucket of requests, with its headers, answering after a moment. */
class BucketUpstream implements Upstream {
  readonly name = "bucket";
  readonly #time: TestTime;
  readonly #perMinute: number;
  /** What is scarce, by its name in the headers. */
  readonly #kind: "requests" | "input-tokens";
  #level: number;
  #at = 0;
  heard: FairShare["heard"] = () => {};
  asked = 0;
  refused = 0;
  /** It gives no answer. */
  isSilent = false;
  /** Its answers have no headers but `retry-after`. */
  saysLittle = false;
  throws = false;

  constructor(time: TestTime, perMinute: number, kind: "requests" | "input-tokens") {
    this.#time = time;
    this.#kind = kind;
    this.#perMinute = perMinute;
    this.#level = perMinute;
  }

  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamExchange {
    if (this.throws) {
      throw new Error("a fault");
    }
    this.asked += 1;
    let isCancelled = false;
    const amount = this.#kind === "requests" ? 1 : (request.body?.length ?? 1);
    const { status, headers } = this.#decide(amount);
    if (!this.isSilent) {
      this.#time.later(answerMs, () => {
        if (!isCancelled) {
          this.heard("key 1", request, status, headers);
          receiver.onStart(status, headers);
          receiver.onEnd();
        }
      });
    }
    return {
      pause: () => {},
      resume: () => {},
      cancel: () => {
        isCancelled = true;
      },
      sent: true,
    };
  }

  #decide(amount: number): { status: number; headers: IncomingHttpHeaders } {
    const perMs = this.#perMinute / 60_000;
    const { ms } = this.#time;
    this.#level = Math.min(this.#perMinute, this.#level + (ms - this.#at) * perMs);
    this.#at = ms;
    const isGranted = this.#level >= amount;
    this.#level -= isGranted ? amount : 0;
    this.refused += isGranted ? 0 : 1;
    const wholeAt = startedAt + ms + (this.#perMinute - this.#level) / perMs;
    const wait = Math.ceil((amount - this.#level) / perMs / 1000);
    const name = `anthropic-ratelimit-${this.#kind}`;
    const told = {
      date: new Date(startedAt + ms).toUTCString(),
      "anthropic-ratelimit-requests-limit": "1000000",
      "anthropic-ratelimit-requests-remaining": "999999",
      [`${name}-limit`]: String(this.#perMinute),
      [`${name}-remaining`]: String(Math.floor(this.#level)),
      [`${name}-reset`]: new Date(Math.ceil(wholeAt / 1000) * 1000).toISOString(),
    };
    return {
      status: isGranted ? 200 : 429,
      headers: {
        ...(!this.saysLittle && told),
        ...(!isGranted && { "retry-after": String(wait) }),
      },
    };
  }
}

type Result = number | UpstreamFailure;

const setUp = (
  perMinute: number,
  changes: { maxWaitMs?: number; maxWaiting?: number } = {},
  scarce: { tokens?: number } = {},
) => {
  const time = new TestTime();
  const { tokens } = scarce;
  const bucket =
    tokens === undefined
      ? new BucketUpstream(time, perMinute, "requests")
      : new BucketUpstream(time, tokens, "input-tokens");
  const share = new FairShare({
    keyCount: 1,
    maxWaitMs: 10_000,
    maxWaiting: 100,
    clock: { now: () => epochMs(startedAt + time.ms), monotonicMs: time.now },
    later: time.later,
    log: quiet,
    ...changes,
  });
  bucket.heard = share.heard;
  const upstream = share.over(bucket);
  const call = (
    callerKey: string,
    done: (result: Result) => void,
    model = "claude-a",
    inputTokens = 1,
  ) => {
    let status = 0;
    const exchange: UpstreamExchange = upstream.send(
      {
        operation: { kind: "messages", beta: false },
        headers: [],
        body: Buffer.alloc(inputTokens),
        callerKey,
        model: model as ModelId,
      },
      {
        onStart: (given) => {
          status = given;
        },
        onData: () => {},
        onEnd: () => {
          const counted = status === 200 ? inputTokens : 0;
          exchange.used?.({ microUsd: 0, inputTokens: counted, outputTokens: 0, tokens: counted });
          done(status);
        },
        onFailure: done,
      },
    );
    return exchange;
  };
  /** One call, until it is over. */
  const wait = async (callerKey: string) => {
    const since = time.ms;
    const results: Result[] = [];
    call(callerKey, (result) => results.push(result));
    while (results.length === 0) {
      await time.pass(10);
    }
    return { result: results[0], ms: time.ms - since };
  };
  /** A caller that always has so many calls out, and comes again after what it is told. */
  const keepCalling = (callerKey: string, parallel: number, untilMs: number, tokens = 1) => {
    const tally = { served: 0, refused: 0, limited: 0, longestMs: 0 };
    const once = (): void => {
      const since = time.ms;
      call(
        callerKey,
        (result) => {
          tally.longestMs = Math.max(tally.longestMs, time.ms - since);
          tally.served += result === 200 ? 1 : 0;
          tally.refused += result === 429 ? 1 : 0;
          tally.limited += typeof result === "object" ? 1 : 0;
          if (time.ms < untilMs) {
            time.later(result === 200 ? 0 : 1000, once);
          }
        },
        "claude-a",
        tokens,
      );
    };
    for (let index = 0; index < parallel; index += 1) {
      once();
    }
    return tally;
  };
  return { time, bucket, share, call, wait, keepCalling };
};

describe("a caller alone", () => {
  it("passes straight through, and upstream's own refusals with it", async () => {
    const { time, bucket, call } = setUp(10);
    const seen: Result[] = [];
    for (let index = 0; index < 30; index += 1) {
      call("device:a", (result) => seen.push(result));
    }
    assert.equal(bucket.asked, 30);
    await time.pass(100);
    for (let index = 0; index < 5; index += 1) {
      call("device:a", (result) => seen.push(result));
    }
    assert.equal(bucket.asked, 35, "nor is it held back once upstream has refused");
    await time.pass(100);
    assert.equal(seen.filter((result) => result === 200).length, 10);
    assert.equal(seen.filter((result) => result === 429).length, 25);
  });
});

describe("callers that want more than upstream gives", () => {
  it("get what they want up to an equal share, and the modest one at once", async () => {
    const { time, keepCalling, wait } = setUp(600);
    const greedy = keepCalling("device:greedy", 50, 60_000);
    await time.pass(2_000);
    // Upstream still rests from its refusals.
    assert.equal((await wait("device:modest")).result, 200);
    const before = { served: greedy.served, ms: time.ms };
    for (let turn = 0; turn < 40; turn += 1) {
      const { result, ms } = await wait("device:modest");
      assert.equal(result, 200);
      assert.ok(ms <= answerMs + 30, `${ms} ms: a place is kept for it`);
      await time.pass(500);
    }
    // Of 10 a second the modest one takes less than two.
    const perSecond = ((greedy.served - before.served) * 1000) / (time.ms - before.ms);
    assert.ok(perSecond > 7.5, `${perSecond}`);
  });

  it("begin together, though one of them was away for long", async () => {
    const { time, keepCalling, wait } = setUp(600);
    const [here, other] = [
      keepCalling("device:here", 20, 90_000),
      keepCalling("device:b", 20, 50_000),
    ];
    await wait("device:back");
    await time.pass(45_000);
    const back = keepCalling("device:back", 20, 90_000);
    const before = here.served;
    await time.pass(5_000);
    const got = [here.served - before, back.served];
    assert.ok(other.served > 0);
    assert.ok(Math.abs((got[0] ?? 0) - (got[1] ?? 0)) <= 2, `${got}`);
  });

  it("seldom run into upstream's refusals, though it says no more than when to come again", async () => {
    const { time, bucket, keepCalling } = setUp(60);
    bucket.saysLittle = true;
    const tallies = ["device:a", "device:b"].map((name) => keepCalling(name, 50, 60_000));
    await time.pass(1_000);
    const { asked, refused } = bucket;
    await time.pass(60_000);
    const served = bucket.asked - asked - (bucket.refused - refused);
    // It must be tried how much more it gives, a call or two at a time.
    const inVain = bucket.refused - refused;
    assert.ok(inVain <= 2 * served + 2, `${inVain} in vain, ${served} served`);
    assert.ok(served >= 25, `${served} in a minute`);
    const [a = 0, b = 0] = tallies.map((tally) => tally.served);
    assert.ok(Math.abs(a - b) <= 62, `${a} and ${b}`);
  });

  it("share by what their calls use, where tokens are what is scarce", async () => {
    const { time, bucket, keepCalling } = setUp(100_000, {}, { tokens: 60_000 });
    const large = keepCalling("device:large", 20, 60_000, 1_000);
    const small = keepCalling("device:small", 20, 60_000, 100);
    await time.pass(20_000, 20);
    const before = [large.served, small.served];
    await time.pass(30_000, 20);
    const got = [large.served - (before[0] ?? 0), small.served - (before[1] ?? 0)];
    const [l = 0, s = 0] = got;
    // Ten small ones for a large one: 500 tokens a second each.
    assert.ok(l >= 14 && l <= 17 && s >= 140 && s <= 170, `${got}`);
    assert.ok(bucket.asked > 0);
  });

  it("are told exactly when to come again, in our words and without asking upstream", async () => {
    const { time, bucket, call } = setUp(60, { maxWaitMs: 0 });
    const seen: Result[] = [];
    for (let index = 0; index < 70; index += 1) {
      call("device:greedy", (result) => seen.push(result));
    }
    call("device:modest", () => {});
    await time.pass(100);
    const { asked } = bucket;
    let told: Result | null = null;
    call("device:greedy", (result) => {
      told = result;
    });
    await time.pass(10);
    assert.equal(bucket.asked, asked);
    assert.deepEqual(told, { kind: "limited", retryAfterSeconds: 1, sent: false });
  });

  it("wait no more than the bounds say, and leave nothing behind", async () => {
    const { time, share, bucket, keepCalling } = setUp(60, { maxWaitMs: 3000, maxWaiting: 8 });
    const tallies = [1, 2, 3].map((name) => keepCalling(`device:${name}`, 20, 20_000));
    let most = 0;
    for (let turn = 0; turn < 2_000; turn += 1) {
      time.advance(10);
      most = Math.max(most, share.waiting);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await time.pass(5_000);
    assert.ok(most > 0 && most <= 8, `${most}`);
    assert.equal(share.waiting, 0);
    assert.equal(time.pending, 0, "no timer is left");
    for (const tally of tallies) {
      assert.ok(tally.longestMs <= 3000 + 2 * answerMs, `${tally.longestMs}`);
    }
    assert.ok(bucket.asked > 0);
  });

  it("do not wait for another model's", async () => {
    const { time, bucket, call } = setUp(60);
    for (const name of ["device:a", "device:b"]) {
      for (let index = 0; index < 80; index += 1) {
        call(name, () => {});
      }
    }
    await time.pass(100);
    const { asked } = bucket;
    call("device:a", () => {}, "claude-b");
    assert.equal(bucket.asked, asked + 1);
  });

  it("leave the line at once when they hang up", async () => {
    const { time, share, bucket, call } = setUp(60);
    for (const name of ["device:a", "device:b"]) {
      for (let index = 0; index < 70; index += 1) {
        call(name, () => {});
      }
    }
    await time.pass(100);
    const waiting = call("device:a", () => assert.fail("it left"));
    assert.equal(waiting.sent, false);
    assert.equal(share.waiting, 1);
    waiting.cancel();
    assert.equal(share.waiting, 0);
    const { asked } = bucket;
    await time.pass(5_000);
    assert.equal(bucket.asked, asked);
    assert.equal(time.pending, 0);
  });

  it("are not held up by an answer that is long in coming", async () => {
    const { time, share, bucket, call } = setUp(60);
    for (const name of ["device:a", "device:b"]) {
      for (let index = 0; index < 70; index += 1) {
        call(name, () => {});
      }
    }
    await time.pass(100);
    bucket.isSilent = true;
    for (let index = 0; index < 4; index += 1) {
      call("device:a", () => {});
    }
    await time.pass(9_000);
    assert.equal(share.waiting, 0);
  });

  it("hear of a fault of ours as of any failure", async () => {
    const { time, bucket, call } = setUp(60);
    for (const name of ["device:a", "device:b"]) {
      for (let index = 0; index < 70; index += 1) {
        call(name, () => {});
      }
    }
    await time.pass(100);
    let told: Result | null = null;
    call("device:a", (result) => {
      told = result;
    });
    bucket.throws = true;
    await time.pass(3_000);
    assert.deepEqual(told, { kind: "unreachable", message: "the relay failed", sent: false });
  });
});

describe("whatever callers want", () => {
  it("none gets less than what it wants or an equal share, but one call", async () => {
    const wishes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 5 });
    const t: string[] = [];
    await fc.assert(
      fc.asyncProperty(wishes, fc.integer({ min: 60, max: 1200 }), async (parallel, perMinute) => {
        const { time, share, bucket, keepCalling } = setUp(perMinute, { maxWaitMs: 600_000 });
        const tallies = parallel.map((count, index) =>
          keepCalling(`device:${index}`, count, 60_000),
        );
        // Whatever was saved up is used first.
        await time.pass(20_000, 20);
        const before = tallies.map(({ served }) => served);
        const asked = bucket.asked;
        await time.pass(30_000, 20);
        const got = tallies.map(({ served }, index) => served - (before[index] ?? 0));
        const total = got.reduce((sum, count) => sum + count, 0);
        const wanted = parallel.map((count) => (count * 30_000) / (answerMs + 20));
        if (bucket.asked - asked > 0 && total < wanted.reduce((a, b) => a + b, 0) / 2) {
          const share = total / parallel.length;
          t.push(`${perMinute}/min, ${parallel}: ${got}`);
          for (const [index, count] of got.entries()) {
            const due = Math.min(wanted[index] ?? 0, share);
            assert.ok(count >= Math.floor(due) - 1, `${perMinute}: ${got} of ${parallel}`);
          }
          assert.ok(total >= (perMinute / 2) * 0.9, `${total} of ${perMinute / 2}`);
        }
        await time.pass(140_000, 50);
        assert.equal(share.waiting, 0);
        assert.equal(time.pending, 0);
      }),
      { numRuns: 25 },
    );
    assert.ok(t.length > 5, "upstream was scarce");
  });
});
