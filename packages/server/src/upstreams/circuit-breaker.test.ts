import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BreakerChange, type BreakerNews, CircuitBreaker } from "./circuit-breaker.ts";

const breaker = (standBackMs = 0) => {
  const clock = { ms: 0 };
  const changes: BreakerChange[] = [];
  const news: BreakerNews[] = [];
  const it = new CircuitBreaker({
    now: () => clock.ms,
    onChange: (change) => changes.push(change),
    onNews: (one) => news.push(one),
    standBackMs: () => standBackMs,
  });
  const fail = (times: number) => {
    for (let n = 0; n < times; n += 1) {
      it.enter()?.failed("boom");
    }
  };
  return { clock, changes, news, it, fail };
};

describe("the circuit breaker", () => {
  it("opens after five consecutive failures and not after four", () => {
    const { it: breaker_, fail } = breaker();
    fail(4);
    assert.equal(breaker_.snapshot().state, "closed");
    breaker_.enter()?.succeeded();
    fail(4);
    assert.equal(breaker_.snapshot().state, "closed");
    fail(1);
    assert.equal(breaker_.snapshot().state, "open");
    assert.equal(breaker_.enter(), null);
    assert.equal(breaker_.snapshot().retryAfterMs, 30_000);
  });

  it("lets exactly one probe at a time through after the rest, and closes after two successes", () => {
    const { clock, it: breaker_, fail, changes } = breaker();
    fail(5);
    clock.ms += 30_000;
    const probe = breaker_.enter();
    assert.ok(probe);
    for (let n = 0; n < 200; n += 1) {
      assert.equal(breaker_.enter(), null);
    }
    probe.succeeded();
    assert.equal(breaker_.snapshot().state, "half_open");
    breaker_.enter()?.succeeded();
    assert.equal(breaker_.snapshot().state, "closed");
    assert.deepEqual(
      changes.map((change) => change.to),
      ["open", "half_open", "closed"],
    );
  });

  it("lets another probe through when one stays out for ten seconds", () => {
    const { clock, it: breaker_, fail } = breaker();
    fail(5);
    clock.ms += 30_000;
    assert.ok(breaker_.enter());
    clock.ms += 9_999;
    assert.equal(breaker_.enter(), null);
    clock.ms += 1;
    const second = breaker_.enter();
    assert.ok(second);
    assert.equal(breaker_.enter(), null);
    second.succeeded();
    assert.equal(breaker_.snapshot().consecutiveSuccesses, 1);
  });

  it("opens again for the whole rest when a probe fails", () => {
    const { clock, it: breaker_, fail } = breaker();
    fail(5);
    clock.ms += 30_000;
    breaker_.enter()?.failed("still down");
    assert.equal(breaker_.snapshot().state, "open");
    assert.equal(breaker_.snapshot().retryAfterMs, 30_000);
  });

  it("gives the probe's place back when its caller leaves", () => {
    const { clock, it: breaker_, fail } = breaker();
    fail(5);
    clock.ms += 30_000;
    breaker_.enter()?.withdrawn();
    assert.ok(breaker_.enter());
  });

  it("ignores the late results of calls from before it opened", () => {
    const { clock, it: breaker_, fail } = breaker();
    const old = breaker_.enter();
    fail(5);
    clock.ms += 30_000;
    const probe = breaker_.enter();
    old?.succeeded();
    assert.equal(breaker_.snapshot().consecutiveSuccesses, 0);
    assert.equal(breaker_.enter(), null);
    probe?.succeeded();
    assert.equal(breaker_.snapshot().consecutiveSuccesses, 1);
  });

  it("closes at once when reset by hand", () => {
    const { it: breaker_, fail, changes } = breaker();
    fail(5);
    breaker_.reset("an admin reset it");
    assert.equal(breaker_.snapshot().state, "closed");
    assert.equal(changes.at(-1)?.reason, "an admin reset it");
    assert.ok(breaker_.enter());
  });
});

describe("the circuit breakers of several instances", () => {
  it("tell when they open, that a probe is out, how it ended and when they close", () => {
    const { clock, it: breaker_, fail, news } = breaker();
    fail(4);
    assert.deepEqual(news, []);
    fail(1);
    clock.ms += 30_000;
    breaker_.enter()?.withdrawn();
    breaker_.enter()?.succeeded();
    breaker_.enter()?.succeeded();
    const probing = { kind: "probing", forMs: 10_000 };
    assert.deepEqual(news, [
      { kind: "open", forMs: 30_000 },
      { ...probing, successes: 0 },
      { kind: "half_open", successes: 0 },
      { ...probing, successes: 0 },
      { kind: "half_open", successes: 1 },
      { ...probing, successes: 1 },
      { kind: "closed" },
    ]);
  });

  it("open as told, for as long as told and a little more, and tell nobody", () => {
    const { clock, it: breaker_, news, changes } = breaker(500);
    const late = breaker_.enter();
    breaker_.hear({ kind: "open", forMs: 20_000 });
    assert.equal(breaker_.enter(), null);
    assert.equal(breaker_.snapshot().retryAfterMs, 20_500);
    late?.failed("of before");
    assert.equal(breaker_.snapshot().consecutiveFailures, 0);
    clock.ms += 20_499;
    assert.equal(breaker_.enter(), null);
    assert.deepEqual(news, []);
    assert.deepEqual(
      changes.map(({ to, told }) => [to, told]),
      [["open", true]],
    );
    clock.ms += 1;
    assert.ok(breaker_.enter());
  });

  it("let no probe through while another's is out, but for ten seconds at most", () => {
    const { clock, it: breaker_, news } = breaker();
    breaker_.hear({ kind: "open", forMs: 30_000 });
    clock.ms += 30_000;
    breaker_.hear({ kind: "probing", successes: 0, forMs: 9_000 });
    assert.equal(breaker_.snapshot().state, "half_open");
    clock.ms += 8_999;
    assert.equal(breaker_.enter(), null);
    clock.ms += 1;
    assert.ok(breaker_.enter());
    assert.deepEqual(
      news.map(({ kind }) => kind),
      ["probing"],
    );
  });

  it("count each other's probes: the second success closes, whoever saw the first", () => {
    const { clock, it: breaker_, news } = breaker();
    breaker_.hear({ kind: "open", forMs: 30_000 });
    clock.ms += 30_000;
    breaker_.hear({ kind: "probing", successes: 0, forMs: 10_000 });
    breaker_.hear({ kind: "half_open", successes: 1 });
    breaker_.enter()?.succeeded();
    assert.equal(breaker_.snapshot().state, "closed");
    assert.deepEqual(news.at(-1), { kind: "closed" });
  });

  it("keep their own probe's place when another's ends in the same moment", () => {
    const { clock, it: breaker_ } = breaker();
    breaker_.hear({ kind: "open", forMs: 30_000 });
    clock.ms += 30_000;
    const own = breaker_.enter();
    breaker_.hear({ kind: "probing", successes: 0, forMs: 10_000 });
    breaker_.hear({ kind: "half_open", successes: 1 });
    assert.equal(breaker_.enter(), null);
    own?.succeeded();
    assert.equal(breaker_.snapshot().state, "closed");
  });

  it("close as told, and one that was reset says so even when it was closed itself", () => {
    const { it: breaker_, fail, news, changes } = breaker();
    fail(4);
    breaker_.hear({ kind: "closed" });
    fail(4);
    assert.equal(breaker_.snapshot().state, "closed");
    fail(1);
    breaker_.hear({ kind: "closed" });
    assert.ok(breaker_.enter());
    assert.deepEqual([changes.at(-1)?.to, changes.at(-1)?.told], ["closed", true]);
    breaker_.reset("an admin reset it");
    assert.deepEqual(news.at(-1), { kind: "closed" });
  });
});
